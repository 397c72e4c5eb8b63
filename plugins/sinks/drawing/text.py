"""Text in images."""

from __future__ import annotations

import functools
import unicodedata

import cv2
import numpy as np

from vidan.types import Image

from .palette import Color

REMEMBERED = 4096
"""Texts whose width is kept; endless runs have endless identities."""

ENDLESS = (1 << 20, 1 << 10)
"""Width and height, px, of an image in which no text is wrapped at the edge."""


class Text:
    """Text with the TrueType font that OpenCV brings; any script it knows."""

    def __init__(self) -> None:
        self._face = cv2.FontFace("sans")
        self._sizes: dict[tuple[str, int], tuple[int, int]] = {}

    def size(self, text: str, font: int) -> tuple[int, int]:
        """Width and height that a text takes, px; the height is the line's."""
        key = text, font
        if key not in self._sizes:
            if len(self._sizes) >= REMEMBERED:
                self._sizes.clear()
            _, _, width, _ = cv2.getTextSize(ENDLESS, legible(text), (0, 0), self._face, font)
            self._sizes[key] = int(width), round(1.25 * font)
        return self._sizes[key]

    def shortened(self, text: str, font: int, width: int) -> str:
        """The text or, where it is wider than `width` px, its beginning and an ellipsis."""
        if self.size(text, font)[0] <= width:
            return text
        while text and self.size(f"{text}…", font)[0] > width:
            text = text[:-1].rstrip()
        return f"{text}…"

    def draw(
        self,
        canvas: Image,
        text: str,
        left: int,
        top: int,
        font: int,
        color: Color | tuple[int],
    ) -> None:
        """Draw a text whose line begins at the top-left corner given.

        The canvas is (H,W,3) or a single plane (H,W), and the color has as many values.
        """
        cv2.putText(canvas, legible(text), (left, top + font), color, self._face, font)


def legible(text: str) -> str:
    """The text in one line, without what the font would show as a question mark.

    A character that it does not have loses its accents or, if that does not help, becomes its
    code point (U+0939), so that different labels stay different.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_legible(char) for char in text)


@functools.lru_cache(maxsize=REMEMBERED)
def _legible(char: str) -> str:
    if not char.isprintable():
        return " "
    if _is_known(char):
        return char
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if c.isascii())
    return plain or f"U+{ord(char):04X}"


def _is_known(char: str) -> bool:
    """Whether the font has a character; OpenCV tells only by drawing a question mark."""
    return char == "?" or not np.array_equal(_drawn(char), _drawn("?"))


def _drawn(char: str) -> Image:
    canvas = np.zeros((32, 48, 3), np.uint8)
    cv2.putText(canvas, char, (4, 24), (255, 255, 255), cv2.FontFace("sans"), 20)
    return canvas
