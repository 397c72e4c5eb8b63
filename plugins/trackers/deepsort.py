"""DeepSORT: SORT with a deep association metric, Wojke et al. 2017 (arXiv 1703.07402)."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from msgspec import Meta

from vidan.boxes import iou
from vidan.types import Detections, Frame, Tracks

from .appearance.embedders import Appearance, Features, make_embedder
from .appearance.gallery import Galleries
from .core.assignment import assign_into, unassigned
from .core.kalman import KALMAN_FILTERS, KalmanName, Rows
from .core.motion import Array, deepsort_model
from .core.score_bands import UnitInterval
from .core.track_table import TrackTable

GATE = 9.4877
"""0.95 quantile of chi² with 4 degrees of freedom: the paper's gate on squared distances."""

MIN_UNAMBIGUOUS_IOU = 0.5
"""Smallest IoU of a box and a track without competitors that match without appearance."""


class DeepSort:
    """Tracks boxes by motion and appearance.

    Recently matched tracks are matched first (the paper's cascade): a detection inside the gate
    of a track's Kalman filter costs the cosine distance to the nearest vector in the track's
    gallery. The rest is matched by overlap with tracks matched in the previous update and
    with unconfirmed ones. Reports confirmed tracks that were matched in this update or in
    the previous one. Classes do not affect matching; a track's class is a vote.

    Without appearance (`embedder=none`, and detections without features) the cost is the
    squared Mahalanobis distance instead (the paper's eq. 5 with lambda = 1).

    Args:
        max_cosine_distance: largest cosine distance of a match, in [0,2]. The paper's 0.2
            is also the best of 0.15, 0.2 ... 0.4 by IDF1 on MOT16-09 for both embedders.
        nn_budget: number of appearance vectors kept for each track.
        max_iou_distance: largest 1 - IoU of a match by overlap, in [0,1].
        max_age: a track ends after more than this many consecutive updates without a match. An
            update processes one set of detections, however many frames lie between two of them.
        n_init: consecutive detections that confirm a track.
        embedder: what computes the appearance of boxes without features: `histogram`, `none`,
            the path of a ReID network, (N,3,H,W) float32 to (N,D), in ONNX or OpenVINO IR, or the
            name of one in `vidan models list`, which is downloaded on first use.
        embed_every: a box that motion alone can match is embedded in one of this many updates
            only; 1 is every update, as in the paper. On MOT16-09, 3 saves 40 to 60 % of the
            vectors and changes IDF1 by less than 0.01. Features that come with the detections
            are always used.
        kalman: `batched` computes all tracks at once; `filterpy` uses a filterpy filter per track.
        offline: whether a network that is not there yet must not be downloaded.

    Attributes:
        table: state of all tracks, including those not reported; read-only.
        galleries: appearance vectors of the tracks; read-only.

    Raises:
        ConfigError: there is no such embedder.
        ModelError: the network cannot be used or downloaded.
    """

    def __init__(
        self,
        max_cosine_distance: Annotated[float, Meta(ge=0.0, le=2.0)] = 0.2,
        nn_budget: Annotated[int, Meta(ge=1)] = 100,
        max_iou_distance: UnitInterval = 0.7,
        max_age: Annotated[int, Meta(ge=0)] = 30,
        n_init: Annotated[int, Meta(ge=1)] = 3,
        embedder: str = "histogram",
        embed_every: Annotated[int, Meta(ge=1)] = 3,
        kalman: KalmanName = "batched",
        offline: bool = False,
    ) -> None:
        self._max_cosine_distance = max_cosine_distance
        self._max_iou_distance = max_iou_distance
        self._max_age = max_age
        self._n_init = n_init
        self._embed_every = embed_every
        self._appearance = Appearance(make_embedder(embedder, offline=offline))
        self.galleries = Galleries(nn_budget)
        self.table = TrackTable(KALMAN_FILTERS[kalman](deepsort_model()))

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The confirmed tracks matched in this update or the previous one, oldest first.

        Raises:
            ModelError: the features differ in length from those of earlier frames.
        """
        table = self.table
        table.advance(frame)
        boxes = detections.boxes.astype(np.float64)
        measured = table.kalman.model.measure(boxes)
        partner = np.full(len(table), -1, np.intp)  # row of the detection of each track
        if self._appearance.needs_image(detections):
            self._match_unambiguous(partner, boxes, measured)
        left = unassigned(len(boxes), partner[partner >= 0])
        features = self._appearance.features(frame, detections, left)
        left = self._cascade(partner, left, measured, features)
        self._match_overlap(partner, left, boxes)
        self._apply(partner, detections)
        self._add_to_galleries(features)
        return table.tracks((table.hits >= self._n_init) & (table.misses <= 1))

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last update, predicted for a frame without detections."""
        return self.table.coast(frame)

    def _match_unambiguous(self, partner: Rows, boxes: Array, measured: Array) -> None:
        """Match boxes and tracks without competitors in their gates, unless embedding is due.

        Only tracks matched in the previous update, which come first in the cascade too.
        """
        table = self.table
        recent = np.flatnonzero((table.hits >= self._n_init) & (table.misses == 1))
        inside = table.kalman.distances(recent, measured) <= GATE
        alone = inside & (inside.sum(axis=0) == 1) & (inside.sum(axis=1) == 1)[:, None]
        due = (table.hits[recent] + table.ids[recent]) % self._embed_every == 0  # in turns
        near = iou(table.boxes()[recent], boxes) >= MIN_UNAMBIGUOUS_IOU
        rows, columns = np.nonzero(alone & near & ~due[:, None])
        partner[recent[rows]] = columns

    def _cascade(
        self, partner: Rows, left: Rows, measured: Array, features: Features | None
    ) -> Rows:
        """Match by appearance, recently matched tracks first; returns the detections left."""
        table = self.table
        open_ = (table.hits >= self._n_init) & (table.misses <= self._max_age) & (partner < 0)
        for misses in np.unique(table.misses[open_]):
            if len(left) == 0:
                break
            rows = np.flatnonzero(open_ & (table.misses == misses))
            cost, limit = self._cost(rows, measured[left], features, left)
            left = assign_into(partner, rows, left, cost, limit)
        return left

    def _match_overlap(self, partner: Rows, left: Rows, boxes: Array) -> None:
        """Match by overlap the detections left with recent or unconfirmed tracks."""
        table = self.table
        open_ = (table.misses == 1) | (table.hits < self._n_init)
        rows = np.flatnonzero(open_ & (partner < 0))
        if len(rows) == 0 or len(left) == 0:
            return
        distance = np.asarray(1.0 - iou(table.boxes()[rows], boxes[left]))
        assign_into(partner, rows, left, distance, self._max_iou_distance)

    def _apply(self, partner: Rows, detections: Detections) -> None:
        """Update matched tracks, start new ones, and delete those that have ended."""
        table = self.table
        rows = np.flatnonzero(partner >= 0)
        table.match(rows, detections, partner[rows])
        table.start(detections, unassigned(len(detections), partner[rows]))
        confirmed = table.hits >= self._n_init
        table.keep((table.misses == 0) | (confirmed & (table.misses <= self._max_age)))

    def _cost(
        self, rows: Rows, measured: Array, features: Features | None, columns: Rows
    ) -> tuple[Array, float]:
        """Costs (K,M) of tracks and detections, infinite outside the gate; and their limit."""
        gate = self.table.kalman.distances(rows, measured)
        inside = gate <= GATE
        if features is None:
            return np.where(inside, gate, math.inf), GATE
        k, m = inside.nonzero()
        cost = np.full(gate.shape, math.inf)
        tracks = self.table.ids[rows[k]].tolist()
        cost[k, m] = self.galleries.distances(tracks, features, columns[m])
        return cost, self._max_cosine_distance

    def _add_to_galleries(self, features: Features | None) -> None:
        """Add the features of this frame to the galleries of the remaining tracks."""
        ids, detection = self.table.ids, self.table.detection
        self.galleries.keep(ids.tolist())
        if features is not None:
            matched = detection >= 0
            self.galleries.add(ids[matched].tolist(), features[detection[matched]])
