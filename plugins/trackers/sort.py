"""SORT: Simple Online and Realtime Tracking, Bewley et al. 2016 (arXiv 1602.00763)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta

from vidan.boxes import iou
from vidan.types import Detections, Frame, Tracks

from .core.assignment import assign_overlaps, unassigned
from .core.kalman import KALMAN_FILTERS, KalmanName
from .core.motion import sort_model
from .core.score_bands import UnitInterval
from .core.track_table import TrackTable


class Sort:
    """Tracks boxes by their overlap with the prediction of a Kalman filter.

    Reports a track only in frames in which it was matched, and only after `min_hits`
    consecutive matches following its first detection; in the first `min_hits` updates
    of a stream, immediately. Classes do not affect matching; a track's class is a vote.

    Args:
        max_age: a track ends after more than this many consecutive updates without a match. An
            update processes one set of detections, however many frames lie between two of them.
        min_hits: consecutive matches before a track is reported.
        iou_threshold: smallest IoU of a detection and its track, in [0,1].
        kalman: `batched` computes all tracks at once; `filterpy` uses a filterpy filter per track.

    Attributes:
        table: state of all tracks, including those not reported; read-only.
    """

    def __init__(
        self,
        max_age: Annotated[int, Meta(ge=0)] = 1,
        min_hits: Annotated[int, Meta(ge=0)] = 3,
        iou_threshold: UnitInterval = 0.3,
        kalman: KalmanName = "batched",
    ) -> None:
        self._max_age = max_age
        self._min_hits = min_hits
        self._iou_threshold = iou_threshold
        self.table = TrackTable(KALMAN_FILTERS[kalman](sort_model()))
        self._updates = 0

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks matched in this frame, oldest first."""
        table = self.table
        self._updates += 1
        table.advance(frame)
        overlaps = iou(table.boxes(), detections.boxes.astype(np.float64))
        rows, columns = assign_overlaps(np.asarray(overlaps, np.float64), self._iou_threshold)
        table.match(rows, detections, columns)
        table.start(detections, unassigned(len(detections), columns))
        ready = (table.streak >= self._min_hits) | (self._updates <= self._min_hits)
        tracks = table.tracks(ready & (table.misses == 0))
        table.keep(table.misses <= self._max_age)
        return tracks

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last update, predicted for a frame without detections."""
        return self.table.coast(frame)
