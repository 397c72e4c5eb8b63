"""The part of an image that a detector looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from vidan.errors import ConfigError
from vidan.types import Detections, Frame, Image

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

    def of(self, frame: Frame) -> Cropped:
        """That part of a frame, of whole px.

        Raises:
            ConfigError: it lies outside the image.
        """
        width, height = frame.width, frame.height
        scale = np.array([width, height] * 2 if self._parts else [1] * 4)
        left, top, right, bottom = (np.array(self._roi) * scale).round().astype(int).tolist()
        right, bottom = min(right, width), min(bottom, height)
        if left >= right or top >= bottom:
            raise ConfigError(
                f"detector.roi={list(self._roi)!r} holds no pixel of a picture of "
                f"{width}x{height} px: give left, top, right, bottom inside it"
            )
        return Cropped(frame, left, top, right, bottom)


def _wrong(roi: Roi) -> ConfigError:
    return ConfigError(
        f"detector.roi={list(roi)!r}: expected left, top, right, bottom, as parts of the "
        "picture from 0 to 1, such as [0,0.5,1,1] for its lower half, or in px"
    )


class Cropped(Frame):
    """A part of a frame."""

    __slots__ = ("_corner", "_of")

    def __init__(self, of: Frame, left: int, top: int, right: int, bottom: int) -> None:
        super().__init__(
            index=of.index,
            time=of.time,
            captured=of.captured,
            stream=of.stream,
            width=right - left,
            height=bottom - top,
            filename=of.filename,
        )
        self._of = of
        self._corner = left, top

    def moved_back(self, found: Detections) -> Detections:
        """What was found in this part, in px of the whole image."""
        return replace(found, boxes=found.boxes + np.array(self._corner * 2, np.float32))

    def _make_rgb(self) -> Image:
        left, top = self._corner
        return self._of.rgb()[top : top + self.height, left : left + self.width].copy()

    def resized(self, width: int, height: int) -> Image:
        """The part scaled to (height,width,3) uint8 RGB: areas averaged where it shrinks."""
        shrinks = width <= self.width and height <= self.height
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(self.rgb(), (width, height), interpolation=how), np.uint8)
