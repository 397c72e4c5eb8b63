"""Camera motion between two images, by sparse optical flow.

Corners of a small gray image are tracked by the pyramidal Lucas-Kanade method, and RANSAC finds
the translation, rotation and zoom that most of them agree on (as in BoT-SORT, arXiv 2206.14651,
section 3.2).
"""

from __future__ import annotations

import cv2
import numpy as np

from vidan.types import Frame

from .kalman import Kalman
from .motion import Array

MAX_WIDTH_PX = 480
"""Width of the small image; a narrower image is not scaled."""

MAX_CORNERS = 200
"""Largest number of corners to track."""

MIN_CORNER_DISTANCE_PX = 8

MIN_CORNER_QUALITY = 0.01
"""Relative to the best corner of the image, as in `cv2.goodFeaturesToTrack`."""

MIN_INLIERS = 12
"""Corners that must agree; with fewer the motion is unknown."""

MAX_INLIER_ERROR_PX = 1.5
"""Largest error of a corner that agrees, in the small image."""


class CameraMotion:
    """Compares the image of each update with the previous one."""

    def __init__(self) -> None:
        self._previous: cv2.typing.MatLike | None = None

    def compensate(self, frame: Frame, kalman: Kalman) -> bool:
        """Move all tracks with the camera; returns False if its motion is unknown."""
        matrix = self.estimate(frame)
        if matrix is not None:
            kalman.move(position_offsets(matrix, kalman.positions))
        return matrix is not None

    def estimate(self, frame: Frame) -> Array | None:
        """Motion of the image since the last call.

        Returns:
            (2,3): the matrix that maps points (x, y, 1) of the last frame, px, to this one; None
            for the first frame, or if too few corners agree.
        """
        size = small_size(frame.width, frame.height)
        gray = cv2.cvtColor(frame.resized(*size), cv2.COLOR_RGB2GRAY)
        previous, self._previous = self._previous, gray
        if previous is None or previous.shape != gray.shape:
            return None
        corners = cv2.goodFeaturesToTrack(
            previous, MAX_CORNERS, MIN_CORNER_QUALITY, MIN_CORNER_DISTANCE_PX
        )
        if corners is None or len(corners) < MIN_INLIERS:
            return None
        moved, status, _ = cv2.calcOpticalFlowPyrLK(previous, gray, corners, None)  # type: ignore[call-overload]
        tracked = status.ravel() == 1
        if tracked.sum() < MIN_INLIERS:
            return None
        matrix, inliers = cv2.estimateAffinePartial2D(
            corners[tracked], moved[tracked], ransacReprojThreshold=MAX_INLIER_ERROR_PX
        )
        if matrix is None or inliers.sum() < MIN_INLIERS:
            return None
        scale = np.array([frame.width, frame.height]) / size
        matrix[:, :2] *= scale[:, None] / scale
        matrix[:, 2] *= scale
        return np.asarray(matrix, np.float64)


def small_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, px, of the small image of a frame."""
    scale = min(MAX_WIDTH_PX / width, 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def position_offsets(matrix: Array, positions: Array) -> Array:
    """How the camera's motion moves tracks.

    Args:
        matrix: (2,3), as `CameraMotion.estimate` returns it.
        positions: (N,4): centers, aspect ratios and heights.

    Returns:
        (N,4), to be added; aspect ratios do not change, heights scale with the zoom.
    """
    offsets = np.zeros_like(positions)
    offsets[:, :2] = positions[:, :2] @ matrix[:, :2].T + matrix[:, 2] - positions[:, :2]
    offsets[:, 3] = positions[:, 3] * (np.sqrt(abs(np.linalg.det(matrix[:, :2]))) - 1.0)
    return offsets
