"""What is remembered of tracks, and which broken tracks are continued by new ones.

A tracker may lose an object and find it again under another id. A new track continues one that
ended shortly before if it begins where the motion of that one leads, is about as large, and was
never seen together with it. It then takes over everything that is remembered of the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.types import Result

from .array_state import packed, unpacked

FORGET_AFTER_S = 10.0
"""Time without a track after which it is forgotten, s."""

LONG_AGO_S = 1e12
"""A time before any stream, s; finite, for JSON."""

MARK_EVERY_S = 0.25
"""Interval of the positions from which velocities are computed, s; they span one to two of them."""

MIN_MOTION_S = 0.1
"""Duration of a track, s, from which on its velocity is known."""

MAX_OFFSET = 0.5
"""Distance of the first box of a track from the path that the other was on, in box sizes."""

MAX_OVERSHOOT = 1.5
"""How far along that path it may be, as a multiple of the distance at constant speed."""

MAX_SIZE_RATIO = 2.0
"""Ratio of the heights of two boxes of one object."""

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


class Join(NamedTuple):
    """A track that continues another."""

    old: int
    new: int


class TrackMemory:
    """What is remembered of tracks, one row each, in parallel arrays.

    Args:
        columns: further arrays by name: data type and initial value.
        depth: the first dimension of those arrays, such as the number of lines.
        max_gap: longest time between a track and the one that continues it, s; 0 to join none.

    Attributes:
        ids: (R,) int64.
        time: (R,) stream time of the last box, s.
        frame: (R,) index of its frame.
        boxes: (R,4) the last box, xyxy, px.
        columns: the further arrays, (depth,R) each.
        joins: the tracks of the last `rows` that continue others.
    """

    def __init__(self, columns: Mapping[str, tuple[Any, Any]], depth: int, max_gap: float) -> None:
        self._initial = {name: np.array(value, kind) for name, (kind, value) in columns.items()}
        self._depth = depth
        self._max_gap = max_gap
        self.joins: list[Join] = []
        self._last_ids = np.zeros(0, np.int64)
        self._last_rows = np.zeros(0, np.intp)
        self._next_purge = -math.inf
        self.clear()

    def clear(self) -> None:
        """Forget all tracks."""
        self._rows: dict[int, int] = {}
        self.ids = np.zeros(0, np.int64)
        self.time, self.frame = np.zeros(0), np.zeros(0, np.int64)
        self.boxes = np.zeros((0, 4))
        self._marks = np.zeros((0, 2, 3))  # time, x and y of two earlier positions
        self._votes = np.zeros((0, 0))  # by class
        self._continued = np.zeros(0, bool)
        self.columns = {
            name: np.zeros((self._depth, 0), value.dtype) for name, value in self._initial.items()
        }
        self._last_ids = self._last_ids[:0]

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {
            "tracks": packed(self._arrays()),
            "columns": packed(self.columns),
            "next_purge": max(self._next_purge, -LONG_AGO_S),
        }

    def restore(self, state: Mapping[str, Any], offset: float) -> None:
        """Continue from a state, whose times are changed by `offset` s; not those of the columns.

        Raises:
            ValueError: the state is not one of this memory.
        """
        self.clear()
        columns = unpacked(state["columns"], self.columns)
        for name, array in unpacked(state["tracks"], self._arrays()).items():
            setattr(self, name, array)
        self.columns = columns
        self.time += offset
        self._marks[..., 0] += offset
        self._next_purge = float(state["next_purge"]) + offset
        self._rows = {number: row for row, number in enumerate(self.ids.tolist())}

    def _arrays(self) -> dict[str, Any]:
        """The arrays of this memory, by attribute."""
        return {key: value for key, value in vars(self).items() if isinstance(value, np.ndarray)}

    def rows(self, result: Result) -> Rows:
        """The row (N,) of each track of a result; rows are added for new tracks."""
        ids, now = result.tracks.ids, result.frame.time
        self.joins = []
        if np.array_equal(ids, self._last_ids):
            return self._last_rows
        if now >= self._next_purge or now < self._next_purge - 2 * FORGET_AFTER_S:
            self._next_purge = now + FORGET_AFTER_S / 2
            self._purge(now, ids)
        known = self._rows
        found = [known.get(number, -1) for number in ids.tolist()]
        new = np.array([n for n, row in enumerate(found) if row < 0], np.intp)
        if len(new):
            self._begin(result, new, now)
        self._last_ids = ids
        self._last_rows = np.array([known[number] for number in ids.tolist()], np.intp)
        self._continued[self._last_rows] = False  # its id came back: it may be continued again
        return self._last_rows

    def row(self, track: int) -> int | None:
        """The row of a track; None if it is not known."""
        return self._rows.get(track)

    def store(self, rows: Rows, result: Result) -> None:
        """Take over the boxes and labels of a result, whose tracks have these rows."""
        tracks, now = result.tracks, result.frame.time
        if len(rows) == 0:
            return
        boxes = tracks.boxes.astype(np.float64)
        due = np.abs(now - self._marks[rows, 1, 0]) >= MARK_EVERY_S
        if due.any():
            which = rows[due]
            self._marks[which, 0] = self._marks[which, 1]
            self._marks[which, 1] = _positions(boxes[due], now)
        self.time[rows], self.frame[rows], self.boxes[rows] = now, result.frame.index, boxes
        self._vote(rows, tracks.classes)

    def label(self, row: int, result: Result) -> str:
        """The label that most boxes of the track had so far; `uncertain` if none had one."""
        votes = self._votes[row]
        best = int(votes.argmax()) if votes.any() else -1
        return result.label(best)

    def labels(self, row: int, result: Result) -> tuple[str, ...]:
        """All labels that boxes of the track had."""
        return tuple(result.label(n) for n in np.flatnonzero(self._votes[row]).tolist())

    def classes(self, rows: Rows) -> npt.NDArray[np.intp]:
        """The class (K,) that most boxes of each track had so far; -1 if none had one."""
        if not self._votes.shape[1]:
            return np.full(len(rows), -1, np.intp)
        votes = self._votes[rows]
        return np.where(votes.any(axis=1), votes.argmax(axis=1), -1)

    def lost(self, now: float, after: float) -> list[int]:
        """Rows of the tracks that ended `after` s ago or more and are not continued."""
        gone = (now - self.time >= after) & ~self._continued
        return np.flatnonzero(gone).tolist()

    def _vote(self, rows: Rows, classes: npt.NDArray[np.int32]) -> None:
        top = int(classes.max(initial=0))
        if top >= self._votes.shape[1]:
            more = np.zeros((len(self._votes), top + 1 - self._votes.shape[1]))
            self._votes = np.concatenate([self._votes, more], axis=1)
        self._votes[rows, classes] += classes >= 0  # a column of -1 gets no vote

    def _begin(self, result: Result, new: Rows, now: float) -> None:
        """Add rows for new tracks, with the contents of those that they continue."""
        boxes = result.tracks.boxes[new].astype(np.float64)
        ids = result.tracks.ids[new]
        present = set(result.tracks.ids.tolist())
        sources = self._find_ended(boxes, result.tracks.classes[new], now, present)
        first, count = len(self.ids), len(new)
        self.ids = np.concatenate([self.ids, ids])
        self.time = np.concatenate([self.time, np.full(count, now)])
        self.frame = np.concatenate([self.frame, np.full(count, result.frame.index)])
        self.boxes = np.concatenate([self.boxes, boxes])
        marks = np.repeat(_positions(boxes, now)[:, None], 2, axis=1)
        self._marks = np.concatenate([self._marks, marks])
        self._votes = np.concatenate([self._votes, np.zeros((count, self._votes.shape[1]))])
        self._continued = np.concatenate([self._continued, np.zeros(count, bool)])
        for name, value in self._initial.items():
            added = np.full((self._depth, count), value)
            self.columns[name] = np.concatenate([self.columns[name], added], axis=1)
        for n, (number, old) in enumerate(zip(ids.tolist(), sources, strict=True)):
            self._rows[number] = first + n
            if old is not None:
                self._continue(old, first + n)

    def _continue(self, old: int, new: int) -> None:
        for array in (self.time, self.frame, self.boxes, self._marks, self._votes):
            array[new] = array[old]
        for column in self.columns.values():
            column[:, new] = column[:, old]
        self._continued[old] = True
        self.joins.append(Join(old, new))

    def _find_ended(
        self, boxes: Floats, classes: npt.NDArray[np.int32], now: float, present: set[int]
    ) -> list[int | None]:
        """For each first box (K,4), the row of the track that it continues, or None."""
        gaps = now - self.time
        ended = np.flatnonzero((gaps > 0) & (gaps <= self._max_gap) & ~self._continued)
        rows = [row for row in ended.tolist() if int(self.ids[row]) not in present]
        costs = [
            (cost, row, n)
            for row in rows
            for n, box in enumerate(boxes)
            if self._same_class(row, int(classes[n]))
            and (cost := self._cost(row, box, now)) <= MAX_OFFSET
        ]
        found: list[int | None] = [None] * len(boxes)
        taken: set[int] = set()
        for _, row, n in sorted(costs):
            if row not in taken and found[n] is None:
                found[n] = row
                taken.add(row)
        return found

    def _same_class(self, row: int, class_index: int) -> bool:
        votes = self._votes[row]
        return (
            class_index < 0 or not votes.any() or bool(votes[class_index : class_index + 1].any())
        )

    def _cost(self, row: int, box: Floats, now: float) -> float:
        """Distance of a first box from the path that a track was on, in box sizes."""
        last = self.boxes[row]
        heights = last[3] - last[1], box[3] - box[1]
        if max(heights) > MAX_SIZE_RATIO * min(heights):
            return math.inf
        size = (last[2] - last[0] + heights[0] + box[2] - box[0] + heights[1]) / 4
        velocity = self._velocity(row)
        start, end = _positions(last[None], 0.0)[0, 1:], _positions(box[None], 0.0)[0, 1:]
        offset = end - start
        path = velocity * (now - self.time[row]) * MAX_OVERSHOOT
        length = float(path @ path)
        along = min(max(float(offset @ path) / length, 0.0), 1.0) if length else 0.0
        return math.hypot(*(offset - along * path).tolist()) / max(float(size), 1.0)

    def _velocity(self, row: int) -> Floats:
        """Velocity (2,) of a track at its end, px/s."""
        then, x, y = self._marks[row, 0]
        _, now_x, now_y = _positions(self.boxes[row][None], 0.0)[0]
        seconds = self.time[row] - then
        if seconds < MIN_MOTION_S:
            return np.zeros(2)
        return np.array([now_x - x, now_y - y]) / float(seconds)

    def _purge(self, now: float, current: npt.NDArray[np.int64]) -> None:
        """Delete the rows of tracks that ended long ago."""
        keep = np.abs(now - self.time) <= FORGET_AFTER_S
        keep |= np.isin(self.ids, current)
        if keep.all():
            return
        self.ids, self.time, self.frame = self.ids[keep], self.time[keep], self.frame[keep]
        self.boxes, self._marks, self._votes = (
            array[keep] for array in (self.boxes, self._marks, self._votes)
        )
        self._continued = self._continued[keep]
        self.columns = {name: column[:, keep] for name, column in self.columns.items()}
        self._rows.clear()
        self._rows.update({number: row for row, number in enumerate(self.ids.tolist())})


def _positions(boxes: Floats, now: float) -> Floats:
    """Time and bottom centers of boxes (N,4): (N,3)."""
    return np.stack(
        [np.full(len(boxes), now), (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1
    )
