"""The part of an image in which a detector searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vidan.errors import ConfigError
from vidan.frames import Box, Frame
from vidan.types import Detections

Roi = Sequence[float]
"""Left, top, right, bottom: parts of the image if all are in [0,1], or else px."""


class Region:
    """A rectangle in images of any size.

    Only what is in it is scaled to the model's input, so that small objects there are larger
    for the model; or the model can be a smaller, faster one.

    Args:
        roi: left, top, right, bottom; parts of the image if all are in [0,1], or else px.

    Raises:
        ConfigError: it is no such rectangle.
    """

    def __init__(self, roi: Roi) -> None:
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in roi)
        if len(roi) != 4 or not numbers or not np.isfinite(roi).all() or min(roi) < 0:
            raise _wrong(roi)
        if roi[0] >= roi[2] or roi[1] >= roi[3]:
            raise _wrong(roi)
        self._roi = roi
        self._parts = max(roi) <= 1

    def box(self, frame: Frame) -> Box:
        """That part of a frame, in whole px.

        Raises:
            ConfigError: it lies outside the image.
        """
        width, height = frame.width, frame.height
        scale = np.array([width, height] * 2 if self._parts else [1] * 4)
        left, top, right, bottom = (np.array(self._roi) * scale).round().astype(int).tolist()
        right, bottom = min(right, width), min(bottom, height)
        if left >= right or top >= bottom:
            raise ConfigError(
                f"detector.roi={list(self._roi)!r} contains no pixel of an image of "
                f"{width}x{height} px: set left, top, right, bottom inside it"
            )
        return left, top, right, bottom


def moved(found: Detections, box: Box) -> Detections:
    """Detections in a part of an image, in px of the whole image."""
    return replace(found, boxes=found.boxes + np.array(box[:2] * 2, np.float32))


def _wrong(roi: Roi) -> ConfigError:
    return ConfigError(
        f"detector.roi={list(roi)!r}: expected left, top, right, bottom, as parts of the "
        "picture from 0 to 1, such as [0,0.5,1,1] for its lower half, or in px"
    )
