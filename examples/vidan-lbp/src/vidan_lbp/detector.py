"""Faces with the cascade of local binary patterns in scikit-image; no neural network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from msgspec import Meta
from skimage import data
from skimage.feature import Cascade

from vidan import ConfigError, Detections, Frame


class Lbp:
    """Detects frontal faces.

    The cascade computes no scores: all are 1.

    Args:
        width: images are scaled to this width, px.
        min_size: side of the smallest face, px of the scaled image.
        scale: ratio of two face sizes.
        neighbors: number of windows that must agree on a face.

    Raises:
        ConfigError: the width is smaller than the smallest face.
    """

    labels = ("face",)

    def __init__(
        self,
        width: int = 320,
        min_size: Annotated[int, Meta(ge=24)] = 32,
        scale: Annotated[float, Meta(gt=1)] = 1.2,
        neighbors: Annotated[int, Meta(ge=1)] = 4,
    ) -> None:
        if width < min_size:
            raise ConfigError(f"width={width}: expected at least min_size={min_size}")
        self._width, self._min_size = width, min_size
        self._scale, self._neighbors = scale, neighbors
        self._cascade = Cascade(data.lbp_frontal_face_cascade_filename())
        self._lock = threading.Lock()  # the cascade has state while it runs

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Detections of each frame."""
        return [self._detect(frame) for frame in frames]

    def close(self) -> None:
        """Nothing to release."""

    def _detect(self, frame: Frame) -> Detections:
        scale = frame.width / self._width
        height = round(frame.height / scale)
        if height < self._min_size:
            return Detections.empty()
        small = frame.resized(self._width, height)
        with self._lock:
            found = self._cascade.detect_multi_scale(
                img=small,
                scale_factor=self._scale,
                step_ratio=1.0,
                min_size=(self._min_size, self._min_size),
                max_size=(height, self._width),
                min_neighbor_number=self._neighbors,
            )
        corners = [[f["c"], f["r"], f["c"] + f["width"], f["r"] + f["height"]] for f in found]
        boxes = np.array(corners, np.float32).reshape(-1, 4) * np.float32(scale)
        limits = np.array([frame.width, frame.height] * 2, np.float32)
        n = len(boxes)
        return Detections(np.clip(boxes, 0, limits), np.ones(n, np.float32), np.zeros(n, np.int32))
