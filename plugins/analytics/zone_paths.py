"""Follows which tracks are in which zones, with hysteresis in space and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.geometry import ANCHOR_HEIGHTS, beyond_sides
from vidan.types import Result

from ..formats.scene_file import Zone
from .polygons import Bools, Floats, Indices, Polygons
from .resting import NEVER_S, REST_COLUMNS, follow_rest
from .stitching import Rows, TrackMemory
from .visits import Visit

MAX_STEP_S = 1.0
"""Time between two detections up to which the border is crossed between them; after a longer one
an object entered with the second and left with the first."""

SETTLED_AFTER_S = 5.0
"""Time on one side of the border after which an object in the dead band is on that side, s."""

LABELS_EVERY_S = 0.25
"""Interval at which the label of an object that may loiter is checked again, s."""

EPSILON_S = 1e-6
"""Rounding of times, s."""

POINT = np.dtype([("time", "f8"), ("detected", "f8"), ("frame", "i8"), ("box", "f8", 4)])
"""A point of a path: stream time, that of the detection on its inner side, frame index, box."""

NOWHERE: Any = (0.0, 0.0, 0, (0.0,) * 4)

COLUMNS: dict[str, tuple[Any, Any]] = {
    "seen": (np.bool_, False),  # whether there was an anchor
    "inside": (np.bool_, False),  # whether the last anchor was inside
    "side": (np.int8, 0),  # last known side of the border: 1 inside, -1 outside
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
    "due": (np.float64, NEVER_S),  # when it loiters, s
    **REST_COLUMNS,
}
"""What is remembered of each zone and track."""


class Pair(NamedTuple):
    """A track and a zone.

    Attributes:
        zone: index of the zone.
        row: of the track in the memory.
        n: of the track in the result, if the pair is one of a track in it.
    """

    zone: int
    row: int
    n: int


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
        self._enter_after = enter_after - EPSILON_S
        self._leave_after = leave_after - EPSILON_S
        self._heights = np.array([[ANCHOR_HEIGHTS[zone.anchor]] for zone in zones])
        self.memory = TrackMemory(COLUMNS, len(zones), join_within)
        self._all = range(len(zones))
        self._has_labels = any(zone.labels is not None for zone in zones)
        self._labels: tuple[str, ...] = ()
        self._counted = np.zeros((len(zones), 0), bool)  # by class, the last one for -1

    def fit(self, width: int, height: int) -> None:
        """Convert the zones to px of images."""
        outlines = [zone.outline.pixels(width, height) for zone in self._zones]
        self.polygons = Polygons([beyond_sides(points, width, height) for points in outlines])

    def anchor(self, zone: int, box: Any) -> Floats:
        """The anchor (2,) of a box (4,) in a zone."""
        x1, y1, x2, y2 = box
        return np.array([(x1 + x2) / 2, y1 + self._heights[zone, 0] * (y2 - y1)])

    def advance(self, rows: Rows, result: Result) -> list[Pair]:
        """Follow all tracks (N,) of a result.

        Returns:
            the pairs whose first anchor is inside; `store` was not called yet.
        """
        columns, now = self.memory.columns, result.frame.time
        boxes = result.tracks.boxes.astype(np.float64)
        x, y = self._anchors(boxes)
        inside = self.polygons.contain(x, y)
        seen, side = columns["seen"][:, rows], columns["side"][:, rows]
        if not seen.all():
            side = self._begin(~seen, inside, rows, result)
        flipped = (inside != columns["inside"][:, rows]) & seen
        for zone, n in np.argwhere(flipped).tolist():
            self._flip(Pair(zone, int(rows[n]), n), bool(inside[zone, n]), result)
        self._pass_through(x, y, seen & ~inside & ~flipped, rows, result)
        columns["inside"][:, rows], columns["seen"][:, rows] = inside, True
        is_open = (inside != (side > 0)) | (columns["crossed"][:, rows] & (side < 0))
        if is_open.any():
            zones, of = np.nonzero(is_open)
            places = np.stack([x[of], y[zones, of]], axis=1)
            self._settle(zones, of, inside[zones, of], places, rows, result)
        follow_rest(columns, rows, boxes, now)
        return self._pairs(~seen & inside, rows) if not seen.all() else []

    def entered(self, rows: Rows, result: Result) -> list[Pair]:
        """Stays that are long enough for a visit by now, but are none yet."""
        columns, now = self.memory.columns, result.frame.time
        staying = columns["staying"][:, rows] & ~columns["visiting"][:, rows]
        if not staying.any():
            return []
        entry = columns["entry"][:, rows]
        long = now - entry["time"] >= self._enter_after
        # One detection is no visit, however long the interval to the next.
        twice = self.memory.time[rows] >= entry["detected"]
        staying &= long & twice & (columns["side"][:, rows] > 0)
        if self._has_labels and staying.any():
            staying &= self._wanted(self.memory.classes(rows), result)
        return self._pairs(staying, rows)

    def ended(self, now: float) -> list[Pair]:
        """Stays that ended long enough ago, of tracks that may be lost since then."""
        columns = self.memory.columns
        outside = columns["staying"] & (columns["side"] < 0)
        if not outside.any():
            return []
        outside &= now - columns["exit"]["time"] >= self._leave_after
        return self._pairs(outside, np.arange(outside.shape[1]))

    def crossed(self) -> list[Pair]:
        """Paths that went through a zone without a stay in it."""
        through = self.memory.columns["through"] & ~self.memory.columns["staying"]
        return self._pairs(through, np.arange(through.shape[1])) if through.any() else []

    def loitering(self, rows: Rows, now: float) -> list[Pair]:
        """Visits whose time is due."""
        columns = self.memory.columns
        due = (columns["due"][:, rows] <= now + EPSILON_S) & (columns["side"][:, rows] > 0)
        return self._pairs(due, rows) if due.any() else []

    def check_again(self, pair: Pair, now: float, due: float) -> None:
        """Check whether an object loiters later, when it is due or its label has changed."""
        self.memory.columns["due"][pair.zone, pair.row] = min(due, now + LABELS_EVERY_S)

    def _shortest(self, zone: int) -> float | None:
        """The shortest time after which an object of any label loiters, s."""
        loiter = self._zones[zone].loiter
        if isinstance(loiter, Mapping):
            return min(loiter.values(), default=None)
        return loiter

    def is_visit(self, pair: Pair) -> bool:
        """Whether a stay that ended was long enough for a visit."""
        columns = self.memory.columns
        entry, left = (columns[name][pair.zone, pair.row] for name in ("entry", "exit"))
        long = bool(left["time"] - entry["time"] >= self._enter_after)
        return long and bool(left["detected"] > entry["detected"] + EPSILON_S)

    def visit(self, visit: Visit, row: int) -> None:
        """Note that a track is visiting, since its stay was long enough or by another track."""
        columns, zone = self.memory.columns, visit.zone
        columns["visiting"][zone, row] = True
        columns["due"][zone, row] = NEVER_S
        if not visit.loitered and (shortest := self._shortest(zone)) is not None:
            columns["due"][zone, row] = visit.began.time + shortest

    def take_over(self, zone: int, old: int, new: int) -> None:
        """Note that a track continues another, which leaves nothing behind."""
        columns = self.memory.columns
        here = columns["staying"][zone, new] or columns["crossed"][zone, new]
        columns["joined"][zone, new] = here
        self._reset(zone, old)

    def end(self, pair: Pair) -> None:
        """Forget a stay or passage that is over."""
        columns, zone, row = self.memory.columns, pair.zone, pair.row
        for name in ("staying", "visiting", "through", "crossed", "joined", "began"):
            columns[name][zone, row] = False
        columns["due"][zone, row] = NEVER_S

    def forget(self, zone: int, track: int) -> None:
        """Begin anew with a track, if it is known."""
        row = self.memory.row(track)
        if row is not None:
            self._reset(zone, row)

    def _reset(self, zone: int, row: int) -> None:
        for name, (_, value) in COLUMNS.items():
            if name not in REST_COLUMNS:
                self.memory.columns[name][zone, row] = value

    def _wanted(self, classes: Indices, result: Result) -> Bools:
        """Whether objects of classes (N,) count in zones: (Z,N)."""
        if result.labels != self._labels or classes.max() + 1 >= self._counted.shape[1]:
            self._labels = result.labels
            names = [result.label(n) for n in range(max(len(result.labels), classes.max() + 1))]
            names.append(result.label(-1))
            self._counted = np.array([[self.counts(z, n) for n in names] for z in self._all])
        return np.asarray(self._counted[:, classes])

    def counts(self, zone: int, label: str) -> bool:
        """Whether objects with a label count in a zone."""
        labels = self._zones[zone].labels
        return labels is None or label in labels

    def _anchors(self, boxes: Floats) -> tuple[Floats, Floats]:
        """The anchors of boxes (N,4): x (N,) and y (Z,N)."""
        x1, y1, x2, y2 = boxes.T
        return (x1 + x2) / 2, y1 + self._heights * (y2 - y1)

    @staticmethod
    def _pairs(which: Bools, rows: Rows) -> list[Pair]:
        return [Pair(zone, int(rows[n]), n) for zone, n in np.argwhere(which).tolist()]

    def _begin(self, new: Bools, inside: Bools, rows: Rows, result: Result) -> npt.NDArray[np.int8]:
        """Begin paths (Z,N) with their first box; returns all sides."""
        columns = self.memory.columns
        side = np.where(new, np.where(inside, 1, -1), columns["side"][:, rows]).astype(np.int8)
        columns["side"][:, rows] = side
        for pair in self._pairs(new & inside, rows):
            self.begin(pair, result)
        return side

    def begin(self, pair: Pair, result: Result) -> None:
        """Begin a stay of a track whose first box is inside."""
        columns, zone, row = self.memory.columns, pair.zone, pair.row
        point = _point(result, pair.n)
        columns["flip"][zone, row] = columns["entry"][zone, row] = point
        columns["staying"][zone, row] = columns["began"][zone, row] = True

    def _flip(self, pair: Pair, inside: bool, result: Result) -> None:
        """Note where a step crossed the border."""
        columns, zone, row = self.memory.columns, pair.zone, pair.row
        old = self.memory.boxes[row]
        start, end = self.anchor(zone, old), self.anchor(zone, result.tracks.boxes[pair.n])
        parts = self.polygons.crossings(zone, start, end) or [0.5]
        point = self._between(row, pair.n, parts[-1] if inside else parts[0], result, inside)
        columns["flip"][zone, row] = point
        if inside and not columns["staying"][zone, row]:
            self._cross(zone, row, start, point)

    def _cross(self, zone: int, row: int, start: Floats, entry: Any) -> None:
        """Note where a path entered that was known to be outside."""
        columns = self.memory.columns
        columns["entry"][zone, row] = entry
        if not columns["crossed"][zone, row]:
            columns["crossed"][zone, row] = True
            columns["from_x"][zone, row], columns["from_y"][zone, row] = start

    def _pass_through(
        self, x: Floats, y: Floats, outside: Bools, rows: Rows, result: Result
    ) -> None:
        """Find steps (Z,N) that cross a zone and end outside."""
        old_x, old_y = self._anchors(self.memory.boxes[rows])
        outside &= self.polygons.near(x, y, old_x, old_y)
        for zone, n in np.argwhere(outside).tolist():
            start, end = np.array([old_x[n], old_y[zone, n]]), np.array([x[n], y[zone, n]])
            parts = self.polygons.crossings(zone, start, end)
            if len(parts) > 1 and not self.memory.columns["staying"][zone, rows[n]]:
                row = int(rows[n])
                self._cross(zone, row, start, self._between(row, n, parts[0], result, True))
                left = self._between(row, n, parts[-1], result, False)
                self.memory.columns["flip"][zone, row] = left

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
        self,
        zones: Indices,
        of: Indices,
        inside: Bools,
        places: Floats,
        rows: Rows,
        result: Result,
    ) -> None:
        """Find the sides that are known now, of the pairs (K,) where they may have changed."""
        columns = self.memory.columns
        distance, toward = self.polygons.border(zones, places)
        x1, y1, x2, y2 = result.tracks.boxes[of].astype(np.float64).T
        extent = np.abs(toward[:, 0]) * (x2 - x1) + np.abs(toward[:, 1]) * (y2 - y1)
        band = np.minimum(self._dead_band * extent, self.polygons.widths[zones] / 2)
        settled = result.frame.time - columns["flip"][zones, rows[of]]["time"] > SETTLED_AFTER_S
        for k in np.flatnonzero((distance > band) | settled).tolist():
            pair = Pair(int(zones[k]), int(rows[of[k]]), int(of[k]))
            if inside[k]:
                self._go_in(pair)
            else:
                self._go_out(pair, places[k], float(band[k]))

    def _go_in(self, pair: Pair) -> None:
        """The object is known to be inside."""
        columns, zone, row = self.memory.columns, pair.zone, pair.row
        columns["side"][zone, row] = 1
        columns["staying"][zone, row] = True
        columns["through"][zone, row] = False

    def _go_out(self, pair: Pair, place: Floats, band: float) -> None:
        """The object is known to be outside."""
        columns, zone, row = self.memory.columns, pair.zone, pair.row
        columns["exit"][zone, row] = columns["flip"][zone, row]
        columns["side"][zone, row] = -1
        if columns["crossed"][zone, row]:
            start = np.array([columns["from_x"][zone, row], columns["from_y"][zone, row]])
            length = self.polygons.length_inside(zone, start, place)
            columns["through"][zone, row] = length > band
            columns["crossed"][zone, row] = False


def _point(result: Result, n: int) -> Any:
    frame = result.frame
    return (frame.time, frame.time, frame.index, tuple(result.tracks.boxes[n].tolist()))
