"""A key to the line styles and the colors of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .canvas import Area, Canvas
from .options import Drawing
from .palette import CASING, SCENE, Color, color_of
from .style import Style
from .text import Text

SAMPLE_WIDTH = 2.5
"""Width of the sample of a line, in font sizes."""

MAX_LABELS = 8
"""Most labels that are listed with their colors."""

SOLID, DASHED, THIN = "solid", "dashed", "thin"


class Legend:
    """The legend in the bottom left corner of an image.

    Args:
        canvas: to draw on.
        style: of the image.
        text: measures texts.
        drawing: what is drawn.
        labels: of the detector.

    Attributes:
        area: that it takes up.
    """

    def __init__(
        self, canvas: Canvas, style: Style, text: Text, drawing: Drawing, labels: Sequence[str]
    ) -> None:
        self._canvas, self._style = canvas, style
        self._rows = list(_rows(drawing, labels))
        self._height = text.size("", style.font)[1]
        self._sample, self._gap = round(SAMPLE_WIDTH * style.font), style.font // 2
        beside = self._sample + 3 * self._gap
        right = canvas.size[1] - beside
        self._names = [text.shortened(name, style.font, right) for name, _, _ in self._rows]
        width = beside + max(text.size(name, style.font)[0] for name in self._names)
        self._top = max(0, canvas.size[0] - len(self._rows) * self._height - self._gap)
        self.area: Area = (
            slice(self._top, canvas.size[0]),
            slice(0, min(width, canvas.size[1])),
        )

    def draw(self) -> None:
        """Draw it over what is there."""
        canvas, style, gap, height = self._canvas, self._style, self._gap, self._height
        canvas.fill(self.area, CASING)
        for number, (name, (_, kind, color)) in enumerate(
            zip(self._names, self._rows, strict=True)
        ):
            y = self._top + gap // 2 + number * height
            box = gap, y + height // 4, gap + self._sample, y + height - height // 4
            if kind == DASHED:
                canvas.dashed_box(box, color, style.line)
            else:
                canvas.box(box, color, style.thin if kind == THIN else style.line)
            canvas.text(name, (2 * gap + self._sample, y), style.font, SCENE)


def _rows(drawing: Drawing, labels: Sequence[str]) -> Iterator[tuple[str, str, Color]]:
    """Text, line style and color of each row."""
    if drawing.boxes:
        yield "track", SOLID, SCENE
        yield "track, not detected now", DASHED, SCENE
    if drawing.unconfirmed:
        yield "detection, no track yet", THIN, SCENE
    if drawing.color == "label":
        for number in drawing.kept(labels)[:MAX_LABELS]:
            yield labels[number], SOLID, color_of(number)
