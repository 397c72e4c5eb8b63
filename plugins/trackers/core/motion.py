"""How boxes move: the models of SORT and of DeepSORT.

A `Model` says what is measured of a box, and how sure one is of it; its matrices are named
as in a filterpy `KalmanFilter`, and the filters in `kalman` run it. All is float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SMALLEST = 1e-2
"""Sides of boxes are at least this long, px: an aspect ratio needs a height."""

FARTHEST = 1e9
"""Boxes are kept within this distance of the origin, px: float32 holds it."""


@dataclass(eq=False)
class Matrices:
    """Those of a Kalman filter over a state of D numbers, of which the first four are measured.

    Named as in a filterpy `KalmanFilter`, which takes them as they are. Importing filterpy takes
    longer than loading a detector, so it is left to whoever wants such a filter.

    Attributes:
        F: (D,D) transition by one frame.
        H: (4,D) what is measured of a state.
        P: (D,D) covariance of the first state.
        Q: (D,D) process noise of one frame.
        R: (4,4) measurement noise.
    """

    F: Array
    H: Array
    P: Array
    Q: Array
    R: Array

    @property
    def dim_x(self) -> int:
        """How many numbers a state has: D."""
        return len(self.F)


@dataclass(frozen=True, eq=False)
class Model:
    """A constant-velocity model of boxes.

    The state is the four numbers measured of a box, then the velocities, per step, of
    those that have one. A step is a frame, or a unit of time, as its tracker counts. Noise is
    independent from number to number.

    Attributes:
        matrices: of its Kalman filter.
        measure: boxes (N,4) xyxy px to measurements (N,4).
        boxes: measurements (N,4) to boxes (N,4) xyxy px, finite, x1 <= x2 and y1 <= y2.
        positive: (4,) bool, the numbers that stay above 0: a velocity that would bring one
            there is set to 0 instead.
        unit: the number whose value is the unit of the noise; None where noise is absolute.
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

        F is I + N with N² = 0, so F^n = I + nN, and the sum has a closed form, which serves for
        parts of steps, too.

        Args:
            steps: n, above 0.

        Returns:
            (D,D) and (D,D), the latter in units of the noise.
        """
        f, q = self.matrices.F, self.matrices.Q
        n = f - np.eye(len(f))
        linear, square = sums(steps)
        noise = steps * q + linear * (n @ q + q @ n.T) + square * (n @ q @ n.T)
        return np.eye(len(f)) + steps * n, noise

    def units(self, positions: Array) -> Array:
        """Unit of the noise of each number: (N,4), positive, from measurements (N,4)."""
        units = np.ones_like(positions)
        if self.unit is not None:
            unit = np.abs(positions[:, self.unit, None])
            np.maximum(unit, SMALLEST, out=units, where=self.relative)
        return units


def sort_model() -> Model:
    """The model of SORT: center, area and aspect ratio, the latter without a velocity.

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
    return Model(matrices, _to_area, _from_area, positive=np.array([False, False, True, False]))


def deepsort_model() -> Model:
    """The model of DeepSORT: center, aspect ratio and height.

    State (cx, cy, a, h) with a = width / height, and their velocities, from Wojke et al. 2017
    (arXiv 1703.07402), section 2.1. The paper gives no noise; these are the standard
    deviations of the authors' release: in heights of the box, but for a, which has no unit.
    As there, the height of a coasting track may run below 0 and come back; its box is then
    as small as a box can be.
    """
    p, v = 1 / 20, 1 / 160  # of positions and velocities
    p0, v0 = 2 * p, 10 * v
    matrices = _constant_velocity(
        [0, 1, 2, 3],
        first=np.square([p0, p0, 1e-2, p0, v0, v0, 1e-5, v0]),
        process=np.square([p, p, 1e-2, p, v, v, 1e-5, v]),
        measurement=np.square([p, p, 1e-1, p]),
    )
    return Model(
        matrices,
        _to_height,
        _from_height,
        positive=np.zeros(4, np.bool_),
        unit=3,
        relative=np.array([True, True, False, True]),
    )


def steady_model() -> Model:
    """DeepSORT's model for people who walk on, seen by detectors whose boxes tremble.

    A step is 1/30 s, so that noise is that of people, whatever the frame rate. Measured boxes
    are off by more, aspect ratios by less, and velocities drift half as fast. Sizes stay above
    0. Chosen by what it gives on MOT17 and MOT15, see docs/tracking.md.
    """
    model = deepsort_model()
    p, v = 1 / 30, 1 / 320
    model.matrices.Q = np.diag(np.square([p, p, 1e-2, p, v, v, 5e-6, v]))
    p = 1 / 8
    model.matrices.R = np.diag(np.square([p, p, 5e-2, p]))
    return replace(model, positive=np.array([False, False, True, True]))


def sums(steps: float) -> tuple[float, float]:
    """The sums of k and of k² over k < steps."""
    return steps * (steps - 1) / 2, steps * (steps - 1) * (2 * steps - 1) / 6


def _constant_velocity(
    moving: list[int], *, first: Array, process: Array, measurement: Array
) -> Matrices:
    """Over four numbers and the velocities of those in `moving`; noise by its variances."""
    size = 4 + len(moving)
    transition = np.eye(size)
    transition[moving, range(4, size)] = 1.0
    return Matrices(
        transition, np.eye(4, size), np.diag(first), np.diag(process), np.diag(measurement)
    )


def _center_and_size(boxes: Array) -> tuple[Array, Array, Array]:
    """Centers (N,2), widths (N,) and heights (N,) of boxes (N,4), px."""
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], SMALLEST)
    return (boxes[:, :2] + boxes[:, 2:]) / 2, size[:, 0], size[:, 1]


def _around(measured: Array, width: Array, height: Array) -> Array:
    """Boxes (N,4) of a width and a height (N,) around the centers in measurements (N,4)."""
    center, half = measured.T[:2], np.array([width, height]) / 2
    boxes = np.concatenate([center - half, center + half])
    return np.asarray(np.minimum(np.maximum(boxes, -FARTHEST), FARTHEST)).T


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
    height = np.maximum(measured[:, 3], SMALLEST)
    width = np.maximum(measured[:, 2] * height, SMALLEST)
    return _around(measured, width, height)
