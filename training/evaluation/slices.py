"""Slices that a detector is evaluated on: the same images under different conditions."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vidan.types import Image

from ..data.corruptions import haze, low_light, motion_blur

CLEAN = "clean"

BLUR_LENGTH = 1 / 64
"""Length of the motion blur relative to the image's longer side: 8 px at 512."""


class Slice(NamedTuple):
    """A condition that images are evaluated under.

    Attributes:
        description: what it does.
        apply: changes an image (H,W,3).
    """

    description: str
    apply: Callable[[Image, np.random.Generator], Image]


SLICES = {
    CLEAN: Slice("unchanged images", lambda image, _: image),
    "haze_light": Slice("mean transmission 0.7", lambda image, rng: haze(image, 0.7, rng)),
    "haze_medium": Slice("mean transmission 0.5", lambda image, rng: haze(image, 0.5, rng)),
    "haze_dense": Slice("mean transmission 0.3", lambda image, rng: haze(image, 0.3, rng)),
    "low_light": Slice("a tenth of the light", lambda image, rng: low_light(image, 0.1, rng)),
    "blur": Slice(
        "motion blur of 1/64 of the longer side",
        lambda image, rng: motion_blur(image, BLUR_LENGTH * max(image.shape[:2]), rng),
    ),
}


def apply_slice(which: str, image: Image, name: str, seed: int) -> Image:
    """Change an image (H,W,3) as one of `SLICES` does.

    The random generator depends only on the seed and the image's name, so that an image has the
    same pattern of haze in each strength and in every evaluation.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return SLICES[which].apply(image, rng)
