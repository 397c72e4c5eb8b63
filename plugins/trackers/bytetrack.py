"""ByteTrack: associating every detection box, Zhang et al. 2022 (arXiv 2110.06864)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from vidan.boxes import iou
from vidan.types import Detections, Frame, Tracks

from .core.assignment import assign_into
from .core.kalman import KALMAN_FILTERS, KalmanName, Rows
from .core.motion import Array, deepsort_model
from .core.score_bands import UnitInterval, check_score_bands
from .core.track_table import TrackTable


class ByteTrack:
    """Tracks boxes by overlap in two stages: high-scoring detections first, then the others.

    A low-scoring detection (a half-occluded person) never starts a track, but can continue one
    that was matched in the previous update (the paper's algorithm 1, without appearance). As in
    the authors' release, a track is confirmed by its second detection, and ends if that is not
    in the next update; in the first update of a stream tracks are confirmed immediately.
    Reports the confirmed tracks matched in this update. Classes do not affect matching; a
    track's class is a vote.

    Args:
        high_score: detections with at least this score are high-scoring, in [0,1].
        low_score: detections below this score are ignored, in [0,1].
        new_score: smallest score of a detection that starts a track, in [0,1].
        min_iou: smallest IoU of a high-scoring detection and its track, in [0,1].
        min_iou_weak: smallest IoU of a low-scoring detection and its track, in [0,1].
        min_iou_new: smallest IoU of a track's first two detections, in [0,1].
        max_age: a track ends after more than this many consecutive updates without a match. An
            update processes one set of detections, however many frames lie between two of them.
        kalman: `batched` computes all tracks at once; `filterpy` uses a filterpy filter per track.

    Attributes:
        table: state of all tracks, including those not reported; read-only.

    Raises:
        ConfigError: `low_score` is above `high_score`.
    """

    def __init__(
        self,
        high_score: UnitInterval = 0.6,
        low_score: UnitInterval = 0.1,
        new_score: UnitInterval = 0.7,
        min_iou: UnitInterval = 0.2,
        min_iou_weak: UnitInterval = 0.5,
        min_iou_new: UnitInterval = 0.3,
        max_age: Annotated[int, Meta(ge=0)] = 30,
        kalman: KalmanName = "batched",
    ) -> None:
        check_score_bands(high_score, low_score)
        self._high_score, self._low_score = high_score, low_score
        self._new_score = new_score
        self._min_iou = min_iou
        self._min_iou_weak = min_iou_weak
        self._min_iou_new = min_iou_new
        self._max_age = max_age
        model = replace(deepsort_model(), positive=np.array([False, False, True, True]))
        self.table = TrackTable(KALMAN_FILTERS[kalman](model))
        self._last_initial_id: int | None = None  # tracks up to it started in the first update

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The confirmed tracks matched in this update, oldest first."""
        table, scores = self.table, detections.scores
        table.advance(frame)
        overlap = np.asarray(iou(table.boxes(), detections.boxes.astype(np.float64)), np.float64)
        partner = np.full(len(table), -1, np.intp)  # row of the detection of each track
        confirmed = self._confirmed()
        high = np.flatnonzero(scores >= self._high_score)
        low = np.flatnonzero((scores >= self._low_score) & (scores < self._high_score))
        high = self._stage(partner, confirmed, high, overlap, self._min_iou)
        recent = confirmed & (table.misses == 1)
        self._stage(partner, recent, low, overlap, self._min_iou_weak)
        high = self._stage(partner, ~confirmed, high, overlap, self._min_iou_new)
        rows = np.flatnonzero(partner >= 0)
        table.match(rows, detections, partner[rows])
        table.start(detections, high[scores[high] >= self._new_score])
        if self._last_initial_id is None:
            self._last_initial_id = len(table)
        confirmed = self._confirmed()
        table.keep((table.misses == 0) | (confirmed & (table.misses <= self._max_age)))
        return table.tracks(self._confirmed() & (table.misses == 0))

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last update, predicted for a frame without detections."""
        return self.table.coast(frame)

    def _confirmed(self) -> npt.NDArray[np.bool_]:
        return (self.table.hits > 1) | (self.table.ids <= (self._last_initial_id or 0))

    def _stage(
        self,
        partner: Rows,
        tracks: npt.NDArray[np.bool_],
        columns: Rows,
        overlap: Array,
        min_iou: float,
    ) -> Rows:
        """Match unmatched tracks in a mask (N,) with detections; returns the detections left."""
        rows = np.flatnonzero(tracks & (partner < 0))
        cost = 1.0 - overlap[np.ix_(rows, columns)]
        return assign_into(partner, rows, columns, cost, 1.0 - min_iou)
