"""Constant-velocity models of box motion: SORT's, DeepSORT's and that of `steady`.

A `MotionModel` defines what is measured of a box and how noisy it is. Its matrices are named as
in a filterpy `KalmanFilter`; the filters in `kalman` run it. All arrays are float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MIN_SIDE_PX = 1e-2
"""Smallest side of a box: an aspect ratio needs a height above 0."""

MAX_COORDINATE_PX = 1e9
"""Largest distance of a box from the origin: float32 can represent it."""


@dataclass(eq=False)
class Matrices:
    """Matrices of a Kalman filter with a state of D numbers, of which the first four are measured.

    Named as in a filterpy `KalmanFilter`, which accepts them unchanged. Importing filterpy takes
    longer than loading a detector, so only the filter that needs it imports it.

    Attributes:
        F: (D,D) transition over one step.
        H: (4,D) measurement of a state.
        P: (D,D) covariance of the initial state.
        Q: (D,D) process noise of one step.
        R: (4,4) measurement noise.
    """

    F: Array
    H: Array
    P: Array
    Q: Array
    R: Array

    @property
    def dim_x(self) -> int:
        """Size of the state: D."""
        return len(self.F)


@dataclass(frozen=True, eq=False)
class MotionModel:
    """A constant-velocity model of boxes.

    The state holds the four measured numbers of a box, then the velocities, per step, of
    those that have one. A step is one frame or a fixed time, as the tracker chooses. The noise
    of the numbers is independent.

    Attributes:
        matrices: of the Kalman filter.
        measure: boxes (N,4) xyxy px to measurements (N,4).
        boxes: measurements (N,4) to boxes (N,4) xyxy px, finite, x1 <= x2 and y1 <= y2.
        positive: (4,) bool, the numbers that must stay above 0: a velocity that would make one
            negative is set to 0 instead.
        unit: index of the number in whose unit the noise is given; None for absolute noise.
        relative: (4,) bool, the numbers whose standard deviations are in that unit.
    """

    matrices: Matrices
    measure: Callable[[Array], Array]
    boxes: Callable[[Array], Array]
    positive: npt.NDArray[np.bool_]
    unit: int | None = None
    relative: npt.NDArray[np.bool_] | None = None

    def after(self, steps: float) -> tuple[Array, Array]:
        """Transition and process noise over several steps: F^n and the sum of F^k Q F^k'.

        F is I + N with N² = 0, so F^n = I + nN, and the sum has a closed form that also holds
        for fractions of a step.

        Args:
            steps: n, above 0.

        Returns:
            (D,D) and (D,D), the latter in units of the noise.
        """
        f, q = self.matrices.F, self.matrices.Q
        n = f - np.eye(len(f))
        linear, square = power_sums(steps)
        noise = steps * q + linear * (n @ q + q @ n.T) + square * (n @ q @ n.T)
        return np.eye(len(f)) + steps * n, noise

    def units(self, positions: Array) -> Array:
        """Unit of the noise of each number: (N,4), positive, from measurements (N,4)."""
        units = np.ones_like(positions)
        if self.unit is not None:
            unit = np.abs(positions[:, self.unit, None])
            np.maximum(unit, MIN_SIDE_PX, out=units, where=self.relative)
        return units


def sort_model() -> MotionModel:
    """SORT's model: center, area and aspect ratio, the last without a velocity.

    State (cx, cy, s, r, cx', cy', s') with s = width x height and r = width / height, from
    Bewley et al. 2016 (arXiv 1602.00763), eq. 1. The paper gives no noise; these are the
    variances of the authors' release, in px², px⁴ and 1.
    """
    matrices = _constant_velocity(
        [0, 1, 2],
        first=np.array([10.0, 10, 10, 10, 1e4, 1e4, 1e4]),
        process=np.array([1.0, 1, 1, 1, 1e-2, 1e-2, 1e-4]),
        measurement=np.array([1.0, 1, 10, 10]),
    )
    positive = np.array([False, False, True, False])
    return MotionModel(matrices, _to_area, _from_area, positive)


def deepsort_model() -> MotionModel:
    """DeepSORT's model: center, aspect ratio and height.

    State (cx, cy, a, h) with a = width / height, and their velocities, from Wojke et al. 2017
    (arXiv 1703.07402), section 2.1. The paper gives no noise; these are the standard
    deviations of the authors' release, in box heights except for a, which has no unit.
    As in the release, the height of a coasting track may become negative and recover; its box
    is then as small as a box can be.
    """
    p, v = 1 / 20, 1 / 160  # of positions and velocities
    p0, v0 = 2 * p, 10 * v
    matrices = _constant_velocity(
        [0, 1, 2, 3],
        first=np.square([p0, p0, 1e-2, p0, v0, v0, 1e-5, v0]),
        process=np.square([p, p, 1e-2, p, v, v, 1e-5, v]),
        measurement=np.square([p, p, 1e-1, p]),
    )
    return MotionModel(
        matrices,
        _to_height,
        _from_height,
        positive=np.zeros(4, np.bool_),
        unit=3,
        relative=np.array([True, True, False, True]),
    )


def steady_model() -> MotionModel:
    """DeepSORT's model adapted to walking people and to detectors with jittering boxes.

    A step is 1/30 s, so the noise does not depend on the frame rate. Measurements of boxes are
    noisier, those of aspect ratios less noisy, and velocities drift half as fast. Sizes stay
    above 0. Chosen by results on MOT17 and MOT15, see docs/tracking.md.
    """
    model = deepsort_model()
    p, v = 1 / 30, 1 / 320
    model.matrices.Q = np.diag(np.square([p, p, 1e-2, p, v, v, 5e-6, v]))
    p = 1 / 8
    model.matrices.R = np.diag(np.square([p, p, 5e-2, p]))
    return replace(model, positive=np.array([False, False, True, True]))


def power_sums(steps: float) -> tuple[float, float]:
    """The sums of k and of k² over 0 <= k < steps."""
    return steps * (steps - 1) / 2, steps * (steps - 1) * (2 * steps - 1) / 6


def _constant_velocity(
    moving: list[int], *, first: Array, process: Array, measurement: Array
) -> Matrices:
    """Matrices over four numbers and the velocities of those in `moving`, from variances."""
    size = 4 + len(moving)
    transition = np.eye(size)
    transition[moving, range(4, size)] = 1.0
    return Matrices(
        transition, np.eye(4, size), np.diag(first), np.diag(process), np.diag(measurement)
    )


def _center_and_size(boxes: Array) -> tuple[Array, Array, Array]:
    """Centers (N,2), widths (N,) and heights (N,) of boxes (N,4), px."""
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], MIN_SIDE_PX)
    return (boxes[:, :2] + boxes[:, 2:]) / 2, size[:, 0], size[:, 1]


def _around(measured: Array, width: Array, height: Array) -> Array:
    """Boxes (N,4) of widths and heights (N,) around the centers in measurements (N,4)."""
    center, half = measured.T[:2], np.array([width, height]) / 2
    boxes = np.concatenate([center - half, center + half])
    return np.asarray(np.minimum(np.maximum(boxes, -MAX_COORDINATE_PX), MAX_COORDINATE_PX)).T


def _to_area(boxes: Array) -> Array:
    center, width, height = _center_and_size(boxes)
    return np.array([center[:, 0], center[:, 1], width * height, width / height]).T


def _from_area(measured: Array) -> Array:
    area, aspect = measured[:, 2], measured[:, 3]
    width = np.sqrt(area * aspect)
    return _around(measured, width, area / width)


def _to_height(boxes: Array) -> Array:
    center, width, height = _center_and_size(boxes)
    return np.array([center[:, 0], center[:, 1], width / height, height]).T


def _from_height(measured: Array) -> Array:
    height = np.maximum(measured[:, 3], MIN_SIDE_PX)
    width = np.maximum(measured[:, 2] * height, MIN_SIDE_PX)
    return _around(measured, width, height)
