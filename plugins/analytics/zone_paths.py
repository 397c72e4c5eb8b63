"""Follows which tracks are in which zones, with hysteresis in space and time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vidan.geometry import ANCHOR_HEIGHTS, beyond_sides
from vidan.types import Result

from ..formats.scene_file import Zone
from .polygons import Floats, Indices, Polygons
from .resting import NEVER_S, REST_COLUMNS, REST_EVERY_S, begin_rest, follow_rest
from .stitching import Rows, TrackMemory
from .visits import Visit

MAX_STEP_S = 1.0
"""Time between two detections up to which the border is crossed between them; after a longer one
an object entered with the second and left with the first."""

SETTLED_AFTER_S = 5.0
"""Time on one side of the border after which an object in the dead band is on that side, s."""

EPSILON_S = 1e-6
"""Rounding of times, s."""

POINT = np.dtype([("time", "f8"), ("detected", "f8"), ("frame", "i8"), ("box", "f8", 4)])
"""A point of a path: stream time, that of the detection on its inner side, frame index, box."""

NOWHERE: Any = (0.0, 0.0, 0, (0.0,) * 4)

COLUMNS: dict[str, tuple[Any, Any]] = {
    "margin": (np.float64, -1.0),  # the anchor can move this far before it matters, px
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

    Attributes:
        memory: what is remembered of each track.
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
    ) -> None:
        self._zones = zones
        self._dead_band = dead_band
        self._enter_after = enter_after
        self._leave_after = leave_after
        self._heights = np.array([ANCHOR_HEIGHTS[zone.anchor] for zone in zones])
        self.memory = TrackMemory(COLUMNS, len(zones), join_within)
        self.next_rest = -NEVER_S

    def fit(self, width: int, height: int) -> None:
        """Convert the zones to px of images."""
        outlines = [zone.outline.pixels(width, height) for zone in self._zones]
        self.polygons = Polygons([beyond_sides(points, width, height) for points in outlines])

    def anchor(self, zone: int, box: Any) -> Floats:
        """The anchor (2,) of a box (4,) in a zone."""
        x1, y1, x2, y2 = box
        return np.array([(x1 + x2) / 2, y1 + self._heights[zone] * (y2 - y1)])

    def advance(self, rows: Rows, result: Result) -> list[Pair]:
        """Follow all tracks (N,) of a result; to be called before `store`.

        Returns:
            the pairs whose first anchor is inside.
        """
        columns, now = self.memory.columns, result.frame.time
        boxes = result.tracks.boxes.astype(np.float64)
        if now >= self.next_rest:
            self.next_rest = now + REST_EVERY_S
            moved = follow_rest(columns, rows, boxes, now)
            begin_rest(columns, rows[moved], boxes[moved], now)
        x1, y1, x2, y2 = np.abs(boxes - self.memory.boxes[rows]).T
        moved = np.maximum(x1, x2) + np.maximum(y1, y2)  # no anchor moved farther
        margin = columns["margin"][:, rows] - moved
        columns["margin"][:, rows] = margin
        near = margin < 0
        if not near.any():
            return []
        zones, of = near.nonzero()
        return self._examine(zones, rows[of], boxes[of], moved[of], result, of)

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {"memory": self.memory.state(), "next_rest": self.next_rest}

    def restore(self, state: Mapping[str, Any], offset: float) -> None:
        """Continue from a state, whose times are changed by `offset` s; called after `fit`."""
        self.memory.restore(state["memory"], offset)
        self.next_rest = state["next_rest"] + offset
        for name in TIMES:
            self.memory.columns[name] += offset
        for name in ("flip", "entry", "exit"):
            for field in ("time", "detected"):
                self.memory.columns[name][field] += offset

    def due(self, now: float) -> list[Pair]:
        """The stays and passages of which something is due now, whether or not the track is lost.

        Pairs are by zone, time and place: not by the order of the tracks, which means nothing.
        """
        due = self.memory.columns["due"] <= now + EPSILON_S
        if not due.any():
            return []
        entry = self.memory.columns["entry"]

        def order(pair: Pair) -> tuple[Any, ...]:
            point = entry[pair.zone, pair.row]
            return pair.zone, float(point["time"]), tuple(point["box"].tolist())

        return sorted(itertools.starmap(Pair, np.argwhere(due).tolist()), key=order)

    def is_due(self, pair: Pair) -> bool:
        """Whether a stay inside is long enough for a visit."""
        columns = self.memory.columns
        # One detection is no visit, however long the interval to the next.
        return bool(self.memory.time[pair.row] >= columns["entry"][pair]["detected"])

    def is_visit(self, pair: Pair) -> bool:
        """Whether a stay that ended was long enough for a visit."""
        entry, left = (self.memory.columns[name][pair] for name in ("entry", "exit"))
        long = bool(left["time"] - entry["time"] >= self._enter_after - EPSILON_S)
        return long and bool(left["detected"] > entry["detected"])

    def visit(self, visit: Visit, row: int) -> None:
        """Note that a track is visiting, since its stay was long enough or by another track."""
        columns, pair = self.memory.columns, Pair(visit.zone, row)
        columns["visiting"][pair] = True
        shortest = None if visit.loitered else self._shortest(visit.zone)
        columns["loiters"][pair] = NEVER_S if shortest is None else visit.began.time + shortest
        self._schedule(pair)

    def take_over(self, zone: int, old: int, new: int) -> None:
        """Note that a track continues another, which leaves nothing behind."""
        columns = self.memory.columns
        here = columns["staying"][zone, new] or columns["crossed"][zone, new]
        columns["joined"][zone, new] = here
        self._reset(zone, old)

    def end(self, pair: Pair) -> None:
        """Forget a stay or passage that is over."""
        columns = self.memory.columns
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
        self.memory.columns["due"][pair] = due

    def counts(self, zone: int, label: str) -> bool:
        """Whether objects with a label count in a zone."""
        labels = self._zones[zone].labels
        return labels is None or label in labels

    def _reset(self, zone: int, row: int) -> None:
        for name, (_, value) in COLUMNS.items():
            if name not in REST_COLUMNS:
                self.memory.columns[name][zone, row] = value

    def _shortest(self, zone: int) -> float | None:
        """The shortest time after which an object of any label loiters, s."""
        loiter = self._zones[zone].loiter
        if isinstance(loiter, Mapping):
            return min(loiter.values(), default=None)
        return loiter

    def _schedule(self, pair: Pair) -> None:
        """Set when something is due."""
        columns = self.memory.columns
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

    def _examine(
        self,
        zones: Indices,
        rows: Rows,
        boxes: Floats,
        moved: Floats,
        result: Result,
        of: Indices,
    ) -> list[Pair]:
        """Follow pairs (K,) near a border, whose boxes (K,4) moved by up to `moved` px (K,).

        `of` is their index in the result.
        """
        columns = self.memory.columns
        at = self._anchors(zones, boxes)
        distance, offset = self.polygons.border(zones, at)
        side = columns["side"][zones, rows]
        begun = []
        for k in np.flatnonzero((moved >= distance) | (side == 0)).tolist():
            pair, n = Pair(int(zones[k]), int(rows[k])), int(of[k])
            inside = self.polygons.contains(pair.zone, *at[k].tolist())
            if side[k] != 0:
                self._step(pair, inside, at[k], float(distance[k]), result, n)
            else:
                self._begin(pair, inside, result, n)
                begun += [pair] * inside
            columns["inside"][pair] = inside
        is_open = columns["open"][zones, rows]
        columns["margin"][zones, rows] = np.where(is_open, -1.0, distance)
        if is_open.any():
            which = is_open.nonzero()[0]
            self._settle(
                zones[which],
                rows[which],
                at[which],
                distance[which],
                self._extents(offset[which], boxes[which]),
                result.frame.time,
            )
        return begun

    def _anchors(self, zones: Indices, boxes: Floats) -> Floats:
        """The anchors (K,2) of boxes (K,4) in zones (K,)."""
        x1, y1, x2, y2 = boxes.T
        return np.array([(x1 + x2) / 2, y1 + self._heights[zones] * (y2 - y1)]).T

    @staticmethod
    def _extents(offset: Floats, boxes: Floats) -> Floats:
        """Extents (K,) of boxes (K,4) in the directions of offsets (K,2), px."""
        (dx, dy), (x1, y1, x2, y2) = np.abs(offset).T, boxes.T
        length = np.maximum(np.hypot(dx, dy), 1e-9)
        return np.asarray((dx * (x2 - x1) + dy * (y2 - y1)) / length)

    def _step(
        self, pair: Pair, inside: bool, end: Floats, distance: float, result: Result, n: int
    ) -> None:
        """Follow a step to a point at a distance from the border, which it may have crossed."""
        was = bool(self.memory.columns["inside"][pair])
        start = self.anchor(pair.zone, self.memory.boxes[pair.row])
        if inside != was:
            self._flip(pair, inside, start, end, result, n)
        elif not inside and np.hypot(*(end - start)) >= distance:
            self._pass_through(pair, start, end, result, n)

    def _begin(self, pair: Pair, inside: bool, result: Result, n: int) -> None:
        """Begin a path with its first box."""
        columns, frame = self.memory.columns, result.frame
        columns["side"][pair] = 1 if inside else -1
        if columns["rest_since"][0, pair.row] < -NEVER_S / 2:
            boxes = result.tracks.boxes[n : n + 1].astype(np.float64)
            begin_rest(columns, np.array([pair.row]), boxes, frame.time)
        if inside:
            box = tuple(result.tracks.boxes[n].tolist())
            columns["flip"][pair] = columns["entry"][pair] = (
                *(frame.time, frame.time, frame.index),
                box,
            )
            columns["staying"][pair] = columns["began"][pair] = True
            self._schedule(pair)

    def _flip(
        self, pair: Pair, inside: bool, start: Floats, end: Floats, result: Result, n: int
    ) -> None:
        """Note where a step crossed the border."""
        columns = self.memory.columns
        parts = self.polygons.crossings(pair.zone, start, end) or [0.5]
        point = self._between(pair.row, n, parts[-1] if inside else parts[0], result, inside)
        columns["flip"][pair] = point
        columns["open"][pair] = True
        if inside and not columns["staying"][pair]:
            self._cross(pair, start, point)

    def _cross(self, pair: Pair, start: Floats, entry: Any) -> None:
        """Note where a path entered that was known to be outside."""
        columns = self.memory.columns
        columns["entry"][pair] = entry
        if not columns["crossed"][pair]:
            columns["crossed"][pair] = True
            columns["from_x"][pair], columns["from_y"][pair] = start

    def _pass_through(self, pair: Pair, start: Floats, end: Floats, result: Result, n: int) -> None:
        """Note a step that crosses a zone and ends outside."""
        parts = self.polygons.crossings(pair.zone, start, end)
        if len(parts) > 1 and not self.memory.columns["staying"][pair]:
            self._cross(pair, start, self._between(pair.row, n, parts[0], result, True))
            left = self._between(pair.row, n, parts[-1], result, False)
            self.memory.columns["flip"][pair] = left
            self.memory.columns["open"][pair] = True

    def _between(self, row: int, n: int, part: float, result: Result, entering: bool) -> Any:
        """A point of the step of a track from its last box to this one, as a fraction of it."""
        memory, now = self.memory, result.frame.time
        then, index = float(memory.time[row]), int(memory.frame[row])
        if now - then > MAX_STEP_S:
            part = 1.0 if entering else 0.0
        box = memory.boxes[row] + part * (result.tracks.boxes[n] - memory.boxes[row])
        frame = index + round(part * (result.frame.index - index))
        detected = now if entering else then
        return (then + part * (now - then), detected, frame, tuple(box.tolist()))

    def _settle(
        self, zones: Indices, rows: Rows, at: Floats, distance: Floats, extents: Floats, now: float
    ) -> None:
        """Find the sides that are known now, of pairs (K,) that crossed the border."""
        columns = self.memory.columns
        band = np.minimum(self._dead_band * extents, self.polygons.widths[zones] / 2)
        known = (distance > band) | (now - columns["flip"]["time"][zones, rows] > SETTLED_AFTER_S)
        for k in np.flatnonzero(known).tolist():
            pair = Pair(int(zones[k]), int(rows[k]))
            if not columns["inside"][pair]:
                self._go_out(pair, at[k], float(band[k]))
            elif columns["side"][pair] < 0:
                columns["side"][pair] = 1
                columns["staying"][pair], columns["through"][pair] = True, False
            columns["open"][pair] = False
            self._schedule(pair)

    def _go_out(self, pair: Pair, at: Floats, band: float) -> None:
        """The object is known to be outside."""
        columns = self.memory.columns
        if columns["side"][pair] > 0 or not columns["staying"][pair]:
            columns["exit"][pair] = columns["flip"][pair]
        columns["side"][pair] = -1
        if columns["crossed"][pair]:
            start = np.array([columns["from_x"][pair], columns["from_y"][pair]])
            length = self.polygons.length_inside(pair.zone, start, at)
            columns["through"][pair] = length > band
            columns["crossed"][pair] = False
