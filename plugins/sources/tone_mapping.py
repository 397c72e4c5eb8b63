"""High dynamic range (HDR) shown with the range and the primaries of BT.709.

Light up to `WHITE` keeps its luminance, as the BT.1886 display that BT.709 video is made for shows
it; brighter light becomes white. Colors outside the primaries of BT.709 are clipped.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from vidan.images import Image

PQ, HLG = 16, 18
"""Transfer characteristics of HDR video: SMPTE ST 2084 and ARIB STD-B67 (ITU-T H.273)."""

WHITE = 100.0
"""Luminance of white in BT.709 video, cd/m2 (ITU-R BT.2035)."""

DISPLAY_GAMMA = 2.4
"""Of BT.1886."""

LEVELS = 4096
"""Number of levels of linear light that are told apart on encoding."""

Table = npt.NDArray[np.float32]

BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
"""ITU-R BT.2087, for linear light."""

BT2020_LUMA = np.array([[0.2627, 0.678, 0.0593]], np.float32)

HLG_PEAK, HLG_GAMMA = 1000.0, 1.2
"""Peak luminance, cd/m2, and system gamma of the display for HLG (ITU-R BT.2100)."""


def is_hdr(transfer: int) -> bool:
    """Whether images with these transfer characteristics need `tone_mapped`."""
    return transfer in (PQ, HLG)


def tone_mapped(rgb: npt.NDArray[np.uint16], transfer: int) -> Image:
    """An HDR image for display with BT.709.

    Args:
        rgb: (H,W,3) uint16, not linear, with the primaries of BT.2020. 8 bits are too few.
        transfer: `PQ` or `HLG`.

    Returns:
        (H,W,3) uint8.
    """
    light = _linear_light(transfer)[rgb]
    if transfer == HLG:  # so far of the scene; on a display depends on the luminance
        luminance = cv2.transform(light, BT2020_LUMA)
        light *= (HLG_PEAK / WHITE) * cv2.pow(luminance, HLG_GAMMA - 1).reshape(*rgb.shape[:2], 1)
    light = np.asarray(cv2.transform(light, BT2020_TO_BT709), np.float32)
    np.clip(light, 0, 1, out=light)
    # Its square root spreads dark levels evenly over the table.
    index = (cv2.sqrt(light) * (LEVELS - 1) + 0.5).astype(np.uint16)
    return _encoded()[index]


@cache
def _linear_light(transfer: int) -> Table:
    """Linear light of the 65536 values: in units of WHITE for PQ, of the scene for HLG."""
    value = np.arange(2**16) / (2**16 - 1)
    if transfer == HLG:  # ITU-R BT.2100, table 5
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
    else:  # ITU-R BT.2100, table 4
        m1, m2, c1, c2, c3 = 2610 / 16384, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = value ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * 10_000 / WHITE
    return light.astype(np.float32)


@cache
def _encoded() -> npt.NDArray[np.uint8]:
    """The value of BT.709 video for the square root of each level."""
    root = np.arange(LEVELS) / (LEVELS - 1)
    return np.rint(255 * root ** (2 / DISPLAY_GAMMA)).astype(np.uint8)
