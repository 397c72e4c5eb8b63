"""How far predictions of unmatched tracks can be trusted, learned from the stream itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .kalman import Rows

MISS_BINS = 256
"""Numbers of consecutive misses that are counted separately; the last bin holds all above."""

PRIOR_PREDICTIONS, PRIOR_CONFIRMED = 10.0, 3.0
"""Pseudo-counts before the stream has shown anything: 3 of 10 predictions were confirmed.

A wrong box costs as much as a right one gains, so the credit is small: with a threshold of
0.25, two failed predictions stop coasting until others are confirmed.
"""

MIN_CONFIRMING_IOU = 0.5
"""Smallest IoU of a predicted box with the new detection that confirms the prediction."""


class CoastingTrust:
    """Counts, per number of consecutive misses, how often predicted tracks were found again.

    When a track comes back close to its prediction, all its predictions since the last match are
    confirmed; when it never comes back, none is. The ratio tells whether it is worth showing
    tracks with that many misses in this stream. It is high if the detector misses single frames,
    and low if the camera swings or people leave the image.
    """

    def __init__(self) -> None:
        self._predictions = np.zeros(MISS_BINS)
        self._confirmed = np.zeros(MISS_BINS)

    def add_predictions(self, misses: npt.NDArray[np.int64]) -> None:
        """Count the predictions of an update: the misses (K,) of its tracks, each 1 or more."""
        bins = np.minimum(misses, MISS_BINS - 1)
        self._predictions += np.bincount(bins, minlength=MISS_BINS)

    def add_returns(self, misses: npt.NDArray[np.int64], overlap: npt.NDArray[np.float64]) -> None:
        """Count tracks that came back after misses (K,), with IoU (K,) to their prediction."""
        bins = np.minimum(misses[overlap >= MIN_CONFIRMING_IOU], MISS_BINS - 1)
        confirmed = np.bincount(bins, minlength=MISS_BINS)
        self._confirmed[1:] += np.cumsum(confirmed[:0:-1])[::-1]  # all since the last match

    def confirmed_ratio(self, misses: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Ratio (K,) of confirmed predictions, in [0,1], after misses (K,)."""
        k: Rows = np.minimum(misses, MISS_BINS - 1)
        confirmed = self._confirmed[k] + PRIOR_CONFIRMED
        return np.asarray(confirmed / (self._predictions[k] + PRIOR_PREDICTIONS))
