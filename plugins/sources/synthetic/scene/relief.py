"""Drawing with a height and a color at each point, which are then lit.

Lengths are meters, x to the right and y down, as in an image. Colors are given as sRGB in 0..255
and kept as linear light, as shading requires. Color planes are stored separately, (3,H,W), with
which NumPy is several times as fast.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .sprite import Sprite

Array = npt.NDArray[np.floating[Any]]
Color = tuple[float, float, float]

SUN_DIRECTION = np.array([-0.42, -0.62, 0.66], np.float32)
"""Direction toward the light (x, y, toward the camera): high, from the left, in front."""

SKY_LIGHT_FRACTION = 0.54
"""Fraction of the light that is diffuse: an overcast day."""

GAMMA = 2.2

MIN_OPACITY = 0.002
"""Paint with less opacity is ignored."""


def linear(color: Color) -> Array:
    """Convert an sRGB color in 0..255 to linear light (3,1,1) in 0..1."""
    light = (np.asarray(color, np.float32) / 255) ** GAMMA
    return np.asarray(light, np.float32).reshape(3, 1, 1)


def smoothstep(low: float | Array, high: float | Array, value: Array) -> Array:
    """0 below `low`, 1 above `high`, smooth between; decreasing if `low` is above `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def blob(x: Array, y: Array, at: tuple[float, float], radius: tuple[float, float]) -> Array:
    """A Gaussian of height 1 with standard deviations `radius` (x, y)."""
    squared = ((x - at[0]) / radius[0]) ** 2 + ((y - at[1]) / radius[1]) ** 2
    return np.asarray(np.exp(-0.5 * squared), np.float32)


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: tuple[float, float]) -> Array:
    """Smooth noise (H,W), mean 0 and standard deviation 1, with features of `sigma` (x, y) px."""
    # Computed at a lower resolution where it is smooth anyway.
    step = [max(1, int(s / 2)) for s in sigma]
    small = (max(2, -(-shape[0] // step[1]) + 1), max(2, -(-shape[1] // step[0]) + 1))
    grain = rng.standard_normal(small, dtype=np.float32)
    rest = [max(s / t, 0.3) for s, t in zip(sigma, step, strict=True)]
    smooth = cv2.GaussianBlur(grain, (0, 0), sigmaX=rest[0], sigmaY=rest[1])
    big = cv2.resize(smooth, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    mean, deviation = (float(of.item()) for of in cv2.meanStdDev(big))
    scale = 1 / (deviation + 1e-6)
    return np.asarray(cv2.addWeighted(big, scale, big, 0, -mean * scale), np.float32)


def blur(image: Array, sigma: float) -> Array:
    """An image (H,W) blurred by a Gaussian of `sigma` px."""
    # Wide blurs are computed at a lower resolution, where the kernel is small.
    step = max(1, int(sigma / 4))
    height, width = image.shape
    size = (max(1, width // step), max(1, height // step))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(small, (width, height)), np.float32)


def creases(waves: Array) -> Array:
    """Turn smooth noise into folds with wide ridges and narrow valleys."""
    return np.asarray(1 - np.exp(-1.6 * np.abs(waves)))


def rounded(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Round the corners of a polygon by cutting them twice (Chaikin 1974)."""
    corners = np.array(points)
    for _ in range(2):
        after = np.roll(corners, -1, axis=0)
        corners = np.stack([0.75 * corners + 0.25 * after, 0.25 * corners + 0.75 * after], axis=1)
        corners = corners.reshape(-1, 2)
    return [(float(x), float(y)) for x, y in corners]


class Relief:
    """A surface to paint and raise, and then to `render` as a sprite.

    Args:
        bounds: (x1, y1, x2, y2), m.
        density: resolution, px/m.
        rng: for all textures.

    Attributes:
        x: (1,W) float32 coordinates, m.
        y: (H,1) float32 coordinates, m.
        height: (H,W) float32, m toward the camera.
        albedo: (3,H,W) float32, linear color of the surface.
        alpha: (H,W) float32 in [0,1], opacity.
        gloss: (H,W) float32, strength of specular reflection.
    """

    def __init__(
        self,
        bounds: tuple[float, float, float, float],
        density: float,
        rng: np.random.Generator,
    ) -> None:
        x1, y1, x2, y2 = bounds
        width = max(4, round((x2 - x1) * density))
        height = max(4, round((y2 - y1) * density))
        self.origin = (x1, y1)
        self.density = density
        self.rng = rng
        self.shape = (height, width)
        self.x = (x1 + (np.arange(width, dtype=np.float32)[None] + 0.5) / density).astype("f4")
        self.y = (y1 + (np.arange(height, dtype=np.float32)[:, None] + 0.5) / density).astype("f4")
        self.height: Array = np.zeros(self.shape, np.float32)
        self.albedo: Array = np.zeros((3, *self.shape), np.float32)
        self.alpha: Array = np.zeros(self.shape, np.float32)
        self.gloss: Array = np.zeros(self.shape, np.float32)

    def noise(self, sigma_x: float, sigma_y: float) -> Array:
        """Smooth noise (H,W), mean 0 and standard deviation 1, with features of that size, m."""
        sizes = (sigma_x * self.density, sigma_y * self.density)
        return noise(self.rng, self.shape, sizes)

    def edge(self, distance: Array) -> Array:
        """A mask (H,W) in [0,1] from signed distances to its edge, m, positive inside."""
        mask = np.clip(distance * self.density + 0.5, 0, 1)
        return np.broadcast_to(mask, self.shape).astype(np.float32)

    def polygon(self, points: list[tuple[float, float]]) -> Array:
        """An antialiased mask (H,W) in [0,1] of a polygon with corners in m."""
        scaled = (np.array(points, np.float64) - self.origin) * self.density
        mask = np.zeros(self.shape, np.uint8)
        fixed = np.round((scaled - 0.5) * 256).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, lineType=cv2.LINE_AA, shift=8)
        return mask.astype(np.float32) / 255

    def stroke(self, points: list[tuple[float, float]], width: float) -> Array:
        """An antialiased mask (H,W) in [0,1] of a line through points, m, of `width` m."""
        scaled = (np.array(points, np.float64) - self.origin) * self.density
        thick = width * self.density
        mask = np.zeros(self.shape, np.uint8)
        fixed = np.round((scaled - 0.5) * 256).astype(np.int32)
        cv2.polylines(mask, [fixed], False, 255, max(1, round(thick)), cv2.LINE_AA, shift=8)
        return mask.astype(np.float32) / 255 * min(1.0, thick)

    def paint(self, mask: Array, color: Color | Array, opacity: float = 1.0) -> None:
        """Blend a color over the surface without changing `alpha`.

        Args:
            mask: (H,W) in [0,1], where to paint.
            color: sRGB, or linear light (3,H,W).
            opacity: factor for the mask.
        """
        paint = linear(color) if isinstance(color, tuple) else color
        left, top, width, height = cv2.boundingRect((mask > MIN_OPACITY).view(np.uint8))
        part = np.s_[..., top : top + height, left : left + width]
        albedo = self.albedo[part]
        albedo += (mask[part] * opacity) * ((paint if paint.size == 3 else paint[part]) - albedo)

    def shade(self, factor: Array) -> None:
        """Multiply the color of the surface by a factor (H,W)."""
        self.albedo *= factor

    def cover(self, mask: Array) -> None:
        """Make the surface opaque inside a mask."""
        np.maximum(self.alpha, mask, out=self.alpha)

    def inflate(self, mask: Array, radius: float, depth: float) -> Array:
        """Height (H,W), m, of a cushion with the outline of a mask.

        It is rounded within `radius` m of its edge and flat at `depth` m inside.
        """
        distance = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        t = 1 - np.clip(distance / (radius * self.density), 0, 1)
        cushion = np.sqrt(np.clip(1 - t * t, 0, 1)) * depth
        return np.asarray(cv2.GaussianBlur(cushion, (0, 0), max(0.6, 0.004 * self.density)), "f4")

    def render(self, soft: float = 0.002) -> Sprite:
        """Light the surface, smoothed by `soft` m; the sprite's origin is (0, 0) m."""
        normal = self._normal(soft)
        light = self._light(*normal)
        shine = self.gloss * self._specular(*normal)
        gray = self.albedo.mean(axis=0) * light + shine
        planes = []
        for plane in self.albedo:
            srgb = 0.9 * (plane * light + shine) + 0.1 * gray
            np.clip(srgb, 0, 1, out=srgb)
            np.power(srgb, np.float32(1 / GAMMA), out=srgb)
            # A camera's tone curve: slightly more contrast, without clipped highlights.
            srgb += 0.03 * np.sin((srgb - 0.5) * np.float32(np.pi * 2))
            planes.append(_bytes(srgb * self.alpha))
        pixels = np.asarray(cv2.merge([*planes, _bytes(self.alpha)]), np.uint8)
        pivot = (-self.origin[0] * self.density, -self.origin[1] * self.density)
        return Sprite.from_pixels(pixels, pivot, self.density)

    def _normal(self, soft: float) -> tuple[Array, Array, Array]:
        smooth = cv2.GaussianBlur(self.height, (0, 0), max(0.5, soft * self.density))
        dy, dx = np.gradient(smooth * self.density)
        inverse = 1 / np.sqrt(dx * dx + dy * dy + 1)
        return -dx * inverse, -dy * inverse, inverse

    def _light(self, nx: Array, ny: Array, nz: Array) -> Array:
        x, y, z = SUN_DIRECTION
        sun = np.clip((nx * x + ny * y + nz * z) * 0.8 + 0.2, 0, None)
        sky = 0.72 - 0.28 * ny + 0.12 * (nz - 0.5)
        # Hollows receive less diffuse light: simple ambient occlusion at two scales.
        hollow = np.zeros(self.shape, np.float32)
        for size in (0.008, 0.025):
            around = blur(self.height, max(0.6, size * self.density))
            hollow += np.clip((around - self.height) / size, -0.12, 1)
        diffuse = SKY_LIGHT_FRACTION * sky * (1 - 0.55 * np.clip(hollow, -0.2, 1))
        light = diffuse + (1 - SKY_LIGHT_FRACTION) * 1.35 * sun
        return np.asarray(light, np.float32)

    @staticmethod
    def _specular(nx: Array, ny: Array, nz: Array) -> Array:
        half = SUN_DIRECTION + np.array([0, 0, 1], np.float32)
        half /= np.linalg.norm(half)
        shine = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1) ** 24
        return np.asarray(shine, np.float32)


def _bytes(plane: Array) -> npt.NDArray[np.uint8]:
    """Convert a plane in 0..1 to uint8 in 0..255."""
    return np.asarray(np.clip(plane * 255 + 0.5, 0, 255), np.uint8)
