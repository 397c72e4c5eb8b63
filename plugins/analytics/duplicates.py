"""Leaves out tracks that begin on top of another, as after a change of the id.

A tracker that loses an object may begin a new track of it while the old one goes on for a moment.
Both are of one object. The new one is left out until the old one has ended, which it then
continues, or until they part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from vidan.boxes import iou
from vidan.types import Result, Tracks

MIN_IOU = 0.5
"""Overlap of two boxes, as intersection over union, from which on they may be of one object."""

KNOWN_S = 10.0
"""Time for which an id is known after its last track, s."""

MIN_IOU_LATER = 0.3
"""The same for a track that is left out already."""


class Duplicates:
    """Finds tracks that begin on top of another of the same class, and those that part from it.

    Args:
        max_time: longest time for which a track is left out, s; 0 to leave out none.
    """

    def __init__(self, max_time: float) -> None:
        self._max_time = max_time
        self._times: dict[int, float] = {}  # when each id was last seen, s
        self._next_purge = -math.inf
        self._originals: dict[int, tuple[int, float]] = {}  # by id: the other id, and since when, s
        self._last: tuple[Tracks, float] | None = None  # of the last result, and its time, s
        self._shown = Tracks.empty()

    def without(self, result: Result) -> Result:
        """The result without the tracks that are left out; called for each once or more often."""
        tracks, now = result.tracks, result.frame.time
        if self._last is None or tracks is not self._last[0] or now != self._last[1]:
            self._last, self._shown = (tracks, now), self._follow(tracks, now)
        return result if self._shown is tracks else replace(result, tracks=self._shown)

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {
            "times": list(self._times.items()),
            "originals": [[number, *other] for number, other in self._originals.items()],
        }

    def restore(self, state: Mapping[str, Any], offset: float) -> None:
        """Continue from a state, whose times are changed by `offset` s."""
        self._times = {number: time + offset for number, time in state["times"]}
        self._next_purge = -math.inf
        self._originals = {n: (other, since + offset) for n, other, since in state["originals"]}

    def _follow(self, tracks: Tracks, now: float) -> Tracks:
        """Take over the tracks of a result; returns those that are not left out."""
        ids = tracks.ids.tolist()
        if self._max_time > 0:
            if self._originals:
                self._part(tracks, now)
            new = [n for n, number in enumerate(ids) if number not in self._times]
            if new:
                self._begin(tracks, np.array(new), now)
        self._times.update(dict.fromkeys(ids, now))
        if now >= self._next_purge:
            self._purge(now)
        if self._originals.keys().isdisjoint(ids):
            return tracks
        return tracks[np.array([number not in self._originals for number in ids])]

    def _purge(self, now: float) -> None:
        """Forget the ids that have not been seen for long."""
        self._next_purge = now + KNOWN_S
        self._times = {n: time for n, time in self._times.items() if now - time <= KNOWN_S}

    def _part(self, tracks: Tracks, now: float) -> None:
        """Stop leaving out tracks that have parted from the other, or that are left alone."""
        index = {number: n for n, number in enumerate(tracks.ids.tolist())}
        for number, (other, since) in list(self._originals.items()):
            if number not in index:
                if now - since > self._max_time:
                    del self._originals[number]
                continue
            alone = other not in index or now - since > self._max_time
            if alone or _overlap(tracks, index[number], index[other]) < MIN_IOU_LATER:
                del self._originals[number]

    def _begin(self, tracks: Tracks, new: npt.NDArray[np.intp], now: float) -> None:
        """Leave out new tracks that are on top of another."""
        others = set(self._originals) | set(tracks.ids[new].tolist())
        old = [n for n, number in enumerate(tracks.ids.tolist()) if number not in others]
        if not old:
            return
        overlaps = iou(tracks.boxes[new], tracks.boxes[old])
        overlaps[tracks.classes[new][:, None] != tracks.classes[old]] = 0
        for n, row in zip(new.tolist(), overlaps, strict=True):
            if row.max() >= MIN_IOU:
                other = int(tracks.ids[old[int(row.argmax())]])
                self._originals[int(tracks.ids[n])] = other, now


def _overlap(tracks: Tracks, one: int, other: int) -> float:
    return float(iou(tracks.boxes[one : one + 1], tracks.boxes[other : other + 1])[0, 0])
