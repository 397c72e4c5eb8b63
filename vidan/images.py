"""Images as arrays: RGB, YUV 4:2:0, and scaling."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""An image: (H,W,3) uint8, RGB."""


class ColorSpec(NamedTuple):
    """How the values of a YUV image are to be interpreted.

    Attributes:
        matrix: coefficients as numbered in ITU-T H.273: 1 is BT.709, 5 and 6 are BT.601.
        full_range: whether values use 0 to 255; otherwise luma uses 16 to 235.
    """

    matrix: int
    full_range: bool


class YuvPlanes(NamedTuple):
    """An image in YUV 4:2:0, as decoders produce it and encoders accept it.

    Attributes:
        y: (H,W) uint8, luma.
        u: (ceil(H/2),ceil(W/2)) uint8, blue-difference chroma.
        v: as u, red-difference chroma.
        colors: how to interpret the values.
    """

    y: npt.NDArray[np.uint8]
    u: npt.NDArray[np.uint8]
    v: npt.NDArray[np.uint8]
    colors: ColorSpec


def resize(image: Image, width: int, height: int) -> Image:
    """Scale an image, regardless of its aspect ratio.

    Along an axis that shrinks, areas are averaged; along one that grows, interpolation is
    bilinear.

    Args:
        image: (H,W,3) uint8.
        width: of the result, px.
        height: of the result, px.

    Returns:
        (height,width,3) uint8, contiguous and never shared with `image`.
    """
    import cv2  # here, so that `import vidan` loads no image library

    own = (image.shape[1], image.shape[0])
    smaller = (min(width, own[0]), min(height, own[1]))
    scaled = image
    if smaller != own:
        scaled = np.asarray(cv2.resize(image, smaller, interpolation=cv2.INTER_AREA), np.uint8)
    if smaller != (width, height):
        scaled = np.asarray(
            cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
        )
    return image.copy() if scaled is image else scaled


def jpeg(image: Image, quality: int = 90) -> bytes:
    """An image (H,W,3) uint8 RGB as JPEG of a quality from 1 to 100."""
    import cv2  # here, so that `import vidan` loads no image library

    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)[1])
