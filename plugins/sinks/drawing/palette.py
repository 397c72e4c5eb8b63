"""Colors that distinguish ids and classes."""

from __future__ import annotations

import functools
import math

import numpy as np

Color = tuple[int, int, int]
"""Red, green and blue of sRGB, 0 to 255."""

SCENE: Color = (255, 255, 255)
"""Of lines and zones: unlike that of any id or class."""

HIGHLIGHT: Color = (255, 60, 60)
"""Of what has just had an event."""

CASING: Color = (0, 0, 0)
"""Of the edges of lines and zones."""

HUE_STEP = (math.sqrt(5) - 1) / 2
"""Golden ratio: hues of successive numbers, in turns of the color circle, are far apart."""

LIGHTNESS_STEP = 0.7548776662466927
"""1 / plastic number: lightness differs where hues nearly repeat, such as after 34 numbers."""

MIN_LIGHTNESS, MAX_LIGHTNESS, CHROMA = 0.64, 0.84, 0.14
"""In OKLCH: visible on most images, and none stands out from the others."""

OKLAB_TO_LINEAR_SRGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)

EQUAL_CONTRAST_LUMINANCE = 0.179
"""Black and white text are equally readable on a color of this luminance, by the contrast ratio of
WCAG 2.2, (lighter + 0.05) / (darker + 0.05)."""


@functools.lru_cache(maxsize=4096)
def color_of(number: int) -> Color:
    """The color of an id or a class index; successive numbers have clearly different colors.

    Converted from OKLCH to sRGB (Ottosson 2020, "A perceptual color space for image processing").
    """
    hue = 2 * math.pi * ((number * HUE_STEP) % 1.0)
    lightness = MIN_LIGHTNESS + (MAX_LIGHTNESS - MIN_LIGHTNESS) * (number * LIGHTNESS_STEP % 1.0)
    a, b = CHROMA * math.cos(hue), CHROMA * math.sin(hue)
    cone = np.array(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    linear = OKLAB_TO_LINEAR_SRGB @ cone**3
    srgb = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    )
    red, green, blue = (255 * np.clip(srgb, 0, 1)).round().astype(int).tolist()
    return red, green, blue


def text_color_on(color: Color) -> Color:
    """Black or white, whichever is easier to read on a color."""
    return (0, 0, 0) if _luminance(color) > EQUAL_CONTRAST_LUMINANCE else (255, 255, 255)


def _luminance(color: Color) -> float:
    """Relative luminance in [0,1] of an sRGB color (ITU-R BT.709, gamma taken as 2.2)."""
    red, green, blue = (math.pow(channel / 255, 2.2) for channel in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
