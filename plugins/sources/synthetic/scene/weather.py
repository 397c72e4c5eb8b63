"""Haze, darkness and the noise of the sensor."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from vidan.types import Image

from .relief import Array

THICKEST = 0.28
"""Scattering coefficient of haze 1, 1/m."""

AIRLIGHT = np.array([206, 208, 208], np.float32)
"""What endless haze looks like by day, sRGB."""

NIGHT = np.array([0.050, 0.062, 0.088], np.float32)
"""What is left of the light at darkness 1; bluish."""

QUIET, LOUD = 1.6, 10.6
"""Standard deviation of the noise by day and by night, gray levels."""


class Weather:
    """What is between the scene and the image.

    Args:
        width: of the image, px.
        height: of the image, px.
        haze: 0 clear to 1 thick fog.
        darkness: 0 day to 1 night.
        seed: of the noise.
    """

    def __init__(self, width: int, height: int, haze: float, darkness: float, seed: int) -> None:
        self._scattering = THICKEST * haze**1.5
        self._light = 1 - darkness * (1 - NIGHT)
        self._seed = seed
        self._lift, self._drop = _noise(seed, width, height, QUIET + (LOUD - QUIET) * darkness)

    def over(self, color: Array, distance: Array) -> Image:
        """An image (3,H,W), sRGB in 0..1, as seen: (H,W,3) uint8.

        By Koschmieder's law I = J t + A (1 - t), t = exp(-beta d) with the distance d (H,W), m
        (Narasimhan and Nayar 2002, eq. 4).
        """
        clear = np.exp(-self._scattering * distance) if self._scattering else np.float32(1)
        seen = []
        for plane, air, light in zip(color, AIRLIGHT, self._light, strict=True):
            lit = (plane * np.float32(255) * clear + air * (1 - clear)) * light
            seen.append(np.clip(lit + 0.5, 0, 255).astype(np.uint8))
        return np.asarray(cv2.merge(seen), np.uint8)

    def veil(self, z: float) -> npt.NDArray[np.float32] | None:
        """The same for a sprite z m away, as (4,4) on premultiplied RGBA; None for no change."""
        if self._scattering == 0 and (self._light == 1).all():
            return None
        clear = math.exp(-self._scattering * z)
        matrix = np.diag([*(self._light * clear), 1.0])
        matrix[:3, 3] = AIRLIGHT / 255 * self._light * (1 - clear)
        return matrix.astype(np.float32)

    def grain(self, frame: Image, index: int) -> None:
        """Add the noise of the frame of an index: in each, other parts of the same grain."""
        rng = np.random.default_rng([self._seed, index, 11])
        height, width = frame.shape[:2]
        spare = (self._lift.shape[0] - height, self._lift.shape[1] - width)
        for grain, apply in ((self._lift, cv2.add), (self._drop, cv2.subtract)):
            y, x = int(rng.integers(spare[0])), int(rng.integers(spare[1]))
            apply(frame, grain[y : y + height, x : x + width], dst=frame)


def _noise(seed: int, width: int, height: int, sigma: float) -> tuple[Image, Image]:
    """What noise adds and what it takes away, larger than a frame, so that parts can be cut.

    Four times the same, beside and below each other: nobody sees that in a frame.
    """
    rng = np.random.default_rng([seed, 13])
    shape = (-(-(height + 61) // 2), -(-(width + 67) // 2), 3)
    gray = rng.standard_normal((*shape[:2], 1), dtype=np.float32) * 0.8
    grain = gray + rng.standard_normal(shape, dtype=np.float32) * 0.6
    # A sensor makes three colors of four pixels: its noise is a little soft.
    grain = cv2.GaussianBlur(grain, (0, 0), 0.55) * (1.75 * sigma)
    lift = np.clip(np.round(grain), 0, 255).astype(np.uint8)
    drop = np.clip(np.round(-grain), 0, 255).astype(np.uint8)
    return np.tile(lift, (2, 2, 1)), np.tile(drop, (2, 2, 1))
