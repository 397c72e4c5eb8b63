"""Sprites: images with an alpha channel, and pasting them into a frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vidan.types import Image

Pixels = npt.NDArray[np.uint8]
Row = tuple[float, float, float]

HALF_HEAD_M = 0.1
"""Distance from the center of a head beyond which turning it moves nothing, m."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """An image with an alpha channel and its mipmaps.

    Attributes:
        levels: (H,W,4) uint8 RGBA with premultiplied alpha, each half the size of the last.
        pivot: (x, y) of the origin in the first level, px.
        density: resolution of the first level, px/m.
    """

    levels: tuple[Pixels, ...]
    pivot: tuple[float, float]
    density: float

    @classmethod
    def from_pixels(cls, pixels: Pixels, pivot: tuple[float, float], density: float) -> Sprite:
        """A sprite of (H,W,4) uint8 premultiplied RGBA, without transparent borders."""
        pixels, left, top = _trimmed(pixels)
        pivot = (pivot[0] - left, pivot[1] - top)
        levels = [pixels]
        while min(levels[-1].shape[:2]) >= 16 and len(levels) < 6:
            height, width = levels[-1].shape[:2]
            # Even sizes halve exactly, so that pixel (x, y) of a level is (x/2, y/2) of the next.
            padded = cv2.copyMakeBorder(
                levels[-1], 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)
            )
            size = (padded.shape[1] // 2, padded.shape[0] // 2)
            levels.append(np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA)))
        return cls(tuple(levels), pivot, density)

    def level(self, density: float) -> tuple[Pixels, float]:
        """The smallest level that is not enlarged for `density` px/m, and its resolution, px/m."""
        ratio = self.density / density
        step = min(max(0, math.floor(math.log2(max(ratio, 1e-6)) + 0.25)), len(self.levels) - 1)
        return self.levels[step], self.density / 2**step


@dataclass(frozen=True, slots=True)
class PlacedSprite:
    """A sprite with its position in a frame.

    Attributes:
        sprite: to paste.
        x: of its origin in the frame, px.
        y: of its origin in the frame, px.
        scale: px of the frame per m.
        angle: clockwise rotation, rad.
        stretch: scale factor along its y axis.
        turn: sideways shift of its center, m, while the outline stays: a head that turns.
        mirror: whether left and right are swapped.
    """

    sprite: Sprite
    x: float
    y: float
    scale: float
    angle: float = 0.0
    stretch: float = 1.0
    turn: float = 0.0
    mirror: bool = False

    def matrix(self, density: float) -> tuple[Row, Row]:
        """Affine matrix (2,3) from pixels of the level of `density` px/m to pixels of the frame."""
        # Plain numbers, for speed: each frame needs hundreds of these.
        ratio = density / self.sprite.density
        k = self.scale / density
        kx, ky = (-k if self.mirror else k), k * self.stretch
        c, s = math.cos(self.angle), math.sin(self.angle)
        # Pixel centers lie at +0.5 in continuous coordinates, in the sprite and in the frame.
        px, py = self.sprite.pivot[0] * ratio - 0.5, self.sprite.pivot[1] * ratio - 0.5
        top = (c * kx, -s * ky, self.x - 0.5 - c * kx * px + s * ky * py)
        low = (s * kx, c * ky, self.y - 0.5 - s * kx * px - c * ky * py)
        return top, low

    def bounds(self) -> tuple[float, float, float, float]:
        """Bounding box (x1, y1, x2, y2) in the frame, px."""
        (a, b, e), (c, d, f) = self.matrix(self.sprite.density)
        height, width = self.sprite.levels[0].shape[:2]
        ax, bx = sorted((a * -1, a * width)), sorted((b * -1, b * height))
        cy, dy = sorted((c * -1, c * width)), sorted((d * -1, d * height))
        return ax[0] + bx[0] + e, cy[0] + dy[0] + f, ax[1] + bx[1] + e, cy[1] + dy[1] + f

    def alpha_at(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Opacity (N,) in [0,1] at points (N,2) of the frame, px."""
        pixels, density = self.sprite.level(self.scale / 4)
        matrix = np.array(self.matrix(density))
        inverse = np.linalg.inv(matrix[:, :2])
        nearest = np.rint((points - 0.5 - matrix[:, 2]) @ inverse.T).astype(np.intp)
        height, width = pixels.shape[:2]
        inside = ((nearest >= 0) & (nearest < (width, height))).all(axis=1)
        alpha = np.zeros(len(points))
        alpha[inside] = pixels[nearest[inside, 1], nearest[inside, 0], 3] / 255
        return alpha


