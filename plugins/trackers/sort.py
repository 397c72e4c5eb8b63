"""SORT: Simple Online and Realtime Tracking, Bewley et al. 2016 (arXiv 1602.00763)."""

from __future__ import annotations

import numpy as np

from vidan import options
from vidan.boxes import iou
from vidan.types import Detections, Frame, Tracks

from .core.assignment import assign_overlaps, others
from .core.kalman import KALMANS
from .core.motion import sort_model
from .core.track_table import TrackTable


class Sort:
    """Follows boxes by their overlap with where a Kalman filter expects them.

    Reports a track only in frames in which it was matched, once it has been matched
    `min_hits` times in a row after its first detection; in the first `min_hits` looks
    of a stream, at once. Classes play no part in matching; a track's class is a vote.

    Args:
        max_age: a track is given up after more than this many looks in a row without a match.
            A look is one call of `update`, however many frames lie between two of them.
        min_hits: matches in a row that a track needs to be reported.
        iou_threshold: the least overlap (IoU) of a detection and its track, in [0,1].
        kalman: `batched`, all tracks at once, or `filterpy`, a filterpy filter for each.

    Raises:
        ConfigError: a value that cannot be used.
    """

    def __init__(
        self,
        max_age: int = 1,
        min_hits: int = 3,
        iou_threshold: float = 0.3,
        kalman: str = "batched",
    ) -> None:
        self._max_age = options.whole("tracker.max_age", max_age, 0)
        self._min_hits = options.whole("tracker.min_hits", min_hits, 0)
        self._iou_threshold = options.number("tracker.iou_threshold", iou_threshold, 0.0, 1.0)
        filters = KALMANS[options.choice("tracker.kalman", kalman, KALMANS)]
        self._roster = TrackTable(filters(sort_model()))
        self._looks = 0

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks matched in this frame, oldest first."""
        roster = self._roster
        self._looks += 1
        roster.advance(frame)
        overlaps = iou(roster.boxes(), detections.boxes.astype(np.float64))
        rows, columns = assign_overlaps(np.asarray(overlaps, np.float64), self._iou_threshold)
        roster.match(rows, detections, columns)
        roster.start(detections, others(len(detections), columns))
        ready = (roster.streak >= self._min_hits) | (self._looks <= self._min_hits)
        tracks = roster.tracks(ready & (roster.misses == 0))
        roster.keep(roster.misses <= self._max_age)
        return tracks

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last look, where they are expected in a frame that has no look."""
        return self._roster.coast(frame)
