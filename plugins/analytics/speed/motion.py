"""Speeds from noisy positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MIN_POSITIONS = 4
"""A curve with three coefficients needs one more position for its error to be known."""

PRIOR_WEIGHT = 4
"""Positions that the expected noise counts for beside the observed noise."""

ITERATIONS = 3
"""Of the robust fit; further ones change speeds by less than 0.1 %."""

CAUCHY = 2.385
"""Residual, in standard deviations, of half the weight: 95 % efficiency for normal noise."""

MEDIAN_OF_SQUARES = 0.5
"""Median of squared residuals as a fraction of their mean, for noise along mostly one axis."""


class Motion(NamedTuple):
    """How N objects move; NaN where that is not known.

    Attributes:
        time: (N,) of the estimate, in the middle of the positions, s.
        position: (N,2) then, m.
        velocity: (N,2) then, m/s.
        speed: (N,) m/s.
        error: (N,) standard error of the velocity, m/s.
    """

    time: Floats
    position: Floats
    velocity: Floats
    speed: Floats
    error: Floats


def fit_motion(times: Floats, positions: Floats, noise: Floats, min_span: float) -> Motion:
    """Fit a parabola over time to the positions of each object, by robust regression.

    A chord is shorter than its arc, so that a single slope is too slow in a bend. There are two
    times at which the slopes of a parabola are exact even if the path is a cubic. The speed is the
    mean at these two, which noise changes no more than a single slope.

    Args:
        times: (N,K) s; NaN where there is no position.
        positions: (N,K,2) m.
        noise: (N,K) their expected standard deviations, m: weights, and the least error.
        min_span: time that positions must span, s.
    """
    used = np.isfinite(times)
    first = np.where(used, times, np.inf).min(axis=1)
    last = np.where(used, times, -np.inf).max(axis=1)
    known = (used.sum(axis=1) >= MIN_POSITIONS) & (last - first >= min_span)
    sizes: tuple[tuple[int, ...], ...] = ((), (2,), (2,), (), ())
    motion = Motion(*(np.full((len(times), *size), np.nan) for size in sizes))
    if known.any():
        fitted = _fit(times[known], used[known], positions[known], noise[known])
        for values, found in zip(motion, fitted, strict=True):
            values[known] = found
    return motion


def _fit(
    times: Floats, used: npt.NDArray[np.bool_], positions: Floats, noise: Floats
) -> Iterator[Floats]:
    first, last = np.nanmin(times, axis=1), np.nanmax(times, axis=1)
    center, half = (first + last) / 2, (last - first) / 2
    s = np.where(used, (times - center[:, None]) / half[:, None], 0.0)
    basis = np.stack([np.ones_like(s), s, s**2], axis=2)
    targets = np.concatenate([np.where(used[:, :, None], positions, 0.0), s[:, :, None] ** 3], 2)
    precision = np.where(used, 1 / np.where(used, noise, 1.0) ** 2, 0.0)
    trust, count = np.ones_like(s), used.sum(axis=1)
    for _ in range(ITERATIONS):
        weighted = (basis * (precision * trust)[:, :, None]).transpose(0, 2, 1)
        normal = weighted @ basis
        curves = np.linalg.solve(normal, weighted @ targets)
        offsets = (targets - basis @ curves)[:, :, :2]
        squares = (offsets**2).sum(axis=2) * precision
        trust = _trust(squares, used, count)
    squared = (squares * trust).sum(axis=1) + PRIOR_WEIGHT
    spread = squared / (count - basis.shape[2] + PRIOR_WEIGHT)
    error = np.sqrt(spread * np.linalg.inv(normal)[:, 1, 1]) / half
    # Where the derivative of s**3 equals that of the parabola fitted to it.
    middle = curves[:, 2, 2] / 3
    apart = np.sqrt(np.maximum(middle**2 + curves[:, 1, 2] / 3, 0))
    slope = (curves[:, 1, :2] + 2 * middle[:, None] * curves[:, 2, :2]) / half[:, None]
    bend = 2 * (apart / half)[:, None] * curves[:, 2, :2]
    speed = (np.hypot(*(slope + bend).T) + np.hypot(*(slope - bend).T)) / 2
    powers = np.stack([np.ones_like(middle), middle, middle**2], axis=1)
    yield center + half * middle
    yield (powers[:, None] @ curves[:, :, :2])[:, 0]
    yield slope
    # Noise across the direction of motion lengthens both slopes; its variance is known.
    yield np.sqrt(np.maximum(speed**2 - 4 * error**2, 0))
    yield error


def _trust(squares: Floats, used: npt.NDArray[np.bool_], count: npt.NDArray[np.intp]) -> Floats:
    """Weights (N,K) of positions by their squared residuals in standard deviations."""
    ordered = np.sort(np.where(used, squares, np.inf), axis=1)
    median = ordered[np.arange(len(count)), count // 2]
    scale = np.maximum(median, 1e-12) / MEDIAN_OF_SQUARES
    return np.asarray(1 / (1 + squares / (CAUCHY**2 * scale[:, None])))
