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
from .continuation import Camera, Ended, bottoms, continuation_costs
from .smoothing import smooth

FORGET_AFTER_S = 10.0
"""Time without a track after which it is forgotten, s."""

LONG_AGO_S = 1e12
"""A time before any stream, s; finite, for JSON."""

MIN_MOTION_S = 0.1
"""Duration of a track, s, from which on its velocity is known."""

ROUNDING_S = 1e-6
"""How inexact times are, s."""

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]

FIELDS: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "ids": (np.int64, ()),
    "time": (np.float64, ()),
    "frame": (np.int64, ()),
    "boxes": (np.float64, (4,)),
    "paths": (np.float64, (4,)),
    "_speeds": (np.float64, (4,)),
    "_counts": (np.float64, ()),
    "_began": (np.float64, ()),
    "_camera": (np.float64, (4,)),
    "_successor": (np.int64, ()),
}
"""The arrays of a memory, apart from votes and columns: data type and shape of each row."""


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
        paths: (R,4) the last smoothed box, xyxy, px.
        smoothed: (N,4) the smoothed boxes of the tracks of the last `rows`, px.
        columns: the further arrays, (depth,R) each.
        joins: the tracks of the last `rows` that continue others.
    """

    ids: npt.NDArray[np.int64]
    time: Floats
    frame: npt.NDArray[np.int64]
    boxes: Floats
    paths: Floats
    _speeds: Floats  # (R,4) of the smoothed boxes, px/s
    _counts: Floats  # (R,) boxes that they are smoothed over
    _began: Floats  # (R,) stream time of the first box, s
    _camera: Floats  # (R,4) motion of the camera at the last box
    _successor: npt.NDArray[np.int64]  # (R,) row of the track that continues it, or -1

    def __init__(self, columns: Mapping[str, tuple[Any, Any]], depth: int, max_gap: float) -> None:
        self._initial = {name: np.array(value, kind) for name, (kind, value) in columns.items()}
        self._depth = depth
        self._max_gap = max_gap
        self._next_purge = -math.inf
        self.clear()

    def clear(self) -> None:
        """Forget all tracks."""
        for name, (kind, shape) in FIELDS.items():
            setattr(self, name, np.zeros((0, *shape), kind))
        self._votes = np.zeros((0, 0))  # by class
        self.columns = {
            name: np.zeros((self._depth, 0), value.dtype) for name, value in self._initial.items()
        }
        self.joins: list[Join] = []
        self.smoothed = np.zeros((0, 4))
        self._rows: dict[int, int] = {}
        self._camera_now = Camera()
        self._last_ids, self._last_rows = np.zeros(0, np.int64), np.zeros(0, np.intp)
        self._last_time = -math.inf

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {
            "tracks": packed(self._arrays()),
            "columns": packed(self.columns),
            "camera": self._camera_now.motion.tolist(),
            "times": [max(time, -LONG_AGO_S) for time in (self._last_time, self._next_purge)],
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
        self._began += offset
        self._camera_now.motion[:] = state["camera"]
        self._last_time, self._next_purge = (time + offset for time in state["times"])
        self._rows = {number: row for row, number in enumerate(self.ids.tolist())}

    def _arrays(self) -> dict[str, Any]:
        """The arrays of this memory, by attribute."""
        return {key: value for key, value in vars(self).items() if isinstance(value, np.ndarray)}

    def rows(self, result: Result) -> Rows:
        """The row (N,) of each track of a result; rows are added for new tracks."""
        ids, now = result.tracks.ids, result.frame.time
        self.joins = []
        boxes = result.tracks.boxes.astype(np.float64)
        if not np.array_equal(ids, self._last_ids):
            self._follow_camera(ids, boxes, now)
            self._find(result, boxes, now)
        elif len(ids):
            self._camera_now.follow(
                bottoms(boxes) - bottoms(self.boxes[self._last_rows]), now - self._last_time
            )
        self._last_time = now
        rows = self._last_rows
        self.smoothed, self._speeds[rows], self._counts[rows] = smooth(
            self.paths[rows], self._speeds[rows], self._counts[rows], boxes, now - self.time[rows]
        )
        return rows

    def row(self, track: int) -> int | None:
        """The row of a track; None if it is not known."""
        return self._rows.get(track)

    def store(self, rows: Rows, result: Result) -> None:
        """Take over the boxes and labels of a result, whose tracks have these rows."""
        if len(rows) == 0:
            return
        self.time[rows], self.frame[rows] = result.frame.time, result.frame.index
        self.boxes[rows], self.paths[rows] = result.tracks.boxes, self.smoothed
        self._camera[rows] = self._camera_now.motion
        self._vote(rows, result.tracks.classes)

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
        gone = (now - self.time >= after) & (self._successor < 0)
        return np.flatnonzero(gone).tolist()

    def _vote(self, rows: Rows, classes: npt.NDArray[np.int32]) -> None:
        top = int(classes.max(initial=0))
        if top >= self._votes.shape[1]:
            more = np.zeros((len(self._votes), top + 1 - self._votes.shape[1]))
            self._votes = np.concatenate([self._votes, more], axis=1)
        self._votes[rows, classes] += classes >= 0  # a column of -1 gets no vote

    def _follow_camera(self, ids: npt.NDArray[np.int64], boxes: Floats, now: float) -> None:
        _, old, new = np.intersect1d(self._last_ids, ids, return_indices=True)
        before = self.boxes[self._last_rows[old]]
        self._camera_now.follow(bottoms(boxes[new]) - bottoms(before), now - self._last_time)

    def _find(self, result: Result, boxes: Floats, now: float) -> None:
        """Find the rows of the tracks of a result, and add rows for new ones."""
        ids = result.tracks.ids
        if now >= self._next_purge or now < self._next_purge - 2 * FORGET_AFTER_S:
            self._next_purge = now + FORGET_AFTER_S / 2
            self._purge(now, ids)
        found = [self._rows.get(number, -1) for number in ids.tolist()]
        for row in found:
            if row >= 0 and self._successor[row] >= 0:
                self._return(row, ids)
        new = np.flatnonzero(np.array(found) < 0)
        if len(new):
            self._begin(result, boxes[new], new)
        self._last_ids = ids
        self._last_rows = np.array([self._rows[number] for number in ids.tolist()], np.intp)

    def _return(self, row: int, present: npt.NDArray[np.int64]) -> None:
        """Let a track whose id came back continue those that continued it, unless they still do."""
        last = int(self._successor[row])
        while self._successor[last] >= 0:
            last = int(self._successor[last])
        self._successor[row] = -1
        if self.ids[last] not in present:
            self._continue(last, row)

    def _begin(self, result: Result, boxes: Floats, new: Rows) -> None:
        """Add rows for new tracks (K,), with the contents of those that they continue."""
        tracks, now, count = result.tracks, result.frame.time, len(new)
        sources = self._find_ended(boxes, tracks.classes[new], now, tracks.ids)
        first = len(self.ids)
        added: dict[str, Any] = {
            "ids": tracks.ids[new],
            "time": now,
            "frame": result.frame.index,
            "boxes": boxes,
            "paths": boxes,
            "_speeds": 0.0,
            "_counts": -1.0,  # none yet
            "_began": now,
            "_camera": self._camera_now.motion,
            "_successor": -1,
        }
        for name, (kind, shape) in FIELDS.items():
            values = np.broadcast_to(np.asarray(added[name], kind), (count, *shape))
            setattr(self, name, np.concatenate([getattr(self, name), values]))
        self._votes = np.concatenate([self._votes, np.zeros((count, self._votes.shape[1]))])
        for name, value in self._initial.items():
            cells = np.full((self._depth, count), value)
            self.columns[name] = np.concatenate([self.columns[name], cells], axis=1)
        for n, (number, old) in enumerate(zip(tracks.ids[new].tolist(), sources, strict=True)):
            self._rows[number] = first + n
            if old >= 0:
                self._continue(old, first + n)

    def _continue(self, old: int, new: int) -> None:
        for name in FIELDS:
            if name not in ("ids", "_successor"):
                getattr(self, name)[new] = getattr(self, name)[old]
        self._votes[new] = self._votes[old]
        for column in self.columns.values():
            column[:, new] = column[:, old]
        self._successor[old] = new
        self.joins.append(Join(old, new))

    def _find_ended(
        self,
        boxes: Floats,
        classes: npt.NDArray[np.int32],
        now: float,
        present: npt.NDArray[np.int64],
    ) -> list[int]:
        """For each first box (K,4), the row of the track that it continues, or -1."""
        gaps = now - self.time
        ended = (gaps > 0) & (gaps <= self._max_gap + ROUNDING_S) & (self._successor < 0)
        rows = np.flatnonzero(ended & ~np.isin(self.ids, present))
        found = [-1] * len(boxes)
        if len(rows):
            costs = continuation_costs(self._ended(rows, now), boxes, self._camera_now.motion)
            costs[~self._same_class(rows, classes)] = math.inf
            while costs.min() <= 1:
                row, column = divmod(int(costs.argmin()), len(boxes))
                found[column] = int(rows[row])
                costs[row], costs[:, column] = math.inf, math.inf
        return found

    def _ended(self, rows: Rows, now: float) -> Ended:
        speeds = bottoms(self._speeds[rows])
        known = self.time[rows] - self._began[rows] >= MIN_MOTION_S
        return Ended(
            self.paths[rows],
            np.where(known[:, None], speeds, self._camera[rows, 2:]),
            now - self.time[rows],
            self._camera[rows],
        )

    def _same_class(self, rows: Rows, classes: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Which tracks (K,) had the classes (M,) of new ones at least once: (K,M)."""
        had = self._votes[rows] > 0
        known = np.zeros((len(rows), had.shape[1] + 1), np.bool_)  # of new classes: the last
        known[:, :-1] = had
        column = np.minimum(classes, had.shape[1])
        return np.asarray(known[:, column] | ~known.any(axis=1, keepdims=True) | (classes < 0))

    def _purge(self, now: float, current: npt.NDArray[np.int64]) -> None:
        """Delete the rows of tracks that ended long ago."""
        keep = np.abs(now - self.time) <= FORGET_AFTER_S
        keep |= np.isin(self.ids, current)
        if keep.all():
            return
        number = np.where(keep, np.cumsum(keep) - 1, -1)
        self._successor = np.where(self._successor >= 0, number[self._successor], -1)
        for name in FIELDS:
            setattr(self, name, getattr(self, name)[keep])
        self._votes = self._votes[keep]
        self.columns = {name: column[:, keep] for name, column in self.columns.items()}
        self._rows = {number: row for row, number in enumerate(self.ids.tolist())}
        self._last_ids, self._last_rows = self._last_ids[:0], self._last_rows[:0]
