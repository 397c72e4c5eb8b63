"""The state of all tracks of a stream, in parallel arrays; every tracker keeps one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidan.types import Detections, Frame, Tracks

from .kalman import Kalman, Rows, predicted_positions
from .label_vote import LabelVote
from .motion import Array

MIN_UPDATE_INTERVAL_S = 1e-3
"""Smallest stream time that is counted from one update to the next."""

MAX_REPORTED_MISSES = np.iinfo(np.int32).max
"""Largest number of misses in a `Tracks`; more are reported as this number."""

MIN_FRAME_RATE, MAX_FRAME_RATE = 1.0, 120.0
"""Frames per second that are plausible; with a clock outside, each frame is one step."""

STEPS_PER_SECOND = 30.0
"""Steps of the motion model per second, for motion by time."""


class TrackTable:
    """All tracks of a stream, oldest first.

    Motion is counted in frames of the stream: after a gap in `frame.index` the filters predict
    across all frames of the gap, so that skipped frames do not distort velocities. Or it is
    counted in stream time, with steps of 1/30 s, so that the noise does not depend on the frame
    rate and frame intervals may vary. Misses are counted in updates (calls of a tracker's
    `update`): a track does not end because a slow detector processed only every fifth frame.

    Args:
        kalman: the filters, without tracks.
        by_time: whether motion is counted in stream time.

    Attributes:
        kalman: states of the tracks.
        ids: (N,) int64, from 1 in each stream, never reused.
        hits: (N,) int64, number of matched detections, including the first.
        streak: (N,) int64, consecutive updates with a match up to the last one; the first
            detection does not count.
        misses: (N,) int64, updates since the last match; 0 if matched in this update.
        detection: (N,) int32, row of the detection matched in this update; -1 if none.
        age: (N,) int64, updates since the first match, including that one.
        unmatched_s: (N,) float64, stream time since the last match, s; 0 if matched now.
    """

    def __init__(self, kalman: Kalman, *, by_time: bool = False) -> None:
        self.kalman = kalman
        self._by_time = by_time
        self.ids = np.zeros(0, np.int64)
        self.hits = np.zeros(0, np.int64)
        self.streak = np.zeros(0, np.int64)
        self.misses = np.zeros(0, np.int64)
        self._scores = np.zeros(0, np.float32)
        self._matched_index = np.zeros(0, np.int64)  # frame.index of the last match
        self.detection = np.zeros(0, np.int32)
        self.age = np.zeros(0, np.int64)
        self.unmatched_s = np.zeros(0, np.float64)
        self._votes = LabelVote()
        self._index = -1  # frame.index of the last update
        self._time: float | None = None  # frame.time of the last update
        self._next_id = 1
        self._reported = np.zeros(0, np.int64)  # ids that the last update reported

    def __len__(self) -> int:
        return len(self.ids)

    def boxes(self) -> Array:
        """Boxes of the tracks: (N,4) float64 xyxy, px."""
        return self.kalman.model.boxes(self.kalman.positions)

    def advance(self, frame: Frame) -> None:
        """Predict all tracks for a frame, and count a miss for each until it is matched."""
        steps = self._steps(frame, max(frame.index - self._index, 1))
        self._index = frame.index
        if len(self):
            self.kalman.predict(steps)
        self.streak[self.misses > 0] = 0
        self.misses += 1
        self.age += 1
        # a clock that stands still or jumps back must not keep tracks forever
        self.unmatched_s += max(frame.time - (self._time or 0.0), MIN_UPDATE_INTERVAL_S)
        self._time = frame.time
        self.detection[:] = -1

    def match(self, rows: Rows, detections: Detections, columns: Rows) -> None:
        """Match the tracks in `rows` (K,) with the detections in `columns` (K,), each once."""
        if len(rows) == 0:
            return
        boxes = detections.boxes.take(columns, axis=0).astype(np.float64)
        scores, classes = detections.scores.take(columns), detections.classes.take(columns)
        self.kalman.update(rows, self.kalman.model.measure(boxes))
        self.hits[rows] += 1
        self.streak[rows] += 1
        self.misses[rows] = 0
        self.unmatched_s[rows] = 0.0
        self._scores[rows] = scores
        self._matched_index[rows] = self._index
        self.detection[rows] = columns
        self._votes.vote(rows, classes, scores)

    def start(self, detections: Detections, columns: Rows) -> None:
        """Start a track with each of the detections in `columns` (K,)."""
        count = len(columns)
        if count == 0:
            return
        boxes = detections.boxes[columns].astype(np.float64)
        self.kalman.start(self.kalman.model.measure(boxes))
        ids = np.arange(self._next_id, self._next_id + count)
        indices = np.full(count, self._index, np.int64)
        self._next_id += count
        self.ids = np.concatenate([self.ids, ids])
        self.hits = np.concatenate([self.hits, np.ones(count, np.int64)])
        self.streak = np.concatenate([self.streak, np.zeros(count, np.int64)])
        self.misses = np.concatenate([self.misses, np.zeros(count, np.int64)])
        self._scores = np.concatenate([self._scores, detections.scores[columns]])
        self._matched_index = np.concatenate([self._matched_index, indices])
        self.detection = np.concatenate([self.detection, columns.astype(np.int32)])
        self.age = np.concatenate([self.age, np.ones(count, np.int64)])
        self.unmatched_s = np.concatenate([self.unmatched_s, np.zeros(count)])
        self._votes.start(detections.classes[columns], detections.scores[columns])

    def keep(self, rows: npt.NDArray[np.bool_]) -> None:
        """Delete all tracks except those in the mask (N,)."""
        if rows.all():
            return
        self.kalman.keep(rows)
        self._votes.keep(rows)
        self.ids, self.hits = self.ids[rows], self.hits[rows]
        self.streak, self.misses = self.streak[rows], self.misses[rows]
        self._scores, self._matched_index = self._scores[rows], self._matched_index[rows]
        self.detection = self.detection[rows]
        self.age, self.unmatched_s = self.age[rows], self.unmatched_s[rows]

    def tracks(self, rows: npt.NDArray[np.bool_]) -> Tracks:
        """A `Tracks` of the tracks in a mask (N,); its `misses` are in frames."""
        reported = rows.nonzero()[0]
        self._reported = self.ids.take(reported)
        return self._snapshot(reported, self.kalman.positions, self._index, self.detection)

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last update at their predicted positions in a later frame.

        This is not an update: states, misses and votes do not change.
        """
        rows = np.isin(self.ids, self._reported).nonzero()[0]
        positions = predicted_positions(self.kalman, self._steps(frame, frame.index - self._index))
        return self._snapshot(rows, positions, frame.index, np.full(len(self), -1, np.int32))

    def _steps(self, frame: Frame, frames: int) -> float:
        """Steps of motion since the last update, which was `frames` frames ago."""
        if not self._by_time or self._time is None or frames < 1:
            return frames
        elapsed = frame.time - self._time
        plausible = frames / MAX_FRAME_RATE <= elapsed <= frames / MIN_FRAME_RATE
        return round(STEPS_PER_SECOND * elapsed, 2) if plausible else frames

    def _snapshot(
        self,
        rows: Rows,
        positions: Array,
        index: int,
        detection: npt.NDArray[np.int32],
    ) -> Tracks:
        """The tracks in `rows` (K,) as of the frame with an index, at positions (N,4)."""
        misses = self.misses.take(rows)
        frames = np.maximum(index - self._matched_index.take(rows), misses)
        frames[misses == 0] = 0  # no update since the match, so no detection was missing
        return Tracks(
            ids=self.ids.take(rows),
            boxes=self.kalman.model.boxes(positions.take(rows, axis=0)).astype(np.float32, "C"),
            scores=self._scores.take(rows),
            classes=self._votes.classes.take(rows),
            misses=np.minimum(frames, MAX_REPORTED_MISSES).astype(np.int32),
            detection=detection.take(rows),
        )
