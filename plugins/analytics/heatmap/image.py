"""A grid of values as colors over an image."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vidan.types import Image

OPACITY = 0.7
"""Of the color of the highest value."""

BLUR = 0.7
"""Standard deviation of the blur, in cells."""

TOP = 99.0
"""Percentile of the values above 0 that has the last color."""


def heatmap_png(image: Image, values: npt.NDArray[np.float64]) -> bytes:
    """A PNG file of an image (H,W,3) RGB, colored by a grid of values (R,C) of at least 0.

    Colors follow the square root of the values: a few places where someone waits would leave the
    paths without a color otherwise.
    """
    smooth = np.asarray(cv2.GaussianBlur(values, (0, 0), BLUR))
    used = smooth[smooth > 0]
    top = float(np.percentile(used, TOP)) if len(used) else 1.0
    scaled = np.sqrt(np.clip(smooth / top, 0, 1)).astype(np.float32)
    height, width = image.shape[:2]
    large = np.clip(cv2.resize(scaled, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    colors = cv2.applyColorMap((large * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2BGR)
    opacity = OPACITY * np.sqrt(large)[:, :, None]
    mixed = gray * (1 - opacity) + colors * opacity
    done, data = cv2.imencode(".png", mixed.astype(np.uint8))
    assert done
    return data.tobytes()
