"""How the camera moved between two images, by sparse optical flow.

Corners of a small gray image are followed by Lucas and Kanade's method in pyramids, and
RANSAC finds the shift, turn and zoom that most of them agree on (as in BoT-SORT, arXiv
2206.14651, section 3.2).
"""

from __future__ import annotations

import cv2
import numpy as np

from vidan.types import Frame

from .kalman import Kalman
from .motion import Array

WIDTH = 480
"""Of the small image, px; that of a smaller one stays."""

CORNERS = 200
"""Followed at most, 8 px apart or more."""

FEWEST = 12
"""Corners that must agree; else nothing is said of the camera."""

TOLERANCE = 1.5
"""A corner agrees within so many px of the small image."""


class Flow:
    """Compares each look's image with that of the look before."""

    def __init__(self) -> None:
        self._before: cv2.typing.MatLike | None = None

    def follow(self, frame: Frame, kalman: Kalman) -> bool:
        """Move all tracks by what the camera did since the last call; whether that was seen."""
        matrix = self.moved(frame)
        if matrix is not None:
            kalman.move(shifts(matrix, kalman.positions))
        return matrix is not None

    def moved(self, frame: Frame) -> Array | None:
        """How the image moved since the last call.

        Args:
            frame: whose image is looked at, small.

        Returns:
            (2,3): the matrix that takes points (x, y, 1) of the last frame, px, to where they are
            in this one; None in the first, or where too few corners agree.
        """
        size = small(frame.width, frame.height)
        gray = cv2.cvtColor(frame.resized(*size), cv2.COLOR_RGB2GRAY)
        before, self._before = self._before, gray
        if before is None or before.shape != gray.shape:
            return None
        corners = cv2.goodFeaturesToTrack(before, CORNERS, 0.01, 8)
        if corners is None or len(corners) < FEWEST:
            return None
        found, seen, _ = cv2.calcOpticalFlowPyrLK(before, gray, corners, None)  # type: ignore[call-overload]
        good = seen.ravel() == 1
        if good.sum() < FEWEST:
            return None
        matrix, agree = cv2.estimateAffinePartial2D(
            corners[good], found[good], ransacReprojThreshold=TOLERANCE
        )
        if matrix is None or agree.sum() < FEWEST:
            return None
        scale = np.array([frame.width, frame.height]) / size
        matrix[:, :2] *= scale[:, None] / scale
        matrix[:, 2] *= scale
        return np.asarray(matrix, np.float64)


def small(width: int, height: int) -> tuple[int, int]:
    """Width and height, px, of the small image of a frame."""
    less = min(WIDTH / width, 1.0)
    return max(round(width * less), 1), max(round(height * less), 1)


def shifts(matrix: Array, positions: Array) -> Array:
    """By how much tracks move with the camera.

    Args:
        matrix: (2,3), as of `Flow.moved`.
        positions: (N,4): centers, aspect ratios and heights.

    Returns:
        (N,4), to be added; aspect ratios stay, heights go by the zoom.
    """
    off = np.zeros_like(positions)
    off[:, :2] = positions[:, :2] @ matrix[:, :2].T + matrix[:, 2] - positions[:, :2]
    off[:, 3] = positions[:, 3] * (np.sqrt(abs(np.linalg.det(matrix[:, :2]))) - 1.0)
    return off