def _trimmed(pixels: Pixels) -> tuple[Pixels, int, int]:
    """The image without transparent borders, and the width of the left and the top one, px."""
    rows = np.flatnonzero(pixels[..., 3].any(axis=1))
    columns = np.flatnonzero(pixels[..., 3].any(axis=0))
    if not rows.size:
        return pixels, 0, 0
    top, left = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
    trimmed = pixels[top : int(rows[-1]) + 2, left : int(columns[-1]) + 2]
    return np.ascontiguousarray(trimmed), left, top


def paste(frame: Image, placed: PlacedSprite, haze: npt.NDArray[np.float32] | None = None) -> None:
    """Paste a sprite into a frame.

    Args:
        frame: (H,W,3) uint8 RGB, changed in place.
        placed: the sprite and its position; parts outside the frame are ignored.
        haze: (4,4) matrix applied to the sprite's premultiplied RGBA; None for no haze.
    """
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = placed.bounds()
    left, top = max(0, math.floor(x1)), max(0, math.floor(y1))
    right, bottom = min(width, math.ceil(x2) + 1), min(height, math.ceil(y2) + 1)
    if left >= right or top >= bottom:
        return
    pixels, density = placed.sprite.level(placed.scale)
    matrix = np.array(placed.matrix(density))
    matrix[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    over = (
        _turned(pixels, matrix, size, placed, density)
        if placed.turn
        else _warped(pixels, matrix, size)
    )
    if haze is not None:
        over = np.asarray(cv2.transform(over, haze), np.uint8)
    alpha = cv2.extractChannel(over, 3)
    region = frame[top:bottom, left:right]
    behind = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2RGB)
    cv2.multiply(region, behind, dst=region, scale=1 / 255)
    cv2.add(region, cv2.cvtColor(over, cv2.COLOR_RGBA2RGB), dst=region)


def _warped(pixels: Pixels, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> Pixels:
    warped = cv2.warpAffine(
        pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return np.asarray(warped, np.uint8)


def _turned(
    pixels: Pixels,
    matrix: npt.NDArray[np.float64],
    size: tuple[int, int],
    placed: PlacedSprite,
    density: float,
) -> Pixels:
    """As `_warped`, with the center of the sprite shifted by `placed.turn` m.

    Heads stay upright, so rotation is not supported.
    """
    inverse = cv2.invertAffineTransform(matrix)
    x = np.arange(size[0]) * inverse[0, 0] + inverse[0, 2]
    y = np.arange(size[1]) * inverse[1, 1] + inverse[1, 2]
    middle = placed.sprite.pivot[0] * density / placed.sprite.density - 0.5
    reach = HALF_HEAD_M * density
    away = np.clip(1 - ((x - middle) / reach) ** 2, 0, None)
    # The crown and the chin are closer to the axis than the face, and move less.
    crown = (y - placed.sprite.pivot[1] * density / placed.sprite.density) / (1.7 * reach)
    deep = np.clip(1 - crown**2, 0.2, 1)
    map_x = (x - placed.turn * density * away * deep[:, None]).astype(np.float32)
    map_y = np.broadcast_to(y.astype(np.float32)[:, None], (size[1], size[0]))
    turned = cv2.remap(pixels, map_x, np.ascontiguousarray(map_y), cv2.INTER_LINEAR)
    return np.asarray(turned, np.uint8)
