"""DeepSORT: SORT with a deep association metric, Wojke et al. 2017 (arXiv 1703.07402)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.boxes import iou
from vidan.types import Detections, Frame, Tracks

from .appearance.embedders import Appearance, Features, make_embedder
from .appearance.gallery import Galleries
from .core.assignment import give, others
from .core.kalman import KALMANS
from .core.motion import Array, deepsort_model
from .core.track_table import TrackTable

Rows = npt.NDArray[np.intp]

GATE = 9.4877
"""0.95 quantile of chi² with 4 degrees of freedom: the paper's gate on squared distances."""
SURE = 0.5
"""Overlap (IoU) from which a box and a track that have nobody else need no second opinion."""
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
        max_age: a track comes back at most this many looks after its last match. A look is one
            call of `update`, however many frames lie between two of them.
        n_init: detections that a track needs to be confirmed, without a miss among them.
        embedder: what looks at boxes that come without features: `histogram`, `onnx`, `none`.
        embedder_model: a ReID network for `onnx`: (N,3,H,W) float32 in, (N,D) out.
        embed_every: a box that stands alone, so that motion says whose it is, is embedded in one
            of this many looks only; 1 is every look, as in the paper. On MOT16-09, 3 saves 40
            to 60 % of the vectors and changes IDF1 by less than 0.01. Features that come with
            the detections are always used.
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
        embed_every: int = 3,
        kalman: str = "batched",
    ) -> None:
        self._max_cosine_distance = options.number(
            "tracker.max_cosine_distance", max_cosine_distance, 0.0, 2.0
        )
        self._galleries = Galleries(options.whole("tracker.nn_budget", nn_budget, 1))
        self._max_iou_distance = options.number(
            "tracker.max_iou_distance", max_iou_distance, 0.0, 1.0
        )
        self._max_age = options.whole("tracker.max_age", max_age, 0)
        self._n_init = options.whole("tracker.n_init", n_init, 1)
        filters = KALMANS[options.choice("tracker.kalman", kalman, KALMANS)]
        self._embed_every = options.whole("tracker.embed_every", embed_every, 1)
        options.choice("tracker.embedder", embedder, EMBEDDERS)
        self._appearance = Appearance(make_embedder(embedder, embedder_model))
        self._roster = TrackTable(filters(deepsort_model()))

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The confirmed tracks matched in this look or the one before, oldest first.

        Raises:
            ModelError: features that do not go with those of earlier frames.
        """
        roster = self._roster
        roster.advance(frame)
        boxes = detections.boxes.astype(np.float64)
        measured = roster.kalman.model.measure(boxes)
        partner = np.full(len(roster), -1, np.intp)  # row of the detection of each track
        if self._appearance.embeds(detections):
            self._settle(partner, boxes, measured)
        left = others(len(boxes), partner[partner >= 0])
        features = self._appearance.of(frame, detections, left)
        left = self._cascade(partner, left, measured, features)
        self._overlap(partner, left, boxes)
        self._conclude(partner, detections)
        self._remember(features)
        return roster.tracks((roster.hits >= self._n_init) & (roster.misses <= 1))

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last look, where they are expected in a frame that has no look."""
        return self._roster.coast(frame)

    def _settle(self, partner: Rows, boxes: Array, measured: Array) -> None:
        """Pair boxes and tracks that are alone in each other's gate, and need no look now.

        Only tracks seen in the last look count, since they come first in the cascade too.
        """
        roster = self._roster
        seen = np.flatnonzero((roster.hits >= self._n_init) & (roster.misses == 1))
        inside = roster.kalman.distances(seen, measured) <= GATE
        alone = inside & (inside.sum(axis=0) == 1) & (inside.sum(axis=1) == 1)[:, None]
        due = (roster.hits[seen] + roster.ids[seen]) % self._embed_every == 0  # by turns
        sure = iou(roster.boxes()[seen], boxes) >= SURE
        rows, columns = np.nonzero(alone & sure & ~due[:, None])
        partner[seen[rows]] = columns

    def _cascade(
        self, partner: Rows, left: Rows, measured: Array, features: Features | None
    ) -> Rows:
        """Pair by appearance, tracks that were seen last first; what is left of `left` then."""
        roster = self._roster
        open_ = (roster.hits >= self._n_init) & (roster.misses <= self._max_age) & (partner < 0)
        for age in np.unique(roster.misses[open_]):
            if len(left) == 0:
                break
            rows = np.flatnonzero(open_ & (roster.misses == age))
            cost, limit = self._cost(rows, measured[left], features, left)
            left = give(partner, rows, left, cost, limit)
        return left

    def _overlap(self, partner: Rows, left: Rows, boxes: Array) -> None:
        """Pair by overlap what is left with tracks seen in the last look or not confirmed."""
        roster = self._roster
        open_ = (roster.misses == 1) | (roster.hits < self._n_init)
        rows = np.flatnonzero(open_ & (partner < 0))
        if len(rows) == 0 or len(left) == 0:
            return
        distance = np.asarray(1.0 - iou(roster.boxes()[rows], boxes[left]))
        give(partner, rows, left, distance, self._max_iou_distance)

    def _conclude(self, partner: Rows, detections: Detections) -> None:
        """Update matched tracks, begin new ones, and forget those that are given up."""
        roster = self._roster
        rows = np.flatnonzero(partner >= 0)
        roster.match(rows, detections, partner[rows])
        roster.start(detections, others(len(detections), partner[rows]))
        confirmed = roster.hits >= self._n_init
        roster.keep((roster.misses == 0) | (confirmed & (roster.misses <= self._max_age)))

    def _cost(
        self, rows: Rows, measured: Array, features: Features | None, columns: Rows
    ) -> tuple[Array, float]:
        """Costs (K,M) of pairing tracks and detections, infinite outside the gate; the limit."""
        gate = self._roster.kalman.distances(rows, measured)
        inside = gate <= GATE
        if features is None:
            return np.where(inside, gate, math.inf), GATE
        k, m = inside.nonzero()
        cost = np.full(gate.shape, math.inf)
        tracks = self._roster.ids[rows[k]].tolist()
        cost[k, m] = self._galleries.distances(tracks, features, columns[m])
        return cost, self._max_cosine_distance

    def _remember(self, features: Features | None) -> None:
        """Put what was seen in this frame into the galleries of the tracks that are left."""
        ids, detection = self._roster.ids, self._roster.detection
        self._galleries.keep(ids.tolist())
        if features is not None:
            seen = detection >= 0
            self._galleries.add(ids[seen].tolist(), features[detection[seen]])
