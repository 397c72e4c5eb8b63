"""Follows which tracks are in which zones, with hysteresis in space and time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.geometry import ANCHOR_HEIGHTS, beyond_sides
from vidan.types import Result

from ..formats.scene_file import Zone
from .columns import Columns
from .polygons import Point, Polygons
from .resting import NEVER_S, REST_COLUMNS, REST_EVERY_S, begin_rest, follow_rest
from .scene_change import Kept
from .stitching import Rows, TrackMemory, shared_memory
from .visits import Box, Visit

MAX_STEP_S = 1.0
"""Time between two detections up to which the border is crossed between them; after a longer one
an object entered with the second and left with the first."""

SETTLED_AFTER_S = 5.0
"""Time on one side of the border after which an object in the dead band is on that side, s."""

EPSILON_S = 1e-6
"""Rounding of times, s."""

INSCRIBED = 0.7
"""Half the size of a square that fits into a circle, in radii."""

Indices = npt.NDArray[np.intp]

POINT = np.dtype([("time", "f8"), ("detected", "f8"), ("frame", "i8"), ("box", "f8", 4)])
"""A point of a path: stream time, that of the detection on its inner side, frame index, box."""

NOWHERE: Any = (0.0, 0.0, 0, (0.0,) * 4)

COLUMNS: dict[str, tuple[Any, Any]] = {
    "open": (np.bool_, False),  # whether it has crossed the border since its side was known
    "inside": (np.bool_, False),  # whether the last anchor was inside
    "side": (np.int8, 0),  # last known side of the border: 1 inside, -1 outside, 0 before the first
    "flip": (POINT, NOWHERE),  # where the path last crossed the border
    "entry": (POINT, NOWHERE),  # where it entered
    "exit": (POINT, NOWHERE),  # where it left, if the side is outside
    "crossed": (np.bool_, False),  # whether it has been inside since it was known to be outside
    "from_x": (np.float64, 0.0),  # the last anchor before that, px
    "from_y": (np.float64, 0.0),
    "staying": (np.bool_, False),  # whether it has been known to be inside, not long ago
    "visiting": (np.bool_, False),  # whether that is a visit
    "began": (np.bool_, False),  # whether its first box was inside
    "through": (np.bool_, False),  # whether its way leads through the zone
    "joined": (np.bool_, False),  # whether broken tracks were joined since it entered
    "loiters": (np.float64, NEVER_S),  # when it loiters, s
    "due": (np.float64, NEVER_S),  # when its stay may become a visit, end, or be too long, s
    **REST_COLUMNS,
}
"""What is remembered of each zone and track."""


NO_LIMITS = (math.inf, math.inf, -math.inf, -math.inf)
"""Within which nothing is."""

LIMITS = {
    "left": (np.float64, np.inf),
    "top": (np.float64, np.inf),
    "right": (np.float64, -np.inf),
    "bottom": (np.float64, -np.inf),
}
"""Between which the anchor can move without crossing the border, by zone and track, px; nowhere at
first, and while it matters how far from the border it is."""

TIMES = ("loiters", "due", "rest_since", "rest_until", "away_since")
"""The columns that are times, but for points."""


class Pair(NamedTuple):
    """A track and a zone.

    Attributes:
        zone: index of the zone.
        row: of the track in the memory.
    """

    zone: int
    row: int


class ZonePaths:
    """The paths of tracks relative to zones.

    The side of an object is known outside of the dead band around the border, and after it has
    been on one side for long.

    Args:
        zones: of the scene.
        dead_band: half the width of the dead band, in extents of the box across the border.
        enter_after: duration of the shortest visit, s.
        leave_after: time outside after which an object has left, s.
        join_within: longest time between a track and the one that continues it, s.
        shared: what the analyzers of a stream have in common, if any.

    Attributes:
        memory: the tracks.
        columns: what is remembered of each zone and track.
        polygons: the zones, in px.
        next_rest: when movements of objects at rest are checked again, s.
    """

    def __init__(
        self,
        zones: Sequence[Zone],
        dead_band: float,
        enter_after: float,
        leave_after: float,
        join_within: float,
        shared: MutableMapping[str, Any] | None,
    ) -> None:
        self._dead_band = dead_band
        self._enter_after = enter_after
        self._leave_after = leave_after
        self._shared, self._join_within = shared, join_within
        self._set(zones)
        self.memory = TrackMemory(join_within)
        self.columns = Columns(COLUMNS, len(zones))
        self._limits = Columns(LIMITS, len(zones))
        self.next_rest = -NEVER_S

    def _set(self, zones: Sequence[Zone]) -> None:
        self._zones = zones
        self._heights = [ANCHOR_HEIGHTS[zone.anchor] for zone in zones]
        self._column = np.array(self._heights)[:, None]

    def change(self, zones: Sequence[Zone], kept: Kept, size: tuple[int, int] | None) -> None:
        """Replace the zones.

        Args:
            zones: the new ones.
            kept: for each, the index of the same one before; None to begin anew with all tracks.
            size: of the images, px; None if it is not known yet.
        """
        self._set(zones)
        self.columns.select(kept)
        self._limits.select(kept)
        if size is not None:
            self._place(*size)

    def fit(self, width: int, height: int) -> None:
        """Convert the zones to px of images, and begin anew with all tracks."""
        self._place(width, height)
        self.memory = shared_memory(self._shared, self._join_within, (width, height))
        self.columns.clear()
        self._limits.clear()

    def _place(self, width: int, height: int) -> None:
        outlines = [zone.outline.pixels(width, height) for zone in self._zones]
        self.polygons = Polygons([beyond_sides(points, width, height) for points in outlines])

    def anchor(self, zone: int, box: Iterable[float]) -> Point:
        """The anchor of a box, xyxy, in a zone."""
        x1, y1, x2, y2 = box
        return (x1 + x2) / 2, y1 + self._heights[zone] * (y2 - y1)

    def update(self, result: Result) -> Rows:
        """Take over the tracks (N,) of a result; returns their rows."""
        rows = self.memory.update(result)
        self.columns.follow(self.memory)
        self._limits.follow(self.memory)
        return rows

    def advance(self, rows: Rows, result: Result) -> list[Pair]:
        """Follow all tracks (N,) of a result.

        Returns:
            the pairs whose first anchor is inside.
        """
        memory, now = self.memory, result.frame.time
        if now >= self.next_rest:
            self.next_rest = now + REST_EVERY_S
            boxes = memory.new_boxes[rows]
            moved = follow_rest(self.columns, rows, boxes, now)
            begin_rest(self.columns, rows[moved], boxes[moved], now)
        left, top, right, bottom = map(self._limits.__getitem__, LIMITS)
        x1, y1, x2, y2 = memory.new_boxes.T
        x, y = (x1 + x2) / 2, y1 + self._column * (y2 - y1)
        out = (x <= left) | (x >= right) | (y <= top) | (y >= bottom)
        out &= memory.new_time == now
        if not np.count_nonzero(out):
            return []
        zones, of = out.nonzero()
        return self._examine(zones, of, result)

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {
            "memory": self.memory.state(),
            "columns": self.columns.state(),
            "next_rest": self.next_rest,
        }

    def restore(self, state: Mapping[str, Any], offset: float) -> None:
        """Continue from a state, whose times are changed by `offset` s; called after `fit`."""
        self.memory.restore(state["memory"], offset)
        self.columns.restore(state["columns"], self.memory)
        self.next_rest = state["next_rest"] + offset
        for name in TIMES:
            self.columns[name] += offset
        for name in ("flip", "entry", "exit"):
            for field in ("time", "detected"):
                self.columns[name][field] += offset

    def due(self, now: float) -> list[Pair]:
        """The stays and passages of which something is due now, whether or not the track is lost.

        Pairs are by zone, time, place and id: not by the order of the tracks, which means nothing.
        """
        due = self.columns["due"] <= now + EPSILON_S
        if not due.any():
            return []
        entry = self.columns["entry"]

        def order(pair: Pair) -> tuple[Any, ...]:
            point = entry[pair.zone, pair.row]
            box = tuple(point["box"].tolist())
            return pair.zone, float(point["time"]), box, int(self.memory.ids[pair.row])

        return sorted(itertools.starmap(Pair, np.argwhere(due).tolist()), key=order)

    def is_due(self, pair: Pair) -> bool:
        """Whether a stay inside is long enough for a visit."""
        columns = self.columns
        # One detection is no visit, however long the interval to the next.
        return bool(self.memory.time[pair.row] >= columns["entry"][pair]["detected"])

    def is_visit(self, pair: Pair) -> bool:
        """Whether a stay that ended was long enough for a visit."""
        entry, left = (self.columns[name][pair] for name in ("entry", "exit"))
        long = bool(left["time"] - entry["time"] >= self._enter_after - EPSILON_S)
        return long and bool(left["detected"] > entry["detected"])

    def visit(self, visit: Visit, row: int) -> None:
        """Note that a track is visiting, since its stay was long enough or by another track."""
        columns, pair = self.columns, Pair(visit.zone, row)
        columns["visiting"][pair] = True
        shortest = None if visit.loitered else self._shortest(visit.zone)
        columns["loiters"][pair] = NEVER_S if shortest is None else visit.began.time + shortest
        self._schedule(pair)

    def take_over(self, zone: int, old: int, new: int) -> None:
        """Note that a track continues another, which leaves nothing behind."""
        columns = self.columns
        here = columns["staying"][zone, new] or columns["crossed"][zone, new]
        columns["joined"][zone, new] = here
        self._reset(zone, old)

    def end(self, pair: Pair) -> None:
        """Forget a stay or passage that is over."""
        columns = self.columns
        for name in ("staying", "visiting", "through", "crossed", "joined", "began"):
            columns[name][pair] = False
        columns["loiters"][pair] = columns["due"][pair] = NEVER_S

    def forget(self, zone: int, track: int) -> None:
        """Begin anew with a track, if it is known."""
        row = self.memory.row(track)
        if row is not None:
            self._reset(zone, row)

    def check_again(self, pair: Pair, due: float) -> None:
        """Check later whether something is due, since the label did not fit."""
        self.columns["due"][pair] = due

    def counts(self, zone: int, label: str) -> bool:
        """Whether objects with a label count in a zone."""
        labels = self._zones[zone].labels
        return labels is None or label in labels

    def _reset(self, zone: int, row: int) -> None:
        self.columns.reset(zone, row, COLUMNS.keys() - REST_COLUMNS.keys())
        self._limits.reset(zone, row, LIMITS)

    def _shortest(self, zone: int) -> float | None:
        """The shortest time after which an object of any label loiters, s."""
        loiter = self._zones[zone].loiter
        if isinstance(loiter, Mapping):
            return min(loiter.values(), default=None)
        return loiter

    def _schedule(self, pair: Pair) -> None:
        """Set when something is due."""
        columns = self.columns
        if columns["side"][pair] < 0:
            due = NEVER_S
            if columns["staying"][pair]:
                due = columns["exit"][pair]["time"] + self._leave_after
            elif columns["through"][pair]:
                due = columns["exit"][pair]["time"]
        elif columns["visiting"][pair]:
            due = columns["loiters"][pair]
        else:
            due = columns["entry"][pair]["time"] + self._enter_after
        columns["due"][pair] = due

    def _examine(self, zones: Indices, rows: Rows, result: Result) -> list[Pair]:
        """Follow pairs (K,) whose anchors are beyond the limits."""
        columns, memory = self.columns, self.memory
        before, boxes = memory.boxes[rows].tolist(), memory.new_boxes[rows].tolist()
        sides = columns["side"][zones, rows].tolist()
        begun, limits = [], []
        for k, pair in enumerate(map(Pair, zones.tolist(), rows.tolist())):
            start, end = self.anchor(pair.zone, before[k]), self.anchor(pair.zone, boxes[k])
            distance, dx, dy = self.polygons.border(pair.zone, *end)
            if sides[k] == 0:
                begun += [pair] * self._begin(pair, end, result)
            elif math.dist(start, end) >= distance:
                self._step(pair, start, end, result)
            if columns["open"][pair]:
                limits.append(NO_LIMITS)
                self._settle(pair, end, distance, _extent(dx, dy, boxes[k]), result.frame.time)
            else:
                limits.append(self._limit(pair.zone, end, distance))
        for name, limit in zip(LIMITS, zip(*limits, strict=True), strict=True):
            self._limits[name][zones, rows] = limit
        return begun

    def _limit(self, zone: int, at: Point, distance: float) -> Box:
        """How far an anchor can move from where it is, at a distance from the border.

        Outside of the box around a zone, it can move along it; elsewhere in a square.
        """
        (x, y), (left, top, right, bottom) = at, self.polygons.bounds[zone]
        if x < left:
            return -math.inf, -math.inf, left, math.inf
        if x > right:
            return right, -math.inf, math.inf, math.inf
        if y < top:
            return -math.inf, -math.inf, math.inf, top
        if y > bottom:
            return -math.inf, bottom, math.inf, math.inf
        reach = INSCRIBED * distance
        return x - reach, y - reach, x + reach, y + reach

    def _step(self, pair: Pair, start: Point, end: Point, result: Result) -> None:
        """Follow a step that may have crossed the border."""
        inside = self.polygons.contains(pair.zone, *end)
        if inside != bool(self.columns["inside"][pair]):
            self._flip(pair, inside, start, end, result)
        elif not inside:
            self._pass_through(pair, start, end, result)
        self.columns["inside"][pair] = inside

    def _begin(self, pair: Pair, at: Point, result: Result) -> bool:
        """Begin a path with its first box; returns whether it is inside."""
        columns, frame, box = self.columns, result.frame, self.memory.new_boxes[pair.row]
        inside = self.polygons.contains(pair.zone, *at)
        columns["inside"][pair], columns["side"][pair] = inside, 1 if inside else -1
        if columns["rest_since"][0, pair.row] < -NEVER_S / 2:
            begin_rest(columns, np.array([pair.row]), box[None], frame.time)
        if inside:
            point = (frame.time, frame.time, frame.index, tuple(box.tolist()))
            columns["flip"][pair] = columns["entry"][pair] = point
            columns["staying"][pair] = columns["began"][pair] = True
            self._schedule(pair)
        return inside

    def _flip(self, pair: Pair, inside: bool, start: Point, end: Point, result: Result) -> None:
        """Note where a step crossed the border."""
        columns = self.columns
        parts = self.polygons.crossings(pair.zone, start, end) or [0.5]
        point = self._between(pair.row, parts[-1] if inside else parts[0], result, inside)
        columns["flip"][pair] = point
        columns["open"][pair] = True
        if inside and not columns["staying"][pair]:
            self._cross(pair, start, point)

    def _cross(self, pair: Pair, start: Point, entry: Any) -> None:
        """Note where a path entered that was known to be outside."""
        columns = self.columns
        columns["entry"][pair] = entry
        if not columns["crossed"][pair]:
            columns["crossed"][pair] = True
            columns["from_x"][pair], columns["from_y"][pair] = start

    def _pass_through(self, pair: Pair, start: Point, end: Point, result: Result) -> None:
        """Note a step that crosses a zone and ends outside."""
        parts = self.polygons.crossings(pair.zone, start, end)
        if len(parts) > 1 and not self.columns["staying"][pair]:
            self._cross(pair, start, self._between(pair.row, parts[0], result, True))
            left = self._between(pair.row, parts[-1], result, False)
            self.columns["flip"][pair] = left
            self.columns["open"][pair] = True

    def _between(self, row: int, part: float, result: Result, entering: bool) -> Any:
        """A point of the step of a track from its last box to this one, as a fraction of it."""
        memory, now = self.memory, result.frame.time
        then, index = float(memory.time[row]), int(memory.frame[row])
        if now - then > MAX_STEP_S:
            part = 1.0 if entering else 0.0
        box = memory.boxes[row] + part * (memory.new_boxes[row] - memory.boxes[row])
        frame = index + round(part * (result.frame.index - index))
        detected = now if entering else then
        return (then + part * (now - then), detected, frame, tuple(box.tolist()))

    def _settle(self, pair: Pair, at: Point, distance: float, extent: float, now: float) -> None:
        """Find out whether the side is known now of a pair that crossed the border."""
        columns = self.columns
        band = min(self._dead_band * extent, self.polygons.widths[pair.zone] / 2)
        if distance <= band and now - columns["flip"]["time"][pair] <= SETTLED_AFTER_S:
            return
        if not columns["inside"][pair]:
            self._go_out(pair, at, band)
        elif columns["side"][pair] < 0:
            columns["side"][pair] = 1
            columns["staying"][pair], columns["through"][pair] = True, False
        columns["open"][pair] = False
        self._schedule(pair)

    def _go_out(self, pair: Pair, at: Point, band: float) -> None:
        """The object is known to be outside."""
        columns = self.columns
        if columns["side"][pair] > 0 or not columns["staying"][pair]:
            columns["exit"][pair] = columns["flip"][pair]
        columns["side"][pair] = -1
        if columns["crossed"][pair]:
            start = float(columns["from_x"][pair]), float(columns["from_y"][pair])
            length = self.polygons.length_inside(pair.zone, start, at)
            columns["through"][pair] = length > band
            columns["crossed"][pair] = False


def _extent(dx: float, dy: float, box: Iterable[float]) -> float:
    """The extent of a box, xyxy, in a direction, px."""
    x1, y1, x2, y2 = box
    return (abs(dx) * (x2 - x1) + abs(dy) * (y2 - y1)) / (math.hypot(dx, dy) or 1.0)
