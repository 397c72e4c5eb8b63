"""The canvas of a head: the bare skull, on which the rest is drawn.

Lengths are in half face widths (U meters): x from -1 to 1 is ear to ear, y is -1.58 at the
crown, -0.2 at the eyes, 0.4 under the nose and 1.22 at the chin.
"""

from __future__ import annotations

import numpy as np

from .look import Look
from .relief import Array, Relief, blob, smoothstep

U = 0.083
"""Half the width of a face, m."""

BOUNDS = (-1.65, -2.05, 1.65, 2.2)
"""Of the drawing, in U: with room for hair and beards."""

FACE = (-0.98, -0.88, 0.98, 1.27)
"""The box of a face, in U: from the middle of the forehead to the chin, ear to ear, as people who
label photographs draw it."""

OUTLINE = (-1.60, -1.52, -1.35, -1.1, -0.8, -0.4, 0.0, 0.4, 0.75, 1.0, 1.14, 1.22, 1.25)
"""Heights at which the outline of a head is given."""

DEPTH = (0.0, 0.35, 0.62, 0.84, 0.95, 1.0, 1.0, 1.0, 0.97, 0.92, 0.84, 0.70, 0.6)
"""How far it stands out in the middle at those heights."""


class Face:
    """A head in the making, in units of U.

    Attributes:
        relief: what is drawn on.
        x: (1,W), U.
        y: (H,1), U.
        half: (H,1), half the width of the head at that height, U.
        skin: (H,W) mask of the bare head.
        rng: for all that varies.
        unit: U, m.
    """

    def __init__(self, look: Look, density: float) -> None:
        self.rng = np.random.default_rng(look.seed)
        self.unit = U
        bounds = tuple(U * b for b in BOUNDS)
        self.relief = Relief((bounds[0], bounds[1], bounds[2], bounds[3]), density, self.rng)
        self.x, self.y = self.relief.x / U, self.relief.y / U
        jaw = look.jaw
        widths = (0, 0.42, 0.74, 0.93, 0.99, 1.0, 0.98, 0.95 * jaw**0.15)
        chin = (1.08 * jaw, 0.76 * jaw, 0.5 * jaw, 0.25 * jaw, 0)
        self.half = _smooth_profile(self.y, OUTLINE, (*widths, *chin))
        self.depth = _smooth_profile(self.y, OUTLINE, DEPTH)
        self.skin = self.edge(self.half - np.abs(self.x)) * (self.half > 0)

    def edge(self, distance: Array) -> Array:
        """A mask of where `distance`, U, is positive."""
        return self.relief.edge(distance * U)

    def bump(self, at: tuple[float, float], radius: tuple[float, float], by: float) -> None:
        """Raise a Gaussian hill, all in U."""
        self.relief.height += blob(self.x, self.y, at, radius) * (by * U)

    def noise(self, sigma_x: float, sigma_y: float) -> Array:
        """Smooth noise, mean 0 and standard deviation 1, with features of that size, U."""
        return self.relief.noise(sigma_x * U, sigma_y * U)


def _smooth_profile(y: Array, at: tuple[float, ...], values: tuple[float, ...]) -> Array:
    """A smooth curve through points, (H,1); 0 outside."""
    fine = np.linspace(at[0], at[-1], 200)
    curve = np.interp(fine, at, values)
    kernel = np.hanning(13)
    padded = np.pad(curve, 6, mode="edge")
    curve = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return np.asarray(np.interp(y, fine, curve, left=0, right=0), np.float32)


def draw_skull(face: Face, look: Look) -> None:
    """Draw the bare head with its ears."""
    relief = face.relief
    across = np.clip(1 - (face.x / np.maximum(face.half, 0.05)) ** 2, 0, 1)
    relief.height = face.depth * across**0.55 * (0.95 * U)
    # The ears stand behind the cheeks.
    ears = np.maximum(
        blob(face.x, face.y, (-0.99, -0.02), (0.085, 0.23)),
        blob(face.x, face.y, (0.99, -0.02), (0.085, 0.23)),
    )
    ears = smoothstep(0.25, 0.45, ears)
    relief.paint(np.maximum(face.skin, ears), look.skin)
    relief.cover(np.maximum(face.skin, ears))
    r, g, b = look.skin
    relief.paint(ears * (1 - face.skin), (r * 0.92, g * 0.8, b * 0.76))
    rosy = (min(255.0, r * 1.0), g * 0.84, b * 0.8)
    for at, size in (((-0.52, 0.22), 0.2), ((0.52, 0.22), 0.2), ((0.0, 0.3), 0.15)):
        relief.paint(blob(face.x, face.y, at, (size, size)), rosy, 0.55)
    relief.shade(1 + 0.025 * face.noise(0.12, 0.12) + 0.015 * face.noise(0.02, 0.02))
    relief.gloss += 0.035 * face.skin
