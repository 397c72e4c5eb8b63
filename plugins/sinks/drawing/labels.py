"""Labels in images: what they say, and where they have room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .canvas import Area, Canvas, Corners
from .palette import Color, ink_on
from .text import Text

REFERENCE_HEIGHT = 1080
"""Image height, px, at which lines and text have the sizes below."""

LINE, FONT = 3.0, 24.0
THINNEST, SMALLEST_FONT = 2, 11
"""Sizes in px; anything smaller could not be seen or read."""

SCORES_FROM = 480
"""Image height, px, from which labels have room for a score."""

NAME_SHARE = 3
"""The part of the image's width that a label may take, 1 / NAME_SHARE, or else its box's."""


class Style(NamedTuple):
    """Sizes for one image, px."""

    line: int
    font: int
    scores: bool

    @classmethod
    def of(cls, height: int) -> Style:
        """The style for an image of that height."""
        scale = height / REFERENCE_HEIGHT
        return cls(
            max(THINNEST, round(LINE * scale)),
            max(SMALLEST_FONT, round(FONT * scale)),
            height >= SCORES_FROM,
        )


class Labels:
    """The labels of one image: drawn last, inside it, and beside each other where that goes."""

    def __init__(self, canvas: Canvas, style: Style, text: Text) -> None:
        self._canvas, self._style, self._text = canvas, style, text
        self._placed: list[tuple[str, Area, Color]] = []
        self._taken = np.zeros(canvas.size, np.bool_)

    def add(
        self, corners: Corners, name: str, short: str, score: float | None, color: Color
    ) -> None:
        """Place the label of a box: above the box, else below it, else inside.

        The label is abbreviated where its full text would cover a label placed before it.
        """
        for text in self._texts(corners, name, short, score):
            for area in self._areas(text, corners):
                if not self._taken[area].any():
                    return self._place(text, area, color)
        return self._place(text, area, color)  # every place is taken: cover another label

    def _place(self, text: str, area: Area, color: Color) -> None:
        self._taken[area] = True
        self._placed.append((text, area, color))

    def draw(self) -> None:
        """Draw all labels."""
        for text, (rows, columns), color in self._placed:
            self._canvas.fill((rows, columns), color)
            place = columns.start + self._style.line, rows.start
            self._canvas.text(text, place, self._style.font, ink_on(color))

    def _texts(self, corners: Corners, name: str, short: str, score: float | None) -> Iterator[str]:
        """Texts for the label, the most informative first."""
        limit = self._canvas.size[1] - 2 * self._style.line - 2
        room = min(max(corners[2] - corners[0], limit // NAME_SHARE), limit)
        shortened = self._shortened(name, room)
        if score is not None and self._style.scores:
            yield self._shortened(f"{shortened} {score:.2f}", limit)
        yield shortened
        yield self._shortened(short, room)

    def _shortened(self, text: str, width: int) -> str:
        return self._text.shortened(text, self._style.font, width)

    def _areas(self, text: str, corners: Corners) -> Iterator[Area]:
        """Places for the label, the best first; the last is the best of those inside the image."""
        left, top, right, bottom = corners
        width, height = self._text.size(text, self._style.font)
        width += 2 * self._style.line + 2
        limit_x, limit_y = max(0, self._canvas.size[1] - width), self._canvas.size[0] - height
        half = self._style.line // 2
        inside = min(max(0, top), max(0, limit_y))
        rows = (top - height, bottom, inside, inside + height, inside + 2 * height)
        ys = [y for y in rows if 0 <= y <= limit_y] or [inside]
        for left_edge in (left - half, right + half + 1 - width):
            x = min(max(0, left_edge), limit_x)
            columns = slice(x, x + width)
            for y in ys:
                yield slice(y, y + height), columns
        x = min(max(0, left - half), limit_x)
        yield slice(ys[0], ys[0] + height), slice(x, x + width)
