"""The slices a detector is measured on: the same images under other conditions."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import cv2
import numpy as np

from vidan.types import Frame, Image

from ..data.corruptions import haze, low_light, motion_blur

Condition = Callable[[Image, np.random.Generator], Image]

CLEAN = "clean"

BLUR = 1 / 64
"""Length of the motion blur, of the image's longer side: 8 px at 512."""

SLICES: dict[str, tuple[str, Condition]] = {
    CLEAN: ("the pictures as they are", lambda image, _: image),
    "haze_light": ("mean transmission 0.7", lambda image, rng: haze(image, 0.7, rng)),
    "haze_medium": ("mean transmission 0.5", lambda image, rng: haze(image, 0.5, rng)),
    "haze_dense": ("mean transmission 0.3", lambda image, rng: haze(image, 0.3, rng)),
    "low_light": (
        "a tenth of the light",
        lambda image, rng: low_light(image, 0.1, rng),
    ),
    "blur": (
        "motion of 1/64 of the longer side",
        lambda image, rng: motion_blur(image, BLUR * max(image.shape[:2]), rng),
    ),
}
"""What each is, in words, and what it does to an image."""


def under(which: str, image: Image, name: str, seed: int) -> Image:
    """An image (H,W,3) as in one of `SLICES`.

    Chance depends on the seed and the image's name alone: the same image has the same haze
    in each strength and in every evaluation.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return SLICES[which][1](image, rng)


class ImageFrame(Frame):
    """A frame over an image, for a detector.

    Args:
        rgb: (H,W,3) uint8.
        name: of the image's file.
    """

    __slots__ = ()

    def __init__(self, rgb: Image, name: str) -> None:
        height, width, _ = rgb.shape
        super().__init__(
            index=0,
            time=0.0,
            captured=time.monotonic(),
            stream="pictures",
            width=width,
            height=height,
            filename=name,
        )
        self._rgb = np.ascontiguousarray(rgb).view()
        self._rgb.flags.writeable = False

    def _make_rgb(self) -> Image:
        raise AssertionError("the picture is there from the start")

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3): areas averaged where it shrinks.

        As the sources' frames do it, so that a detector sees what it would see in a run.
        """
        picture = self.rgb()
        smaller = (min(width, self.width), min(height, self.height))
        if smaller != (self.width, self.height):
            picture = np.asarray(
                cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA), np.uint8
            )
        if smaller != (width, height):
            picture = np.asarray(
                cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
            )
        return picture.copy() if picture is self._rgb else picture
