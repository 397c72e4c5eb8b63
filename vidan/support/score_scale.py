"""Scores of different models on one scale.

Models differ in the scores of what they find: a person who is certainly one gets 0.4 from one model
and 0.9 from another. Trackers decide by scores which detections start a track, and have the same
thresholds for all models. They therefore get all scores on a common scale, on which two of three
detections with a score of 0.5 are right, as of the public detections of MOT17.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError

Scores = npt.NDArray[np.float32]

MIN_LEVEL, MAX_LEVEL = 0.01, 0.99
"""Bounds of levels that models have."""

MIN_SLOPE, MAX_SLOPE = 0.1, 10.0
"""Bounds of slopes that models have."""

MARGIN = 1e-6
"""Distance from 0 and 1 of the scores that are distinguished."""


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """How the scores of a model map to the common scale, and back.

    A logistic function of the log odds of a score (Platt scaling), with the score `level` at 0.5.

    Attributes:
        level: score of which two of three detections are right, MIN_LEVEL to MAX_LEVEL.
        slope: how fast the log odds of being right increase with those of the score, MIN_SLOPE to
            MAX_SLOPE.

    >>> scale = ScoreScale(level=0.4, slope=2.0)
    >>> [f"{score:.2f}" for score in scale.to_common(np.float32([0.2, 0.4, 0.6]))]
    ['0.12', '0.50', '0.84']
    """

    level: float = 0.5
    slope: float = 1.0

    def to_common(self, scores: Scores) -> Scores:
        """Scores (N,) of the model, in [0,1], on the common scale."""
        return self._map(scores, self.slope, -self.slope * _log_odds(self.level))

    def to_model(self, scores: Scores) -> Scores:
        """Scores (N,) on the common scale as scores of the model: the inverse of `to_common`."""
        return self._map(scores, 1 / self.slope, _log_odds(self.level))

    def _map(self, scores: Scores, slope: float, offset: float) -> Scores:
        if self == COMMON:
            return scores
        inside = np.clip(scores.astype(np.float64), MARGIN, 1 - MARGIN)
        exponent = slope * np.log(inside / (1 - inside)) + offset
        return np.asarray(1 / (1 + np.exp(-exponent)), np.float32)

    @classmethod
    def of(cls, values: Sequence[float]) -> ScoreScale:
        """The scale with a level and a slope, as in options and in metadata.

        Raises:
            ConfigError: other numbers, or one out of bounds.
        """
        bounds = ((MIN_LEVEL, MAX_LEVEL), (MIN_SLOPE, MAX_SLOPE))
        if len(values) == len(bounds) and all(
            low <= value <= high for value, (low, high) in zip(values, bounds, strict=True)
        ):
            return cls(*map(float, values))
        raise ConfigError(
            f"score_scale={list(values)}: expected the level, {MIN_LEVEL} to {MAX_LEVEL}, and the "
            f"slope, {MIN_SLOPE} to {MAX_SLOPE}, such as [0.4, 2.5]"
        )


COMMON = ScoreScale()
"""Of scores that are on the common scale already."""


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))
