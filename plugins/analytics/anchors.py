"""Which anchors are in the image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidan.geometry import Anchor
from vidan.types import Result

BORDER = 0.02
"""Width of the strip, in image sizes, in which an edge of a box is probably that of the image."""


def anchors_visible(result: Result, anchor: Anchor) -> npt.NDArray[np.bool_]:
    """Which tracks (N,) are not cut off by an edge of the image that their anchor depends on."""
    width, height = result.frame.width, result.frame.height
    x1, y1, x2, y2 = result.tracks.boxes.T
    visible = (x1 > BORDER * width) & (x2 < (1 - BORDER) * width)
    if anchor != "top":
        visible &= y2 < (1 - BORDER) * height
    if anchor != "bottom":
        visible &= y1 > BORDER * height
    return np.asarray(visible)
