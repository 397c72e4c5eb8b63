"""Faces by scikit-image's cascade of local binary patterns: no network, no accelerator."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from skimage import data
from skimage.feature import Cascade

from vidan import ConfigError, Detections, Frame


class Lbp:
    """Finds faces that look into the camera.

    The cascade gives no scores: a face's is 1.

    Args:
        width: images are scaled to this width before they are searched, px.
        smallest: side of the smallest face, px of the scaled image; 24 or more.
        scale: step between two sizes of faces, more than 1.
        neighbors: how many windows must agree on a face.

    Raises:
        ConfigError: an option has a bad value.
    """

    labels = ("face",)

    def __init__(
        self, width: int = 320, smallest: int = 32, scale: float = 1.2, neighbors: int = 4
    ) -> None:
        if smallest < 24 or width < smallest or scale <= 1 or neighbors < 1:
            raise ConfigError(
                "detector: expected smallest >= 24, width >= smallest, scale > 1, neighbors >= 1"
            )
        self._width, self._smallest = width, smallest
        self._scale, self._neighbors = scale, neighbors
        self._cascade = Cascade(data.lbp_frontal_face_cascade_filename())
        self._turn = threading.Lock()  # the cascade keeps state while it works

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Detections of each frame."""
        return [self._look(frame) for frame in frames]

    def close(self) -> None:
        """There is nothing to let go of."""

    def _look(self, frame: Frame) -> Detections:
        scale = frame.width / self._width
        height = round(frame.height / scale)
        if height < self._smallest:
            return Detections.empty()
        small = frame.resized(self._width, height)
        with self._turn:
            found = self._cascade.detect_multi_scale(
                img=small,
                scale_factor=self._scale,
                step_ratio=1.0,
                min_size=(self._smallest, self._smallest),
                max_size=(height, self._width),
                min_neighbor_number=self._neighbors,
            )
        corners = [[f["c"], f["r"], f["c"] + f["width"], f["r"] + f["height"]] for f in found]
        boxes = np.array(corners, np.float32).reshape(-1, 4) * np.float32(scale)
        limits = np.array([frame.width, frame.height] * 2, np.float32)
        n = len(boxes)
        return Detections(np.clip(boxes, 0, limits), np.ones(n, np.float32), np.zeros(n, np.int32))
