"""Cut-out images, and putting them into a frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vidan.types import Image

Pixels = npt.NDArray[np.uint8]
Row = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Sprite:
    """An image with soft edges, kept at several sizes for clean scaling.

    Attributes:
        levels: (H,W,4) uint8 RGBA with premultiplied alpha, each half the size of the last.
        pivot: (x, y) of its origin in the first level, px.
        density: of the first level, px/m.
    """

    levels: tuple[Pixels, ...]
    pivot: tuple[float, float]
    density: float

    @classmethod
    def of(cls, pixels: Pixels, pivot: tuple[float, float], density: float) -> Sprite:
        """A sprite of (H,W,4) uint8 premultiplied RGBA; cut down to what can be seen of it."""
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
        """The smallest level that need not be enlarged for `density` px/m, and its px/m."""
        ratio = self.density / density
        step = min(max(0, math.floor(math.log2(max(ratio, 1e-6)) + 0.25)), len(self.levels) - 1)
        return self.levels[step], self.density / 2**step


@dataclass(frozen=True, slots=True)
class Placed:
    """A sprite in a frame.

    Attributes:
        sprite: the sprite.
        x: of its origin in the frame, px.
        y: of its origin in the frame, px.
        scale: px of the frame per m.
        angle: it is turned by this, clockwise, rad.
        stretch: it is stretched by this along its own y axis; mirrored where x is negative.
        turn: its middle is shifted sideways by this, m, and its outline not: a head that turns.
        mirror: left and right swapped.
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
        """From pixels of the sprite's level of `density` px/m to those of the frame, (2,3)."""
        # Plain numbers: a frame asks for hundreds of these.
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
        """(x1, y1, x2, y2) of what it may cover in the frame, px."""
        (a, b, e), (c, d, f) = self.matrix(self.sprite.density)
        height, width = self.sprite.levels[0].shape[:2]
        ax, bx = sorted((a * -1, a * width)), sorted((b * -1, b * height))
        cy, dy = sorted((c * -1, c * width)), sorted((d * -1, d * height))
        return ax[0] + bx[0] + e, cy[0] + dy[0] + f, ax[1] + bx[1] + e, cy[1] + dy[1] + f

    def alpha_at(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How opaque it is, (N,) in [0,1], at points (N,2) of the frame, px."""
        pixels, density = self.sprite.level(self.scale / 4)
        matrix = np.array(self.matrix(density))
        inverse = np.linalg.inv(matrix[:, :2])
        where = np.rint((points - 0.5 - matrix[:, 2]) @ inverse.T).astype(np.intp)
        height, width = pixels.shape[:2]
        inside = ((where >= 0) & (where < (width, height))).all(axis=1)
        found = np.zeros(len(points))
        found[inside] = pixels[where[inside, 1], where[inside, 0], 3] / 255
        return found


def _trimmed(pixels: Pixels) -> tuple[Pixels, int, int]:
    """Without empty borders, and how much went on the left and at the top, px."""
    rows = np.flatnonzero(pixels[..., 3].any(axis=1))
    columns = np.flatnonzero(pixels[..., 3].any(axis=0))
    if not rows.size:
        return pixels, 0, 0
    top, left = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
    cut = pixels[top : int(rows[-1]) + 2, left : int(columns[-1]) + 2]
    return np.ascontiguousarray(cut), left, top


def paste(frame: Image, placed: Placed, haze: npt.NDArray[np.float32] | None = None) -> None:
    """Put a sprite into a frame (H,W,3).

    Args:
        frame: is changed.
        placed: what and where; what lies outside the frame is left out.
        haze: (4,4), applied to the sprite's premultiplied RGBA.
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
    placed: Placed,
    density: float,
) -> Pixels:
    """As `_warped`, with the middle of the sprite shifted by `placed.turn` m.

    Heads stay upright: there is no rotation here.
    """
    inverse = cv2.invertAffineTransform(matrix)
    x = np.arange(size[0]) * inverse[0, 0] + inverse[0, 2]
    y = np.arange(size[1]) * inverse[1, 1] + inverse[1, 2]
    middle = placed.sprite.pivot[0] * density / placed.sprite.density - 0.5
    reach = HALF_HEAD * density
    away = np.clip(1 - ((x - middle) / reach) ** 2, 0, None)
    # The crown and the chin are nearer to the axis than the face, and move less.
    crown = (y - placed.sprite.pivot[1] * density / placed.sprite.density) / (1.7 * reach)
    deep = np.clip(1 - crown**2, 0.2, 1)
    map_x = (x - placed.turn * density * away * deep[:, None]).astype(np.float32)
    map_y = np.broadcast_to(y.astype(np.float32)[:, None], (size[1], size[0]))
    turned = cv2.remap(pixels, map_x, np.ascontiguousarray(map_y), cv2.INTER_LINEAR)
    return np.asarray(turned, np.uint8)


HALF_HEAD = 0.1
"""From the middle of a head to where its outline does not move when it turns, m."""
