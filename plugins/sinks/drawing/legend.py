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


def draw_legend(
    canvas: Canvas, style: Style, text: Text, drawing: Drawing, labels: Sequence[str]
) -> Area:
    """Draw the legend into the bottom left corner.

    Args:
        canvas: to draw on.
        style: of the image.
        text: measures texts.
        drawing: what is drawn.
        labels: of the detector.

    Returns:
        The area that it takes up.
    """
    rows = list(_rows(drawing, labels))
    height = text.size("", style.font)[1]
    sample, gap = round(SAMPLE_WIDTH * style.font), style.font // 2
    right = canvas.size[1] - sample - 3 * gap
    names = [text.shortened(name, style.font, right) for name, _, _ in rows]
    width = sample + 3 * gap + max(text.size(name, style.font)[0] for name in names)
    top = max(0, canvas.size[0] - len(rows) * height - gap)
    area = slice(top, canvas.size[0]), slice(0, min(width, canvas.size[1]))
    canvas.fill(area, CASING)
    for number, (name, (_, kind, color)) in enumerate(zip(names, rows, strict=True)):
        y = top + gap // 2 + number * height
        box = gap, y + height // 4, gap + sample, y + height - height // 4
        if kind == DASHED:
            canvas.dashed_box(box, color, style.line)
        else:
            canvas.box(box, color, style.thin if kind == THIN else style.line)
        canvas.text(name, (2 * gap + sample, y), style.font, SCENE)
    return area


def _rows(drawing: Drawing, labels: Sequence[str]) -> Iterator[tuple[str, str, Color]]:
    """Text, line style and color of each row."""
    if drawing.boxes:
        yield "track", SOLID, SCENE
        yield "track, not detected now", DASHED, SCENE
    if drawing.unconfirmed:
        yield "detection, no track yet", THIN, SCENE
    if drawing.color == "label":
        for number, label in enumerate(labels[:MAX_LABELS]):
            yield label, SOLID, color_of(number)
