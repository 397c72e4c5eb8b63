"""Labels in images: what they say, and where they have room."""

from __future__ import annotations

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
        """Place a label at a box: above it, else below, else inside.

        It says less where what it could say has no room beside the labels that are there.
        """
        tries = [
            (text, area)
            for text in self._texts(corners, name, short, score)
            for area in self._areas(text, corners)
        ]
        free = (each for each in tries if not self._taken[each[1]].any())
        text, area = next(free, tries[-1])
        self._taken[area] = True
        self._placed.append((text, area, color))

    def draw(self) -> None:
        """Draw all labels."""
        for text, (rows, columns), color in self._placed:
            self._canvas.fill((rows, columns), color)
            place = columns.start + self._style.line, rows.start
            self._canvas.text(text, place, self._style.font, ink_on(color))

    def _texts(self, corners: Corners, name: str, short: str, score: float | None) -> list[str]:
        """What the label can say, most first."""
        limit = self._canvas.size[1] - 2 * self._style.line - 2
        room = min(max(corners[2] - corners[0], limit // NAME_SHARE), limit)
        texts = [self._shortened(name, room), self._shortened(short, room)]
        if score is not None and self._style.scores:
            texts.insert(0, self._shortened(f"{texts[0]} {score:.2f}", limit))
        return texts

    def _shortened(self, text: str, width: int) -> str:
        return self._text.shortened(text, self._style.font, width)

    def _areas(self, text: str, corners: Corners) -> list[Area]:
        """Where the label can be, best first; the last is the best of those inside the image."""
        left, top, right, bottom = corners
        width, height = self._text.size(text, self._style.font)
        width += 2 * self._style.line + 2
        limit_x, limit_y = self._canvas.size[1] - width, self._canvas.size[0] - height
        half = self._style.line // 2
        xs = [min(max(0, x), max(0, limit_x)) for x in (left - half, right + half + 1 - width)]
        inside = min(max(0, top), max(0, limit_y))
        rows = (top - height, bottom, inside, inside + height, inside + 2 * height)
        ys = [y for y in rows if 0 <= y <= limit_y]
        places = [(x, y) for x in xs for y in ys or [inside]]
        return [(slice(y, y + height), slice(x, x + width)) for x, y in (*places, places[0])]
