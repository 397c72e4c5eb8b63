"""A grid of values as colors over an image."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vidan.images import jpeg
from vidan.types import Image

OPACITY = 0.7
"""Of the color of the highest value."""

BLUR = 0.7
"""Standard deviation of the blur, in cells."""

TOP = 99.0
"""Percentile of the values above 0 that has the last color."""


STILL_WIDTH, STILL_QUALITY = 960, 80
"""Maximum width of an image in the arrays, px, and JPEG quality."""

Grid = npt.NDArray[np.float64]
"""Values (R,C) of at least 0."""


def heatmap_png(image: Image, values: Grid) -> bytes:
    """A PNG file of an image (H,W,3) RGB in gray, colored by a grid of values."""
    height, width = image.shape[:2]
    colors, opacity = _colored(values, width, height)
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2BGR)
    return _png(gray * (1 - opacity) + colors * opacity)


def overlay_png(values: Grid, width: int, height: int) -> bytes:
    """A PNG file of the colors alone, with their opacity, to show over an image."""
    colors, opacity = _colored(values, width, height)
    return _png(np.concatenate([colors, opacity * 255], axis=2))


def top_of(values: Grid) -> float:
    """The value that has the last color; a quarter of it has the one in the middle."""
    return _smoothed(values)[1]


def still_jpeg(image: Image) -> bytes:
    """A small JPEG file of an image (H,W,3) RGB."""
    height, width = image.shape[:2]
    if width > STILL_WIDTH:
        size = STILL_WIDTH, max(1, round(height * STILL_WIDTH / width))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return jpeg(image, STILL_QUALITY)


def _smoothed(values: Grid) -> tuple[Grid, float]:
    """Blurred values, and the one that has the last color."""
    smooth = np.asarray(cv2.GaussianBlur(values, (0, 0), BLUR), np.float64)
    used = smooth[smooth > 0]
    return smooth, float(np.percentile(used, TOP)) if len(used) else 1.0


def _colored(values: Grid, width: int, height: int) -> tuple[Grid, Grid]:
    """Colors (H,W,3) BGR, and their opacity (H,W,1) from 0 to 1.

    Colors follow the square root of the values: a few places where someone waits would leave the
    paths without a color otherwise.
    """
    smooth, top = _smoothed(values)
    scaled = np.sqrt(np.clip(smooth / top, 0, 1)).astype(np.float32)
    large = np.clip(cv2.resize(scaled, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    colors = cv2.applyColorMap((large * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    return np.asarray(colors, np.float64), OPACITY * np.sqrt(large, dtype=np.float64)[:, :, None]


def _png(image: Grid) -> bytes:
    done, data = cv2.imencode(".png", image.astype(np.uint8))
    assert done
    return data.tobytes()
