"""The tracks of one stream: what every tracker keeps of them, in parallel arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidan.types import Detections, Frame, Tracks

from .kalman import Kalman, Rows, predicted
from .label_vote import ClassVotes
from .motion import Array

SHORTEST = 1e-3
"""At least this much stream time, s, passes from look to look."""

MOST = np.iinfo(np.int32).max
"""More misses count as that many."""

SLOWEST, FASTEST = 1.0, 120.0
"""Frames per second that a clock is believed; beyond, or where it stands still, it is 30."""

STEPS = 30.0
"""Steps in a second, where motion goes by time."""


class TrackTable:
    """All tracks of a stream, oldest first.

    Motion goes by the frames of the stream: after a gap in `frame.index` the filters step
    over all the frames in it, so that frames left out do not bend velocities. Or it goes by
    the stream's time: a step is 1/30 s then, so that noise does not depend on the frame rate,
    nor the filters on frames that come at their own pace. Patience goes
    by looks, calls of a tracker's `update`: a track is not given up because a slow detector
    saw only every fifth frame.

    Args:
        kalman: the filters, without tracks.
        by_time: whether motion goes by time.

    Attributes:
        kalman: states of the tracks.
        ids: (N,) int64, counted from 1 in each stream, never used again.
        hits: (N,) int64, matched detections, the first included.
        streak: (N,) int64, looks in a row with a match, up to the last one; the first
            detection does not count.
        misses: (N,) int64, looks since the last match; 0 is matched now.
        detection: (N,) int32, row of the detection matched now; -1 is none.
        looks: (N,) int64, looks since the first match, that one included.
        away: (N,) float64, s of stream time since the last match; 0 is matched now.
    """

    def __init__(self, kalman: Kalman, *, by_time: bool = False) -> None:
        self.kalman = kalman
        self._by_time = by_time
        self.ids = np.zeros(0, np.int64)
        self.hits = np.zeros(0, np.int64)
        self.streak = np.zeros(0, np.int64)
        self.misses = np.zeros(0, np.int64)
        self._scores = np.zeros(0, np.float32)
        self._seen = np.zeros(0, np.int64)  # frame.index of the last match
        self.detection = np.zeros(0, np.int32)
        self.looks = np.zeros(0, np.int64)
        self.away = np.zeros(0, np.float64)
        self._votes = ClassVotes()
        self._index = -1  # frame.index of the last look
        self._time: float | None = None  # frame.time of the last look
        self._next_id = 1
        self._shown = np.zeros(0, np.int64)  # ids of the tracks of the last look

    def __len__(self) -> int:
        return len(self.ids)

    def boxes(self) -> Array:
        """Boxes of the tracks: (N,4) float64 xyxy, px."""
        return self.kalman.model.boxes(self.kalman.positions)

    def advance(self, frame: Frame) -> None:
        """Move on to a frame: predict, and count a miss for each track until it is matched."""
        steps = self._steps(frame, max(frame.index - self._index, 1))
        self._index = frame.index
        if len(self):
            self.kalman.predict(steps)
        self.streak[self.misses > 0] = 0
        self.misses += 1
        self.looks += 1
        # a clock that stands still or jumps back must not keep tracks for ever
        self.away += max(frame.time - (self._time or 0.0), SHORTEST)
        self._time = frame.time
        self.detection[:] = -1

    def match(self, rows: Rows, detections: Detections, columns: Rows) -> None:
        """Give the tracks in `rows` (K,) the detections in `columns` (K,), each once."""
        if len(rows) == 0:
            return
        boxes = detections.boxes.take(columns, axis=0).astype(np.float64)
        scores, classes = detections.scores.take(columns), detections.classes.take(columns)
        self.kalman.update(rows, self.kalman.model.measure(boxes))
        self.hits[rows] += 1
        self.streak[rows] += 1
        self.misses[rows] = 0
        self.away[rows] = 0.0
        self._scores[rows] = scores
        self._seen[rows] = self._index
        self.detection[rows] = columns
        self._votes.vote(rows, classes, scores)

    def start(self, detections: Detections, columns: Rows) -> None:
        """Begin a track with each of the detections in `columns` (K,)."""
        count = len(columns)
        if count == 0:
            return
        boxes = detections.boxes[columns].astype(np.float64)
        self.kalman.start(self.kalman.model.measure(boxes))
        ids = np.arange(self._next_id, self._next_id + count)
        self._next_id += count
        self.ids = np.concatenate([self.ids, ids])
        self.hits = np.concatenate([self.hits, np.ones(count, np.int64)])
        self.streak = np.concatenate([self.streak, np.zeros(count, np.int64)])
        self.misses = np.concatenate([self.misses, np.zeros(count, np.int64)])
        self._scores = np.concatenate([self._scores, detections.scores[columns]])
        self._seen = np.concatenate([self._seen, np.full(count, self._index, np.int64)])
        self.detection = np.concatenate([self.detection, columns.astype(np.int32)])
        self.looks = np.concatenate([self.looks, np.ones(count, np.int64)])
        self.away = np.concatenate([self.away, np.zeros(count)])
        self._votes.start(detections.classes[columns], detections.scores[columns])

    def keep(self, rows: npt.NDArray[np.bool_]) -> None:
        """Forget all tracks but those of the mask (N,)."""
        if rows.all():
            return
        self.kalman.keep(rows)
        self._votes.keep(rows)
        self.ids, self.hits = self.ids[rows], self.hits[rows]
        self.streak, self.misses = self.streak[rows], self.misses[rows]
        self._scores, self._seen = self._scores[rows], self._seen[rows]
        self.detection = self.detection[rows]
        self.looks, self.away = self.looks[rows], self.away[rows]

    def tracks(self, rows: npt.NDArray[np.bool_]) -> Tracks:
        """What is to be said of the tracks of a mask (N,); `misses` there counts frames."""
        shown = rows.nonzero()[0]
        self._shown = self.ids.take(shown)
        return self._said(shown, self.kalman.positions, self._index, self.detection)

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last look, where they are expected in a later frame.

        It is no look: states, patience and the votes stay as they are.
        """
        rows = np.isin(self.ids, self._shown).nonzero()[0]
        positions = predicted(self.kalman, self._steps(frame, frame.index - self._index))
        return self._said(rows, positions, frame.index, np.full(len(self), -1, np.int32))

    def _steps(self, frame: Frame, frames: int) -> float:
        """How many steps of motion a frame is on from the last look, being so many frames on."""
        if not self._by_time or self._time is None or frames < 1:
            return frames
        passed = frame.time - self._time
        steady = frames / FASTEST <= passed <= frames / SLOWEST
        return round(STEPS * passed, 2) if steady else frames

    def _said(
        self,
        rows: Rows,
        positions: Array,
        index: int,
        detection: npt.NDArray[np.int32],
    ) -> Tracks:
        misses = self.misses.take(rows)
        since = np.maximum(index - self._seen.take(rows), misses)
        since[misses == 0] = 0  # nobody has looked since, and so not missed it
        return Tracks(
            ids=self.ids.take(rows),
            boxes=self.kalman.model.boxes(positions.take(rows, axis=0)).astype(np.float32, "C"),
            scores=self._scores.take(rows),
            classes=self._votes.classes.take(rows),
            misses=np.minimum(since, MOST).astype(np.int32),
            detection=detection.take(rows),
        )
