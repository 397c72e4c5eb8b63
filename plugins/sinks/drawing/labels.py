"""Labels in images: their texts and where they are placed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from .canvas import Area, Canvas, Corners, Point
from .palette import Color, text_color_on
from .text import Text

REFERENCE_HEIGHT_PX = 1080
"""Height of an image in which lines and text have the sizes below."""

LINE_PX, FONT_PX = 3.0, 24.0
"""Line width and font size in an image of REFERENCE_HEIGHT_PX."""

MIN_LINE_PX, MIN_FONT_PX = 2, 11
"""Smaller lines would be invisible, and smaller text illegible."""

MIN_HEIGHT_FOR_SCORES_PX = 480
"""Height from which on an image has room for scores in its labels."""

MAX_WIDTH_FRACTION = 1 / 3
"""Width of a name, as a fraction of the image, unless its box is wider."""


class Style(NamedTuple):
    """Line width and font size, px, and whether labels contain scores."""

    line: int
    font: int
    scores: bool

    @classmethod
    def of(cls, height: int) -> Style:
        """The style for an image of a height, px."""
        scale = height / REFERENCE_HEIGHT_PX
        return cls(
            max(MIN_LINE_PX, round(LINE_PX * scale)),
            max(MIN_FONT_PX, round(FONT_PX * scale)),
            height >= MIN_HEIGHT_FOR_SCORES_PX,
        )


class Labels:
    """The labels of one image: inside it, and not covering each other where that is possible.

    They are placed first and drawn together, so that no box is drawn over a label.
    """

    def __init__(self, canvas: Canvas, style: Style, text: Text) -> None:
        self._canvas, self._style, self._text = canvas, style, text
        self._placed: list[tuple[str, Area, Color]] = []
        self._occupied = np.zeros(canvas.size, np.bool_)

    def add(
        self, corners: Corners, name: str, short: str, score: float | None, color: Color
    ) -> None:
        """Place the label of a box: above the box, else below it, else inside.

        The label is abbreviated where its full text would cover a label placed before it.
        """
        text, area = self._find_place(corners, self._texts(corners, name, short, score))
        self._occupied[area] = True
        self._placed.append((text, area, color))

    def add_caption(self, point: Point, text: str, color: Color) -> None:
        """Place a caption beside a point, or as near to it as there is room."""
        text = self._shortened(text, self._canvas.size[1] - 2 * self._style.line - 2)
        corners = (*point, *point)
        area = next(
            (a for a in self._stacked(text, corners) if not self._occupied[a].any()),
            next(self._areas(text, corners)),
        )
        self._occupied[area] = True
        self._placed.append((text, area, color))

    def _stacked(self, text: str, corners: Corners) -> Iterator[Area]:
        """Places for a caption: those of a label, then other rows, the nearest first."""
        yield from self._areas(text, corners)
        for rows, columns in self._areas(text, corners):
            height = rows.stop - rows.start
            for y in sorted(
                range(self._canvas.size[0] - height + 1), key=lambda y: abs(y - rows.start)
            ):
                yield slice(y, y + height), columns

    def _find_place(self, corners: Corners, texts: Iterable[str]) -> tuple[str, Area]:
        """The first text with the first area that is free, or the last of both."""
        for text in texts:
            for area in self._areas(text, corners):
                if not self._occupied[area].any():
                    return text, area
        return text, area

    def draw(self) -> None:
        """Draw all labels."""
        for text, (rows, columns), color in self._placed:
            self._canvas.fill((rows, columns), color)
            place = columns.start + self._style.line, rows.start
            self._canvas.text(text, place, self._style.font, text_color_on(color))

    def _texts(self, corners: Corners, name: str, short: str, score: float | None) -> Iterator[str]:
        """Texts for the label, the most informative first."""
        limit = self._canvas.size[1] - 2 * self._style.line - 2
        room = min(max(corners[2] - corners[0], int(limit * MAX_WIDTH_FRACTION)), limit)
        shortened = self._shortened(name, room)
        if score is not None and self._style.scores:
            yield self._shortened(f"{shortened} {score:.2f}", limit)
        yield shortened
        yield self._shortened(short, room)

    def _shortened(self, text: str, max_width: int) -> str:
        return self._text.shortened(text, self._style.font, max_width)

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
