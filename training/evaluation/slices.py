"""The slices a detector is measured on: the same images under other conditions."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from vidan.types import Image

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
