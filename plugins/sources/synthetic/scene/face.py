"""The skull, on which the rest of a head is drawn.

The unit of length of all drawings of heads is half a face width, HALF_FACE_WIDTH_M: x from -1 to 1
is ear to ear; y is -1.58 at the crown, -0.2 at the eyes, 0.4 under the nose and 1.22 at the chin.
"""

from __future__ import annotations

import numpy as np

from .appearance import Appearance
from .relief import Array, Relief, blob, smoothstep

HALF_FACE_WIDTH_M = 0.083
"""Half the width of a face, m."""

DRAWING_BOUNDS = (-1.65, -2.05, 1.65, 2.2)
"""Bounds of the drawing (x1, y1, x2, y2), with room for hair and beards."""

FACE_BOX = (-0.98, -0.88, 0.98, 1.27)
"""Bounding box of a face: from the middle of the forehead to the chin, from ear to ear, as
annotators of photographs draw it."""

PROFILE_HEIGHTS = (-1.60, -1.52, -1.35, -1.1, -0.8, -0.4, 0.0, 0.4, 0.75, 1.0, 1.14, 1.22, 1.25)
"""Values of y at which the profile of a head is given."""

PROFILE_DEPTHS = (0.0, 0.35, 0.62, 0.84, 0.95, 1.0, 1.0, 1.0, 0.97, 0.92, 0.84, 0.70, 0.6)
"""Depth of the head in the middle at these heights, relative to half its width."""


class Face:
    """A head to draw on; lengths are in half face widths.

    Attributes:
        relief: height and color, in meters.
        x: (1,W) coordinates.
        y: (H,1) coordinates.
        half: (H,1) half the width of the head at each height.
        depth: (H,1) depth of the head at each height.
        skin: (H,W) mask of the bare head.
        rng: for all variation.
        unit: half a face width, m.
    """

    def __init__(self, appearance: Appearance, density: float) -> None:
        self.rng = np.random.default_rng(appearance.seed)
        self.unit = HALF_FACE_WIDTH_M
        bounds = tuple(HALF_FACE_WIDTH_M * b for b in DRAWING_BOUNDS)
        self.relief = Relief((bounds[0], bounds[1], bounds[2], bounds[3]), density, self.rng)
        self.x, self.y = self.relief.x / HALF_FACE_WIDTH_M, self.relief.y / HALF_FACE_WIDTH_M
        jaw = appearance.jaw
        widths = (0, 0.42, 0.74, 0.93, 0.99, 1.0, 0.98, 0.95 * jaw**0.15)
        chin = (1.08 * jaw, 0.76 * jaw, 0.5 * jaw, 0.25 * jaw, 0)
        self.half = _smooth_profile(self.y, PROFILE_HEIGHTS, (*widths, *chin))
        self.depth = _smooth_profile(self.y, PROFILE_HEIGHTS, PROFILE_DEPTHS)
        self.skin = self.edge(self.half - np.abs(self.x)) * (self.half > 0)

    def edge(self, distance: Array) -> Array:
        """A mask (H,W) in [0,1] of the points whose `distance` is positive."""
        return self.relief.edge(distance * HALF_FACE_WIDTH_M)

    def bump(self, at: tuple[float, float], radius: tuple[float, float], by: float) -> None:
        """Raise a Gaussian hill."""
        self.relief.height += blob(self.x, self.y, at, radius) * (by * HALF_FACE_WIDTH_M)

    def noise(self, sigma_x: float, sigma_y: float) -> Array:
        """Smooth noise with mean 0 and standard deviation 1, and features of that size."""
        return self.relief.noise(sigma_x * HALF_FACE_WIDTH_M, sigma_y * HALF_FACE_WIDTH_M)


def _smooth_profile(y: Array, at: tuple[float, ...], values: tuple[float, ...]) -> Array:
    """A smooth curve (H,1) near the given points; 0 outside."""
    fine = np.linspace(at[0], at[-1], 200)
    curve = np.interp(fine, at, values)
    kernel = np.hanning(13)
    padded = np.pad(curve, 6, mode="edge")
    curve = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return np.asarray(np.interp(y, fine, curve, left=0, right=0), np.float32)


def draw_skull(face: Face, appearance: Appearance) -> None:
    """Draw the bare head with its ears."""
    relief = face.relief
    across = np.clip(1 - (face.x / np.maximum(face.half, 0.05)) ** 2, 0, 1)
    relief.height = face.depth * across**0.55 * (0.95 * HALF_FACE_WIDTH_M)
    # The ears are behind the cheeks.
    ears = np.maximum(
        blob(face.x, face.y, (-0.99, -0.02), (0.085, 0.23)),
        blob(face.x, face.y, (0.99, -0.02), (0.085, 0.23)),
    )
    ears = smoothstep(0.25, 0.45, ears)
    relief.paint(np.maximum(face.skin, ears), appearance.skin)
    relief.cover(np.maximum(face.skin, ears))
    r, g, b = appearance.skin
    relief.paint(ears * (1 - face.skin), (r * 0.92, g * 0.8, b * 0.76))
    rosy = (min(255.0, r * 1.0), g * 0.84, b * 0.8)
    for at, size in (((-0.52, 0.22), 0.2), ((0.52, 0.22), 0.2), ((0.0, 0.3), 0.15)):
        relief.paint(blob(face.x, face.y, at, (size, size)), rosy, 0.55)
    relief.shade(1 + 0.025 * face.noise(0.12, 0.12) + 0.015 * face.noise(0.02, 0.02))
    relief.gloss += 0.035 * face.skin
