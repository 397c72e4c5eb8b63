"""The scale of a detector's scores, measured on labeled images."""

from __future__ import annotations

import math

import numpy as np

from vidan.errors import ConfigError
from vidan.support.score_scale import MARGIN, ScoreScale

from .ranking import RankedDetections

MIN_SCORE = 0.05
"""Lowest score that counts: below are thousands of rightly rejected boxes."""

MIN_COUNT = 30
"""Fewest right detections, and fewest wrong ones, that a scale is fitted to."""

RIGHT_ODDS = 2.0
"""Odds of being right at the level: two of three."""

ITERATIONS = 25


def fit_score_scale(ranking: RankedDetections) -> ScoreScale | None:
    """The scale on which the detections of a ranking are right as often as a scale promises.

    Logistic regression of being right on the log odds of the score, by Newton's method.

    Returns:
        None if there are too few detections, or scores say nothing about being right.
    """
    rows = ranking.scores >= MIN_SCORE
    right = ranking.right[rows].astype(np.float64)
    if min(right.sum(), (1 - right).sum()) < MIN_COUNT:
        return None
    scores = np.clip(ranking.scores[rows].astype(np.float64), MARGIN, 1 - MARGIN)
    terms = np.stack([np.log(scores / (1 - scores)), np.ones(len(scores))])
    slope, offset = weights = np.array([1.0, 0.0])
    for _ in range(ITERATIONS):
        expected = 1 / (1 + np.exp(-(weights @ terms)))
        curvature = (terms * expected * (1 - expected)) @ terms.T + 1e-6 * np.eye(2)
        weights = weights + np.linalg.solve(curvature, terms @ (right - expected))
    slope, offset = weights.tolist()
    try:
        level = 1 / (1 + math.exp((offset - math.log(RIGHT_ODDS)) / slope))
        return ScoreScale.of([round(level, 3), round(slope, 2)])
    except (ConfigError, OverflowError, ZeroDivisionError):
        return None
