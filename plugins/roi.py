"""The part of an image that a detector searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vidan.errors import ConfigError
from vidan.frames import Box, Frame
from vidan.types import Detections

Roi = Sequence[float]
"""Left, top, right, bottom: fractions of the image if all are in [0,1], otherwise px."""


class Region:
    """A rectangle in images of any size.

    Only what is inside is scaled to the model's input. Small objects are then larger there, or
    the model can be a smaller and faster one.

    Args:
        roi: left, top, right, bottom; fractions of the image if all are in [0,1], otherwise px.

    Raises:
        ConfigError: it is not a rectangle.
    """

    def __init__(self, roi: Roi) -> None:
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in roi)
        valid = len(roi) == 4 and numbers and np.isfinite(roi).all() and min(roi) >= 0
        if not valid or roi[0] >= roi[2] or roi[1] >= roi[3]:
            raise ConfigError(
                f"roi={list(roi)!r}: expected left, top, right, bottom, as fractions of the "
                "image from 0 to 1, such as [0,0.5,1,1] for its lower half, or in px"
            )
        self._roi = roi
        self._relative = max(roi) <= 1

    def box(self, frame: Frame) -> Box:
        """The rectangle in a frame, in whole px.

        Raises:
            ConfigError: it lies outside the image.
        """
        width, height = frame.width, frame.height
        scale = np.array([width, height] * 2 if self._relative else [1] * 4)
        left, top, right, bottom = (np.array(self._roi) * scale).round().astype(int).tolist()
        right, bottom = min(right, width), min(bottom, height)
        if left >= right or top >= bottom:
            raise ConfigError(
                f"roi={list(self._roi)!r} contains no pixel of an image of {width}x{height} px: "
                "set left, top, right, bottom inside it"
            )
        return left, top, right, bottom


def moved(found: Detections, box: Box) -> Detections:
    """Detections in a part of an image, in px of the whole image."""
    return replace(found, boxes=found.boxes + np.array(box[:2] * 2, np.float32))
