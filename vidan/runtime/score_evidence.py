"""The scale of a model's scores, estimated from a stream.

Objects are detected again in the next frame with a similar score. Wrong detections flicker: their
scores vary, and many are gone. So the fraction of detections that are repeated increases with the
score, from that of wrong detections to that of objects, and the scores in between are those where
the model is unsure. On MOT16-09 and TUD-Campus, with seven models, the middle of the increase is
where half to three quarters of the detections are right.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..boxes import iou
from ..support.score_scale import ScoreScale
from ..types import Detections

BINS = 20
"""Bins of scores, of equal width."""

MIN_REPEATED_IOU, MIN_REPEATED_SCORE = 0.5, 0.8
"""Smallest IoU of a detection and the one that repeats it, and ratio of their scores."""

MIN_REPEATED = 0.4
"""Fraction of all detections that are repeated in a video; below, objects move too far between two
frames, or the images are unrelated, and nothing can be learned."""

MAX_TESTED = 100
"""Detections of a frame that are tested, spread over all scores."""

EVERY_UPDATE_UNTIL, LATER_EVERY = 100, 10
"""All of the first updates are tested, and later one of some: the scene may change."""

STEEPNESS = 3.5
"""How fast the fraction increases with the log odds of the score: a median of seven models."""

SLOPE = 2.5
"""Slope of the scale: a typical one of those that were measured on labeled images."""

MARGIN = 0.3
"""How far the level lies above the middle of the increase, in log odds."""

PRIOR_MIDDLE, PRIOR_DEVIATION = 0.4, 1.0
"""Middle before the stream has shown anything, as a score, and its deviation in log odds."""

PRIOR_RATES, PRIOR_COUNT = (0.72, 0.97), 20.0
"""Fractions of wrong and right detections that are repeated, and in how many each was seen."""

Array = npt.NDArray[np.float64]


def _scale(middle: float) -> ScoreScale:
    """The scale with a middle of the increase, in log odds."""
    return ScoreScale(1 / (1 + math.exp(-middle - MARGIN)), SLOPE)


def _log_odds(probabilities: Array) -> Array:
    return np.asarray(np.log(probabilities / (1 - probabilities)))


_MIDDLES = _log_odds(np.arange(0.1, 0.86, 0.025))
"""Middles to choose from (L,), in log odds."""

_PRIOR = -(((_MIDDLES - np.log(PRIOR_MIDDLE / (1 - PRIOR_MIDDLE))) / PRIOR_DEVIATION) ** 2) / 2
"""Their logarithmic prior probabilities (L,)."""

_WEIGHTS = 1 / (
    1 + np.exp(STEEPNESS * (_MIDDLES[:, None] - _log_odds((np.arange(BINS) + 0.5) / BINS)))
)
"""Fraction of right detections in each bin (L,BINS), for each middle."""


PRIOR_SCALE = _scale(math.log(PRIOR_MIDDLE / (1 - PRIOR_MIDDLE)))
"""Before the stream has shown anything."""


class ScoreEvidence:
    """Estimates the scale from the detections of consecutive frames.

    Attributes:
        scale: as of the last update.
    """

    def __init__(self) -> None:
        self._counts, self._repeated = np.zeros(BINS), np.zeros(BINS)
        self._last = Detections.empty()
        self._lowest = 1.0  # score
        self._updates = 0
        self.scale = PRIOR_SCALE

    def add(self, detections: Detections) -> None:
        """Take in the detections of the next frame."""
        if len(detections):
            self._lowest = min(self._lowest, float(detections.scores.min()))
        due = self._updates < EVERY_UPDATE_UNTIL or self._updates % LATER_EVERY == 0
        if due and len(self._last):
            self._compare(detections)
            shown = self._repeated.sum() >= MIN_REPEATED * self._counts.sum()
            self.scale = self._estimate() if shown else PRIOR_SCALE
        self._updates += 1
        self._last = detections

    def _compare(self, detections: Detections) -> None:
        """Count which detections of the last frame are repeated."""
        last, step = self._last, math.ceil(len(self._last) / MAX_TESTED)
        # Those that the detector's own threshold may hide in the next frame prove nothing.
        tested = np.flatnonzero(last.scores * MIN_REPEATED_SCORE >= self._lowest)[::step]
        scores = last.scores[tested]
        same = iou(last.boxes[tested], detections.boxes) >= MIN_REPEATED_IOU
        same &= detections.scores >= MIN_REPEATED_SCORE * scores[:, None]
        bins = np.minimum((scores * BINS).astype(np.intp), BINS - 1)
        self._counts += np.bincount(bins, minlength=BINS)
        self._repeated += np.bincount(bins, same.any(axis=1), minlength=BINS)

    def _estimate(self) -> ScoreScale:
        """The scale with the most likely middle of the increase."""
        low, high = self._rates()
        rates = np.clip(low[:, None] * (1 - _WEIGHTS) + high[:, None] * _WEIGHTS, 1e-3, 1 - 1e-3)
        gone = self._counts - self._repeated
        likelihood = np.log(rates) @ self._repeated + np.log(1 - rates) @ gone + _PRIOR
        for rate, prior, variance in zip((low, high), PRIOR_RATES, (0.2, 0.03), strict=True):
            likelihood -= PRIOR_COUNT / 2 * (rate - prior) ** 2 / variance
        return _scale(float(_MIDDLES[likelihood.argmax()]))

    def _rates(self) -> tuple[Array, Array]:
        """Fractions of wrong and of right detections that are repeated, (L,) for each middle.

        The least-squares fit of a mixture of both to the fraction of each bin.
        """
        wrong, counts = 1 - _WEIGHTS, self._counts
        a = (counts * wrong**2).sum(axis=1) + PRIOR_COUNT
        b = (counts * wrong * _WEIGHTS).sum(axis=1)
        c = (counts * _WEIGHTS**2).sum(axis=1) + PRIOR_COUNT
        x = wrong @ self._repeated + PRIOR_COUNT * PRIOR_RATES[0]
        y = _WEIGHTS @ self._repeated + PRIOR_COUNT * PRIOR_RATES[1]
        determinant = a * c - b**2
        high = np.clip((a * y - b * x) / determinant, 0.05, 0.995)
        low = np.clip((c * x - b * y) / determinant, 0.02, 0.98)
        return np.minimum(low, high - 0.02), high
