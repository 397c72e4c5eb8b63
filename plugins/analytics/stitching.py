"""What is remembered of tracks, and which broken tracks are continued by new ones.

A tracker may lose an object and find it again under another id. A new track continues one that
ended shortly before if it begins where the motion of that one leads, is about as large, and was
never seen together with it. It then takes over everything that is remembered of the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.types import Result, Tracks

from .array_state import packed, unpacked
from .continuation import Camera, Ended, bottoms, continuation_costs
from .duplicates import Duplicates
from .smoothing import smooth

FORGET_AFTER_S = 10.0
"""Time without a track after which it is forgotten, s."""

LONG_AGO_S = 1e12
"""A time before any stream, s; finite, for JSON."""

MIN_MOTION_S = 0.1
"""Duration of a track, s, from which on its velocity is known."""

ROUNDING_S = 1e-6
"""How inexact times are, s."""

MAX_BALLOTS = 64
"""Results whose classes are counted at once."""

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]

# One array for all numbers of a track, since it is read and written in each frame.
TIME, FRAME, COUNT, BEGAN = range(4)
BOX, PATH, SPEED = slice(4, 8), slice(8, 12), slice(12, 16)
WIDTH = 16


class Join(NamedTuple):
    """A track that continues another."""

    old: int
    new: int


class Change(NamedTuple):
    """How the rows of a memory changed, before tracks were joined.

    Attributes:
        kept: (R,) which rows were not deleted; None if none was.
        added: number of rows that were added after that.
    """

    kept: npt.NDArray[np.bool_] | None = None
    added: int = 0


class TrackMemory:
    """What is remembered of tracks, one row each, in parallel arrays.

    Analyzers of one stream may share it: the first one to see a result updates it. Boxes are those
    before the last result until `settle` is called, or `update` with the next one, so that the step
    from one to the other is known.

    Args:
        max_gap: longest time between a track and the one that continues it, s; 0 to join none.

    Attributes:
        ids: (R,) int64.
        joins: the tracks of the last result that continue others.
        version: number of changes of the rows so far.
        change: the last one.
    """

    def __init__(self, max_gap: float) -> None:
        self._max_gap = max_gap
        self._next_purge = -LONG_AGO_S
        self._last_time = -LONG_AGO_S
        self.ids = np.zeros(0, np.int64)
        self._past = self._present = np.zeros((0, WIDTH))
        self._votes = np.zeros((0, 0))  # by class
        self._ballots: list[tuple[Rows, npt.NDArray[np.int32]]] = []  # not counted yet
        self._settled = 0  # how many of them are of past results
        self._successors: dict[int, int] = {}  # rows of tracks, and of those that continue them
        self._camera = Camera()
        self._duplicates = Duplicates(max_gap)
        self._index: dict[int, int] = {}
        self._tracks: Tracks | None = None
        self._rows = np.zeros(0, np.intp)
        self.joins: list[Join] = []
        self.version, self.change = 0, Change()

    @property
    def time(self) -> Floats:
        """(R,) stream time of the box, s."""
        return self._past[:, TIME]

    @property
    def frame(self) -> Floats:
        """(R,) index of its frame."""
        return self._past[:, FRAME]

    @property
    def boxes(self) -> Floats:
        """(R,4) the last box before the last result, xyxy, px."""
        return self._past[:, BOX]

    @property
    def paths(self) -> Floats:
        """(R,4) the smoothed box then, xyxy, px."""
        return self._past[:, PATH]

    @property
    def new_boxes(self) -> Floats:
        """(R,4) the last box, that of the last result included, xyxy, px."""
        return self._present[:, BOX]

    @property
    def new_paths(self) -> Floats:
        """(R,4) the smoothed box then, xyxy, px."""
        return self._present[:, PATH]

    @property
    def new_time(self) -> Floats:
        """(R,) stream time then, s: that of the last result for its tracks."""
        return self._present[:, TIME]

    def distinct(self, result: Result) -> Result:
        """The result without tracks that begin on top of others; to be called before `update`."""
        return self._duplicates.without(result)

    def update(self, result: Result) -> Rows:
        """Take over a result, unless it is known already.

        Returns:
            the row (N,) of each of its tracks; rows are added for new ones.
        """
        if result.tracks is self._tracks and result.frame.time == self._last_time:
            return self._rows
        self.settle()
        tracks, now = result.tracks, result.frame.time
        self._tracks, self._last_time = tracks, now
        self._camera.note(now, tracks.ids, tracks.boxes)
        self._find(result)
        self._ballots.append((self._rows, tracks.classes))
        self._present = self._past.copy()
        if len(self._rows):
            self._advance(tracks.boxes.astype(np.float64), now, result.frame.index)
        return self._rows

    def settle(self) -> None:
        """Let the last result be past."""
        self._past = self._present
        self._settled = len(self._ballots)
        if self._settled >= MAX_BALLOTS:
            self._count_votes()

    def row(self, track: int) -> int | None:
        """The row of a track; None if it is not known."""
        return self._index.get(track)

    def label(self, row: int, result: Result) -> str:
        """The label that most boxes of the track had so far; `uncertain` if none had one."""
        self._count_votes()
        votes = self._votes[row]
        best = int(votes.argmax()) if votes.any() else -1
        return result.label(best)

    def labels(self, row: int, result: Result) -> tuple[str, ...]:
        """All labels that boxes of the track had."""
        self._count_votes()
        return tuple(result.label(n) for n in np.flatnonzero(self._votes[row]).tolist())

    def classes(self, rows: Rows) -> npt.NDArray[np.intp]:
        """The class (K,) that most boxes of each track had so far; -1 if none had one."""
        self._count_votes()
        if not self._votes.shape[1]:
            return np.full(len(rows), -1, np.intp)
        votes = self._votes[rows]
        return np.where(votes.any(axis=1), votes.argmax(axis=1), -1)

    def lost(self, now: float, after: float) -> list[int]:
        """Rows of the tracks that ended `after` s ago or more and are not continued."""
        gone = now - self.new_time >= after
        gone[list(self._successors)] = False
        return np.flatnonzero(gone).tolist()

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        self.settle()
        self._count_votes()
        return {
            "tracks": packed({"ids": self.ids, "numbers": self._past, "votes": self._votes}),
            "present": self._rows.tolist(),
            "successors": list(self._successors.items()),
            "camera": self._camera.state(),
            "duplicates": self._duplicates.state(),
            "times": [self._last_time, self._next_purge],
        }

    def restore(self, state: Mapping[str, Any], offset: float) -> None:
        """Continue from a state, whose times are changed by `offset` s.

        Raises:
            ValueError: the state is not one of this memory.
        """
        like = {"ids": self.ids, "numbers": self._past, "votes": self._votes}
        arrays = unpacked(state["tracks"], like)
        self.ids, self._past, self._votes = (arrays[name] for name in like)
        self._past[:, (TIME, BEGAN)] += offset
        self._present = self._past
        self._rows = np.array(state["present"], np.intp)
        self._successors = dict(state["successors"])
        self._camera.restore(state["camera"], offset)
        self._duplicates.restore(state["duplicates"], offset)
        self._last_time, self._next_purge = (time + offset for time in state["times"])
        self._index = {number: row for row, number in enumerate(self.ids.tolist())}

    def _advance(self, measured: Floats, now: float, frame: int) -> None:
        """Take over boxes (N,4) of the tracks of this result."""
        numbers = self._past[self._rows]
        path, speed, numbers[:, COUNT] = smooth(
            numbers[:, PATH],
            numbers[:, SPEED],
            numbers[:, COUNT],
            measured,
            now - numbers[:, TIME],
        )
        numbers[:, TIME], numbers[:, FRAME] = now, frame
        numbers[:, BOX], numbers[:, PATH], numbers[:, SPEED] = measured, path, speed
        self._present[self._rows] = numbers

    def _count_votes(self) -> None:
        """Count the classes of the past results."""
        ballots, self._ballots = self._ballots[: self._settled], self._ballots[self._settled :]
        self._settled = 0
        if not ballots:
            return
        rows, classes = (np.concatenate(values) for values in zip(*ballots, strict=True))
        more = int(classes.max(initial=0)) + 1 - self._votes.shape[1]
        if more > 0:
            self._votes = np.pad(self._votes, ((0, 0), (0, more)))
        voted = classes >= 0
        np.add.at(self._votes, (rows[voted], classes[voted]), 1)

    def _find(self, result: Result) -> None:
        """Find the rows of the tracks of a result, and add rows for new ones."""
        ids, now = result.tracks.ids.tolist(), result.frame.time
        self.joins, kept, added = [], None, 0
        if now >= self._next_purge or now < self._next_purge - 2 * FORGET_AFTER_S:
            self._next_purge = now + FORGET_AFTER_S / 2
            kept = self._purge(now, result.tracks.ids)
        rows = list(map(self._index.get, ids))
        if not self._successors.keys().isdisjoint(rows):
            for row in rows:
                if row in self._successors:
                    self._return(row, ids)
        if None in rows:
            added = rows.count(None)
            self._begin(result, np.array([row is None for row in rows]).nonzero()[0])
            rows = [self._index[number] for number in ids]
        self._rows = np.array(rows, np.intp)
        if kept is not None or added or self.joins:
            self.version, self.change = self.version + 1, Change(kept, added)

    def _return(self, row: int, present: list[int]) -> None:
        """Let a track whose id came back continue those that continued it, unless they still do."""
        last = self._successors.pop(row)
        while last in self._successors:
            last = self._successors[last]
        if int(self.ids[last]) not in present:
            self._continue(last, row)

    def _begin(self, result: Result, new: Rows) -> None:
        """Add rows for new tracks (K,), with the contents of those that they continue."""
        tracks, now, first = result.tracks, result.frame.time, len(self.ids)
        boxes = tracks.boxes[new].astype(np.float64)
        sources = self._find_ended(boxes, tracks.classes[new], now, tracks.ids)
        numbers = np.zeros((len(new), WIDTH))
        numbers[:, TIME] = numbers[:, BEGAN] = now
        numbers[:, FRAME] = result.frame.index
        numbers[:, COUNT] = -1  # none yet
        numbers[:, BOX] = numbers[:, PATH] = boxes
        self._past = np.concatenate([self._past, numbers])
        self.ids = np.concatenate([self.ids, tracks.ids[new]])
        self._votes = np.pad(self._votes, ((0, len(new)), (0, 0)))
        for n, (number, old) in enumerate(zip(tracks.ids[new].tolist(), sources, strict=True)):
            self._index[number] = first + n
            if old >= 0:
                self._continue(old, first + n)

    def _continue(self, old: int, new: int) -> None:
        self._count_votes()
        self._past[new], self._votes[new] = self._past[old], self._votes[old]
        self._successors[old] = new
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
        ended = (gaps > 0) & (gaps <= self._max_gap + ROUNDING_S) & ~np.isin(self.ids, present)
        ended[list(self._successors)] = False
        rows = np.flatnonzero(ended)
        found = [-1] * len(boxes)
        if len(rows):
            *cameras, camera = self._camera.motions(np.append(self.time[rows], now))
            costs = continuation_costs(self._ended(rows, now, np.array(cameras)), boxes, camera)
            costs[~self._same_class(rows, classes)] = math.inf
            while costs.min() <= 1:
                row, column = divmod(int(costs.argmin()), len(boxes))
                found[column] = int(rows[row])
                costs[row], costs[:, column] = math.inf, math.inf
        return found

    def _ended(self, rows: Rows, now: float, cameras: Floats) -> Ended:
        numbers = self._past[rows]
        known = numbers[:, TIME] - numbers[:, BEGAN] >= MIN_MOTION_S
        return Ended(
            numbers[:, PATH],
            np.where(known[:, None], bottoms(numbers[:, SPEED]), cameras[:, 2:]),
            now - numbers[:, TIME],
            cameras,
        )

    def _same_class(self, rows: Rows, classes: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Which tracks (K,) had the classes (M,) of new ones at least once: (K,M)."""
        self._count_votes()
        had = self._votes[rows] > 0
        known = np.zeros((len(rows), had.shape[1] + 1), np.bool_)  # of new classes: the last
        known[:, :-1] = had
        column = np.minimum(classes, had.shape[1])
        return np.asarray(known[:, column] | ~known.any(axis=1, keepdims=True) | (classes < 0))

    def _purge(self, now: float, current: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_] | None:
        """Delete the rows of tracks that ended long ago, before the last result.

        Returns:
            which rows (R,) were kept; None if all were.
        """
        kept = np.abs(now - self.time) <= FORGET_AFTER_S
        kept |= np.isin(self.ids, current)
        kept[self._rows] = True
        if kept.all():
            return None
        self._count_votes()
        number = np.where(kept, np.cumsum(kept) - 1, -1).tolist()
        self._successors = {
            number[old]: number[new]
            for old, new in self._successors.items()
            if kept[old] and kept[new]
        }
        self.ids, self._past, self._votes = self.ids[kept], self._past[kept], self._votes[kept]
        self._index = {number: row for row, number in enumerate(self.ids.tolist())}
        return kept


def shared_memory(
    shared: MutableMapping[str, Any] | None, max_gap: float, size: tuple[int, int]
) -> TrackMemory:
    """The memory of the tracks of a stream, which all analyzers use that join tracks alike.

    Args:
        shared: what these analyzers have in common; None for a memory of its own.
        max_gap: longest time between a track and the one that continues it, s.
        size: width and height of the frames, px; if it changes, there is a new memory.
    """
    if shared is None:
        return TrackMemory(max_gap)
    key = f"tracks joined within {max_gap} s"
    known = shared.get(key)
    if known is None or known[0] != size:
        shared[key] = known = size, TrackMemory(max_gap)
    memory: TrackMemory = known[1]
    return memory
