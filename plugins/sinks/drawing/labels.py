"""Labels in images: their texts and where they are placed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .canvas import Area, Canvas, Corners, Point
from .palette import Color, text_color_on
from .style import Style
from .text import Text

MAX_WIDTH_FRACTION = 1 / 3
"""Width of a name, as a fraction of the image, unless its box is wider."""

MAX_COVERED = (0.02, 0.1, 0.25)
"""Fraction of another box that a label may cover: the first of these that is possible with one of
its texts and places. A label that would cover more is left out."""


class Label(NamedTuple):
    """The label of a box.

    Attributes:
        corners: of the box.
        texts: the most informative first; empty for no label.
        color: of its background.
    """

    corners: Corners
    texts: Sequence[str]
    color: Color


class Labels:
    """The labels of one image: inside it, and covering neither each other nor other boxes.

    They are placed first and drawn together, so that no box is drawn over a label.
    """

    def __init__(self, canvas: Canvas, style: Style, text: Text) -> None:
        self._canvas, self._style, self._text = canvas, style, text
        self._height = text.size("", style.font)[1]
        self._labels: list[Label] = []
        self._boxes: list[Corners] = []
        self._placed: list[tuple[str, Area, Color]] = []
        self._occupied = np.zeros(canvas.size, np.bool_)

    def add(
        self, corners: Corners, tag: str, label: str, score: float | None, color: Color
    ) -> None:
        """Add the label of a box: above the box, else below it, else inside.

        It is shortened where it would cover another label or too much of another box, and left
        out where even that does not help.

        Args:
            corners: of the box.
            tag: the part that is kept when it is shortened; "" for none.
            label: "" for none.
            score: None for none.
            color: of its background.
        """
        self._boxes.append(corners)
        self._labels.append(Label(corners, self._texts(corners, tag, label, score), color))

    def add_caption(self, point: Point, text: str, color: Color) -> None:
        """Place a caption beside a point, or as near to it as there is room."""
        text = self._shortened(text, self._canvas.size[1] - 2 * self._style.line - 2)
        corners = (*point, *point)
        outside, inside = self._rows_outside(corners), self._rows_inside(corners)
        areas = [*self._areas(text, corners, outside), *self._areas(text, corners, inside)]
        free = (area for area in self._stacked(areas) if not self._occupied[area].any())
        self._place(text, next(free, areas[0]), color)

    def reserve(self, area: Area) -> None:
        """Keep labels out of an area."""
        self._occupied[area] = True

    def draw(self) -> None:
        """Place the labels of the boxes, in order, and draw all."""
        for label in self._labels:
            found = self._find_place(label) if label.texts else None
            if found is not None:
                self._place(*found, label.color)
        for text, (rows, columns), color in self._placed:
            self._canvas.fill((rows, columns), color)
            place = columns.start + self._style.line, rows.start
            self._canvas.text(text, place, self._style.font, text_color_on(color))

    def _find_place(self, label: Label) -> tuple[str, Area] | None:
        """The first text and place that cover no label and as little as possible of a box."""
        near = self._near(label)
        rest: list[tuple[float, str, Area]] = []
        for text, area in self._candidates(label):
            part = _most_covered(area, near) if near else 0.0
            if part > MAX_COVERED[0]:
                rest.append((part, text, area))
            elif not self._occupied[area].any():
                return text, area
        for limit in MAX_COVERED[1:]:
            for part, text, area in rest:
                if part <= limit and not self._occupied[area].any():
                    return text, area
        return None

    def _near(self, label: Label) -> list[Corners]:
        """The other boxes that a label could cover."""
        left, top, right, bottom = label.corners
        reach = self._width(label.texts[0]) + self._style.line
        x1, x2 = min(left, right - reach), max(right, left + reach)
        y1, y2 = top - self._height, bottom + 3 * self._height
        return [
            box
            for box in self._boxes
            if box[0] < x2 and box[2] > x1 and box[1] < y2 and box[3] > y1 and box != label.corners
        ]

    def _candidates(self, label: Label) -> Iterator[tuple[str, Area]]:
        """Texts and places for a label, the best first: all outside the box before those inside."""
        for rows in self._rows_outside(label.corners), self._rows_inside(label.corners):
            for text in label.texts:
                for area in self._areas(text, label.corners, rows):
                    yield text, area

    def _rows_outside(self, corners: Corners) -> list[int]:
        """First rows of the places above and below a box, those that are inside the image."""
        limit = self._canvas.size[0] - self._height
        return [y for y in (corners[1] - self._height, corners[3]) if 0 <= y <= limit]

    def _rows_inside(self, corners: Corners) -> list[int]:
        """First rows of the places inside a box, from the top."""
        limit = max(0, self._canvas.size[0] - self._height)
        top = min(max(0, corners[1]), limit)
        further = (top + self._height, top + 2 * self._height)
        return [top, *(y for y in further if y <= limit)]

    def _areas(self, text: str, corners: Corners, rows: Sequence[int]) -> Iterator[Area]:
        """Places at the left and the right end of a box, given their first rows."""
        width, height, half = self._width(text), self._height, self._style.line // 2
        limit = max(0, self._canvas.size[1] - width)
        for left in (corners[0] - half, corners[2] + half + 1 - width):
            x = min(max(0, left), limit)
            columns = slice(x, x + width)
            for y in rows:
                yield slice(y, y + height), columns

    def _stacked(self, areas: Sequence[Area]) -> Iterator[Area]:
        """Places for a caption: those given, then other rows, the nearest first."""
        yield from areas
        for rows, columns in areas:
            ys = range(self._canvas.size[0] - self._height + 1)
            for y in sorted(ys, key=lambda y: abs(y - rows.start)):
                yield slice(y, y + self._height), columns

    def _place(self, text: str, area: Area, color: Color) -> None:
        self._occupied[area] = True
        self._placed.append((text, area, color))

    def _texts(self, corners: Corners, tag: str, label: str, score: float | None) -> list[str]:
        """Texts for a label, the most informative first."""
        limit = self._canvas.size[1] - 2 * self._style.line - 2
        room = min(max(corners[2] - corners[0], int(limit * MAX_WIDTH_FRACTION)), limit)
        both = tag and label
        name = self._shortened(f"{tag} {label}" if both else tag or label, room)
        texts = [name] if name else []
        if score is not None:
            full = f"{name} {score:.2f}" if name else f"{score:.2f}"
            texts.insert(0, self._shortened(full, limit))
        if both:
            texts.append(self._shortened(tag, room))
        return texts

    def _shortened(self, text: str, max_width: int) -> str:
        return self._text.shortened(text, self._style.font, max_width)

    def _width(self, text: str) -> int:
        """Width of a label, px."""
        return self._text.size(text, self._style.font)[0] + 2 * self._style.line + 2


def _most_covered(area: Area, boxes: Sequence[Corners]) -> float:
    """The largest fraction of one of the boxes that an area covers."""
    rows, columns = area
    top, bottom, left, right = rows.start, rows.stop, columns.start, columns.stop
    most = 0.0
    for x1, y1, x2, y2 in boxes:
        if x1 < right and x2 > left and y1 < bottom and y2 > top:
            width = min(right, x2) - max(left, x1)
            height = min(bottom, y2) - max(top, y1)
            most = max(most, width * height / ((x2 - x1) * (y2 - y1)))
    return most
