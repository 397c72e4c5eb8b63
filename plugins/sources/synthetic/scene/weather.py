"""Haze, darkness and sensor noise."""

from __future__ import annotations

import math
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from vidan.types import Image

from .relief import Array

MAX_SCATTERING_PER_M = 0.28
"""Scattering coefficient at haze 1, 1/m."""

AIRLIGHT = np.array([206, 208, 208], np.float32)
"""Color of infinitely thick haze by day, sRGB."""

NIGHT_LIGHT = np.array([0.050, 0.062, 0.088], np.float32)
"""Fraction of the light that remains at darkness 1, RGB; bluish."""

DAY_NOISE, NIGHT_NOISE = 1.6, 10.6
"""Standard deviation of sensor noise at darkness 0 and 1, gray levels."""


class Weather:
    """Effects of the air and the sensor on the image.

    Args:
        width: of the image, px.
        height: of the image, px.
        haze: 0 (clear) to 1 (thick fog).
        darkness: 0 (day) to 1 (night).
        seed: of the noise.
    """

    def __init__(self, width: int, height: int, haze: float, darkness: float, seed: int) -> None:
        self._scattering = MAX_SCATTERING_PER_M * haze**1.5
        self._light = 1 - darkness * (1 - NIGHT_LIGHT)
        self._seed = seed
        self._size = width, height
        self._sigma = DAY_NOISE + (NIGHT_NOISE - DAY_NOISE) * darkness

    @cached_property
    def noise(self) -> tuple[Image, Image]:
        """Positive and negative part of the sensor noise, larger than a frame; made once."""
        return _noise(self._seed, *self._size, self._sigma)

    def apply(self, color: Array, distance: Array) -> Image:
        """Add haze and darkness to an image.

        Koschmieder's law: I = J t + A (1 - t), t = exp(-beta d) (Narasimhan and Nayar 2002,
        eq. 4).

        Args:
            color: (3,H,W) sRGB in 0..1, J.
            distance: (H,W) m, d.

        Returns:
            (H,W,3) uint8 sRGB, I.
        """
        clear = np.exp(-self._scattering * distance) if self._scattering else np.float32(1)
        planes = []
        for plane, air, light in zip(color, AIRLIGHT, self._light, strict=True):
            lit = (plane * np.float32(255) * clear + air * (1 - clear)) * light
            planes.append(np.clip(lit + 0.5, 0, 255).astype(np.uint8))
        return np.asarray(cv2.merge(planes), np.uint8)

    def sprite_matrix(self, z: float) -> npt.NDArray[np.float32] | None:
        """The same for a sprite at distance z, m: a (4,4) matrix for premultiplied RGBA.

        None if nothing changes.
        """
        if self._scattering == 0 and (self._light == 1).all():
            return None
        clear = math.exp(-self._scattering * z)
        matrix = np.diag([*(self._light * clear), 1.0])
        matrix[:3, 3] = AIRLIGHT / 255 * self._light * (1 - clear)
        return matrix.astype(np.float32)

    def add_noise(self, frame: Image, index: int) -> None:
        """Add sensor noise in place: each frame gets other crops of the same noise."""
        rng = np.random.default_rng([self._seed, index, 11])
        height, width = frame.shape[:2]
        for noise, apply in zip(self.noise, (cv2.add, cv2.subtract), strict=True):
            spare = noise.shape[0] - height, noise.shape[1] - width
            y, x = int(rng.integers(spare[0])), int(rng.integers(spare[1]))
            apply(frame, noise[y : y + height, x : x + width], dst=frame)


def _noise(seed: int, width: int, height: int, sigma: float) -> tuple[Image, Image]:
    """Positive and negative part of noise, larger than a frame, so that it can be cropped.

    The same tile in a 2x2 grid, which is not visible in a frame.
    """
    rng = np.random.default_rng([seed, 13])
    shape = (-(-(height + 61) // 2), -(-(width + 67) // 2), 3)
    gray = rng.standard_normal((*shape[:2], 1), dtype=np.float32) * 0.8
    grain = gray + rng.standard_normal(shape, dtype=np.float32) * 0.6
    # A sensor interpolates three colors from four pixels, so its noise is slightly blurred.
    grain = cv2.GaussianBlur(grain, (0, 0), 0.55) * (1.75 * sigma)
    positive = np.clip(np.round(grain), 0, 255).astype(np.uint8)
    negative = np.clip(np.round(-grain), 0, 255).astype(np.uint8)
    return np.tile(positive, (2, 2, 1)), np.tile(negative, (2, 2, 1))
