"""DeepSORT: SORT with a deep association metric, Wojke et al. 2017 (arXiv 1703.07402)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from vidan.boxes import iou
from vidan.types import Detections, Frame, Tracks

from . import options
from .appearance import Appearance, Features, Gallery, make_embedder
from .assignment import assign, others
from .kalman import KALMANS
from .motion import Array, deepsort_model
from .roster import Roster

Rows = npt.NDArray[np.intp]

GATE = 9.4877
"""0.95 quantile of chi² with 4 degrees of freedom: the paper's gate on squared distances."""
EMBEDDERS = ("histogram", "onnx", "none")


class DeepSort:
    """Follows boxes by where they are expected and by what they look like.

    Tracks that were seen last match first (the paper's cascade): a detection inside the gate
    of a track's Kalman filter costs the cosine distance to the nearest vector in the track's
    gallery. What is left is matched by overlap with tracks matched in the look before, and
    with those not yet confirmed. Reports confirmed tracks that were matched in this look or
    in the one before. Classes play no part in matching; a track's class is a vote.

    Without any appearance (`embedder=none`, and detections without features) the cost is the
    squared Mahalanobis distance instead (the paper's eq. 5 with lambda = 1).

    Args:
        max_cosine_distance: the highest cosine distance of a match, in [0,2]. The paper's 0.2
            is also the best of 0.15, 0.2 ... 0.4 by IDF1 on MOT16-09 for both embedders.
        nn_budget: vectors kept for each track.
        max_iou_distance: the highest 1 - IoU of a match by overlap, in [0,1].
        max_age: looks in a row without a match after which a track is given up, if exceeded.
            A look is one call of `update`, however many frames lie between two of them.
        n_init: detections that a track needs to be confirmed, without a miss among them.
        embedder: what looks at boxes that come without features: `histogram`, `onnx`, `none`.
        embedder_model: a ReID network for `onnx`: (N,3,H,W) float32 in, (N,D) out.
        kalman: `batched`, all tracks at once, or `filterpy`, a filterpy filter for each.

    Raises:
        ConfigError: a value that cannot be used.
        ModelError: a model that cannot be used.
    """

    def __init__(
        self,
        max_cosine_distance: float = 0.2,
        nn_budget: int = 100,
        max_iou_distance: float = 0.7,
        max_age: int = 30,
        n_init: int = 3,
        embedder: str = "histogram",
        embedder_model: str | None = None,
        kalman: str = "batched",
    ) -> None:
        name = "deepsort"
        self._max_cosine_distance = options.number(
            name, "max_cosine_distance", max_cosine_distance, 0.0, 2.0
        )
        self._budget = options.whole(name, "nn_budget", nn_budget, 1)
        self._max_iou_distance = options.number(
            name, "max_iou_distance", max_iou_distance, 0.0, 1.0
        )
        self._max_age = options.whole(name, "max_age", max_age, 0)
        self._n_init = options.whole(name, "n_init", n_init, 1)
        filters = KALMANS[options.choice(name, "kalman", kalman, KALMANS)]
        options.choice(name, "embedder", embedder, EMBEDDERS)
        self._appearance = Appearance(make_embedder(embedder, embedder_model))
        self._roster = Roster(filters(deepsort_model()))
        self._galleries: dict[int, Gallery] = {}

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The confirmed tracks matched in this look or the one before, oldest first.

        Raises:
            ModelError: features that do not go with those of earlier frames.
        """
        roster = self._roster
        roster.advance(frame)
        features = self._appearance.of(frame, detections)
        rows, columns = self._pair(detections, features)
        roster.match(rows, detections, columns)
        roster.start(detections, others(len(detections), columns))
        confirmed = roster.hits >= self._n_init
        roster.keep((roster.misses == 0) | (confirmed & (roster.misses <= self._max_age)))
        self._remember(features)
        return roster.tracks((roster.hits >= self._n_init) & (roster.misses <= 1))

    def _pair(self, detections: Detections, features: Features | None) -> tuple[Rows, Rows]:
        """Tracks and detections that belong together: rows (K,) and columns (K,)."""
        roster = self._roster
        boxes = detections.boxes.astype(np.float64)
        measured = roster.kalman.model.measure(boxes)
        confirmed = roster.hits >= self._n_init
        partner = np.full(len(roster), -1, np.intp)
        left = np.arange(len(boxes))
        for age in np.unique(roster.misses[confirmed & (roster.misses <= self._max_age)]):
            if len(left) == 0:
                break
            rows = np.flatnonzero(confirmed & (roster.misses == age))
            cost, limit = self._cost(rows, measured[left], features, left)
            left = _take(partner, rows, left, *assign(cost, limit))
        rows = np.flatnonzero((partner < 0) & (~confirmed | (roster.misses == 1)))
        distance = 1.0 - iou(roster.boxes()[rows], boxes[left])
        _take(partner, rows, left, *assign(np.asarray(distance), self._max_iou_distance))
        matched = np.flatnonzero(partner >= 0)
        return matched, partner[matched]

    def _cost(
        self, rows: Rows, measured: Array, features: Features | None, columns: Rows
    ) -> tuple[Array, float]:
        """Costs (K,M) of pairing tracks and detections, infinite outside the gate; the limit."""
        gate = self._roster.kalman.distances(rows, measured)
        inside = gate <= GATE
        if features is None:
            return np.where(inside, gate, math.inf), GATE
        cost = np.full(gate.shape, math.inf)
        for k, track in enumerate(self._roster.ids[rows].tolist()):
            near = np.flatnonzero(inside[k])
            if len(near) and track in self._galleries:
                cost[k, near] = self._galleries[track].distances(features[columns[near]])
        return cost, self._max_cosine_distance

    def _remember(self, features: Features | None) -> None:
        """Put what was seen in this frame into the galleries of the tracks that are left."""
        ids = self._roster.ids.tolist()
        for track in self._galleries.keys() - set(ids):
            del self._galleries[track]
        if features is None:
            return
        for track, row in zip(ids, self._roster.detection.tolist(), strict=True):
            if row >= 0:
                if track not in self._galleries:
                    self._galleries[track] = Gallery(self._budget)
                self._galleries[track].add(features[row])


def _take(partner: Rows, rows: Rows, left: Rows, taken: Rows, columns: Rows) -> Rows:
    """Note pairs of `rows` and `left` in `partner` (N,); what is left of `left` then."""
    partner[rows[taken]] = left[columns]
    return left[others(len(left), columns)]
