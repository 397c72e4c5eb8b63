"""Where points of the image are on the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAX_CONDITION = 1e8
"""Ratio of the largest and the smallest singular value of a homography that can be inverted."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundPlane:
    """The homography from an image to a plane.

    Attributes:
        matrix: (3,3); `matrix @ (x, y, 1)` is `(w X, w Y, w)` with `w` positive in front of the
            horizon.
        residual: of the fit: root mean square distance of its points from where they should be, m;
            0 if there are four of them.
    """

    matrix: Floats
    residual: float

    def meters(self, points: Floats) -> Floats:
        """Positions (N,2) of points (N,2) px, m; NaN for points on or beyond the horizon."""
        mapped = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        w = np.where(mapped[:, 2] > 0, mapped[:, 2], np.nan)
        return np.asarray(mapped[:, :2] / w[:, None])

    def noise(self, points: Floats, noise: Floats) -> Floats:
        """Standard deviations (N,) of positions, m, for those (N,2) of the points, px."""
        mapped = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        mapped[mapped[:, 2] == 0, 2] = np.nan
        position = mapped[:, :2] / mapped[:, 2:]
        # The derivative of X = a/w: (da - X dw) / w.
        slopes = self.matrix[None, :2, :2] - position[:, :, None] * self.matrix[None, 2:, :2]
        slopes = slopes / mapped[:, 2, None, None] * noise[:, None, :]
        return np.asarray(np.sqrt((slopes**2).sum(axis=(1, 2))))


def fit_ground(points: Floats, meters: Floats) -> GroundPlane:
    """The plane that fits points best: the normalized direct linear transformation.

    Hartley and Zisserman, Multiple View Geometry in Computer Vision (2nd edition), algorithm 4.2.

    Args:
        points: (N,2) in the image; at least four, of which no three are on one line.
        meters: (N,2) where they are on the ground, m.

    Raises:
        ValueError: there is no such plane.
    """
    (a, from_image), (b, from_ground) = _normalized(points), _normalized(meters)
    zero, one = np.zeros_like(a), np.ones((len(a), 1))
    lifted = np.concatenate([a, one], axis=1)
    blank = np.concatenate([zero, zero[:, :1]], axis=1)
    equations = np.concatenate(
        [
            np.concatenate([lifted, blank, -b[:, :1] * lifted], axis=1),
            np.concatenate([blank, lifted, -b[:, 1:] * lifted], axis=1),
        ]
    )
    solution = np.linalg.svd(equations)[2][-1].reshape(3, 3)
    if np.linalg.cond(solution) > MAX_CONDITION:
        raise ValueError("the points determine no plane: choose points that are further apart")
    matrix = np.linalg.inv(from_ground) @ solution @ from_image
    w = points @ matrix[2, :2] + matrix[2, 2]
    if not ((w > 0).all() or (w < 0).all()):
        raise ValueError("the points do not fit one plane: list both in the same order")
    plane = GroundPlane(matrix / np.copysign(np.abs(w).max(), w[0]), 0.0)
    distances = plane.meters(points) - meters
    return GroundPlane(plane.matrix, float(np.sqrt((distances**2).sum(axis=1).mean())))


def _normalized(points: Floats) -> tuple[Floats, Floats]:
    """Points with their center at 0 and a mean distance of sqrt(2), and the transformation."""
    center = points.mean(axis=0)
    scale = np.sqrt(2) / np.hypot(*(points - center).T).mean()
    x, y = -scale * center
    return (points - center) * scale, np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]])
