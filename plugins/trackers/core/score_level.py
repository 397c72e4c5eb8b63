"""From which score on detections are objects, learned from the stream itself.

Models differ in the scores of what they find: a person may get 0.3 from one and 0.8 from another.
Wrong detections flicker, while objects are detected again in the next update. In MOT17, of the
public detections with scores from 0.5 to 0.6, which are wrong in a third of the cases or more, 90 %
are followed by another one at the same place with DPM, 77 % with FRCNN and 58 % with SDP. With
person-vehicle-bike-2004, whose detections from 0.4 on are right, it is 99 % from 0.2 on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .motion import Array
from .similarity import paired_iou, touching_pairs

BIN = 0.05
"""Width of the bins of scores."""

MIN_LEVEL = 0.2
"""Lowest level: below, steady detections of background are as frequent as objects."""

MIN_REPEATED_RATIO = 0.95
"""Fraction of detections that must be repeated, of those above a level."""

MIN_REPEATED_IOU = 0.5
"""IoU of a detection and the one that repeats it."""

PRIOR_DETECTIONS, PRIOR_REPEATED = 20.0, 18.0
"""Pseudo-counts before the stream has shown anything."""

Scores = npt.NDArray[np.float32]


class ScoreLevel:
    """Lowers a threshold as far as detections below it are repeated in the next update.

    Args:
        threshold: of the option, in [0,1].

    Attributes:
        value: the lowest score from which on detections are repeated; at most the threshold.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._lowest = min(MIN_LEVEL, threshold)
        self.value = threshold
        bins = round((threshold - self._lowest) / BIN)
        self._detections, self._repeated = np.zeros(bins), np.zeros(bins)
        self._last = np.zeros((0, 4)), np.zeros(0, np.intp)  # boxes and bins, from the threshold

    def add(self, boxes: Array, scores: Scores) -> None:
        """Count which of the last update's detections are repeated by boxes (N,4), scores (N,)."""
        last, bins = self._last
        if len(last):
            repeated = np.zeros(len(last), np.bool_)
            old, new = touching_pairs(last, boxes)
            repeated[old[paired_iou(last[old], boxes[new]) >= MIN_REPEATED_IOU]] = True
            count = len(self._detections)
            self._detections += np.bincount(bins, minlength=count)
            self._repeated += np.bincount(bins[repeated], minlength=count)
            self._decide()
        below = np.floor((self._threshold - scores) / BIN).astype(np.intp)
        low = (scores < self._threshold) & (below < len(self._detections))
        self._last = boxes[low], below[low]

    def _decide(self) -> None:
        """Lower the level bin by bin, while enough of the detections above it are repeated."""
        detections = self._detections.cumsum() + PRIOR_DETECTIONS
        ratio = (self._repeated.cumsum() + PRIOR_REPEATED) / detections
        seen = self._detections > 0
        bad = np.append(seen & (ratio < MIN_REPEATED_RATIO), True)
        good = seen[: int(bad.argmax())].nonzero()[0]
        self.value = self._threshold - BIN * (int(good[-1]) + 1 if len(good) else 0)
