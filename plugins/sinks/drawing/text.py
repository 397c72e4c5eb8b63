"""Text in images."""

from __future__ import annotations

import bisect
import functools
import unicodedata

import cv2
import numpy as np

from vidan.types import Image

from .palette import Color

CACHE_SIZE = 4096
"""Number of texts whose size is cached; a long run has unlimited ids."""

UNBOUNDED = (1 << 20, 1 << 10)
"""Width and height, px, of an image so large that OpenCV does not wrap text in it."""

LINE_HEIGHT = 1.25
"""Height of a line of text, in font sizes."""


class Text:
    """Measures and draws text with the TrueType font of OpenCV, which caches its glyphs."""

    def __init__(self) -> None:
        self._face = cv2.FontFace("sans")
        self._sizes: dict[tuple[str, int], tuple[int, int]] = {}

    def size(self, text: str, font: int) -> tuple[int, int]:
        """Width of a text and height of its line, px, at a font size in px."""
        key = text, font
        if key not in self._sizes:
            if len(self._sizes) >= CACHE_SIZE:
                self._sizes.clear()
            _, _, width, _ = cv2.getTextSize(UNBOUNDED, legible(text), (0, 0), self._face, font)
            self._sizes[key] = int(width), round(LINE_HEIGHT * font)
        return self._sizes[key]

    def shortened(self, text: str, font: int, max_width: int) -> str:
        """The text or, if it is wider than `max_width` px, its beginning with an ellipsis."""
        fits = len(text) <= max_width  # no character is narrower than 1 px
        if fits and self.size(text, font)[0] <= max_width:
            return text
        text = text[: max_width + 1]
        count = bisect.bisect_right(
            range(1, len(text) + 1), max_width, key=lambda n: self.size(f"{text[:n]}…", font)[0]
        )
        return f"{text[:count].rstrip()}…"

    def draw(
        self,
        image: Image,
        text: str,
        left: int,
        top: int,
        font: int,
        color: Color | tuple[int],
    ) -> None:
        """Draw a line of text, given its top-left corner.

        The image is (H,W,3), or a single plane (H,W) with a color of one value.
        """
        cv2.putText(image, legible(text), (left, top + font), color, self._face, font)


def legible(text: str) -> str:
    """The text on one line, without characters that the font would draw as a question mark.

    A character that is not in the font is replaced by its ASCII base characters or, if it has
    none, by its code point (U+0939), so that different labels remain different.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_legible(char) for char in text)


@functools.lru_cache(maxsize=CACHE_SIZE)
def _legible(char: str) -> str:
    if not char.isprintable():
        return " "
    if _is_in_font(char):
        return char
    ascii_base = "".join(c for c in unicodedata.normalize("NFKD", char) if c.isascii())
    return ascii_base or f"U+{ord(char):04X}"


def _is_in_font(char: str) -> bool:
    """Whether the font has a character; OpenCV draws a question mark otherwise."""
    return char == "?" or not np.array_equal(_drawn(char), _drawn("?"))


def _drawn(char: str) -> Image:
    image = np.zeros((32, 48, 3), np.uint8)
    cv2.putText(image, char, (4, 24), (255, 255, 255), cv2.FontFace("sans"), 20)
    return image
