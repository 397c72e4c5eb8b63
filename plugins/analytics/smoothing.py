"""Boxes of tracks, smoothed by straight lines.

Detected boxes are noisy in proportion to their size. Each number of a box is smoothed by the
straight line that fits its last values best, which follows steady motion without lag, computed
recursively with the gains of an expanding-memory polynomial filter of degree 1 (Morrison 1969,
"Introduction to Sequential Smoothing and Prediction").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SMOOTHING_S = 0.3
"""How much of the past the lines are fitted to, s."""

MIN_INTERVAL_S = 1e-3
"""Smallest interval that is counted between two boxes of a track, s."""

Floats = npt.NDArray[np.float64]


def smooth(
    paths: Floats, speeds: Floats, counts: Floats, boxes: Floats, seconds: Floats
) -> tuple[Floats, Floats, Floats]:
    """The smoothed boxes after new measurements.

    After a gap longer than `SMOOTHING_S`, the measurement counts alone.

    Args:
        paths: (N,4) smoothed boxes of the last measurements.
        speeds: (N,4) their change, px/s.
        counts: (N,) how many measurements they are smoothed over, from 0 for the first box.
        boxes: (N,4) the new measurements.
        seconds: (N,) time since the last ones, s.

    Returns:
        The new paths, speeds and counts.
    """
    seconds = np.maximum(seconds, MIN_INTERVAL_S)
    counts = np.minimum(counts + 1, SMOOTHING_S / seconds)
    scale = (counts + 1) * (counts + 2)
    gain = np.minimum((4 * counts + 2) / scale, 1.0)
    speed_gain = np.minimum(6 / scale, 1.0) / seconds
    predicted = paths + seconds[:, None] * speeds
    errors = boxes - predicted
    return predicted + gain[:, None] * errors, speeds + speed_gain[:, None] * errors, counts
