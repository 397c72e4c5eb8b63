"""Drawing of shapes: trails, and the lines and zones of a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vidan.events import Shape
from vidan.geometry import right_normal

from .canvas import Canvas
from .highlights import Highlights
from .labels import Labels
from .palette import CASING, HIGHLIGHT, SCENE, Color, color_of
from .style import Style

MAX_COORDINATE_PX = 2**15
"""Coordinates are clipped to this, so that OpenCV's integers do not overflow."""

ARROW_LENGTH, ARROW_WIDTH = 10.0, 10.0
"""Of the arrow that shows "in", in line widths; a short line has a smaller one."""

MAX_ARROW_FRACTION = 1 / 3
"""Width of the arrow at most, as a fraction of its line."""

HIGHLIGHT_OPACITY = 0.3
"""Of the area of a zone that has just had an event."""

Pixels = npt.NDArray[np.int32]


def pixels(coordinates: npt.NDArray[np.floating]) -> Pixels:
    """Coordinates in whole px, clipped to MAX_COORDINATE_PX."""
    clipped = np.clip(coordinates, -MAX_COORDINATE_PX, MAX_COORDINATE_PX)
    return np.asarray(clipped.round(), np.int32)


def draw_shapes(
    canvas: Canvas,
    shapes: Sequence[Shape],
    style: Style,
    highlights: Highlights,
    colors: Mapping[int, Color],
) -> None:
    """Draw the shapes of tracks in the colors of these, and then those of the scene.

    Args:
        canvas: to draw on.
        shapes: of one frame.
        style: of the image.
        highlights: which shapes have just had an event.
        colors: of the tracks in the frame, by id.
    """
    _draw_of_tracks(canvas, [s for s in shapes if s.track is not None], style, colors)
    for shape in shapes:
        if shape.track is None:
            _draw_of_scene(canvas, shape, style, highlighted=highlights.has_rule(shape.rule))


def add_captions(shapes: Sequence[Shape], labels: Labels, colors: Mapping[int, Color]) -> None:
    """Place the captions of shapes at their highest points."""
    for shape in shapes:
        if shape.caption:
            x, y = pixels(shape.points)[shape.points[:, 1].argmin()].tolist()
            background = CASING if shape.track is None else _color(shape.track, colors)
            labels.add_caption((x, y), shape.caption, background)


def _outline(shape: Shape) -> npt.NDArray[np.float32]:
    """The points (N,2) to draw through."""
    if shape.kind == "path":
        return shape.points
    return np.concatenate([shape.points, shape.points[:1]])


def _color(track: int, colors: Mapping[int, Color]) -> Color:
    return colors.get(track) or color_of(track)


def _draw_of_tracks(
    canvas: Canvas, shapes: Sequence[Shape], style: Style, colors: Mapping[int, Color]
) -> None:
    if not shapes:
        return
    outlines = [_outline(shape) for shape in shapes]
    # All at once: a call for each of many short trails would cost more than drawing them.
    points = pixels(np.concatenate(outlines))
    ends = np.cumsum([0, *map(len, outlines)]).tolist()
    for shape, (begin, end) in zip(shapes, pairwise(ends), strict=True):
        canvas.path(points[begin:end], _color(shape.track or 0, colors), style.line)


def _draw_of_scene(canvas: Canvas, shape: Shape, style: Style, *, highlighted: bool) -> None:
    """Draw a line or a zone with dark edges, so that it is visible on any image."""
    color, line = (HIGHLIGHT, 2 * style.line) if highlighted else (SCENE, style.line)
    outline = pixels(_outline(shape))
    if highlighted and shape.kind == "polygon":
        canvas.fill_polygon(outline, color, HIGHLIGHT_OPACITY)
    arrow = _arrow(shape, style.line)
    edge = 2 * ((style.line + 1) // 2)
    canvas.path(outline, CASING, line + edge)
    if arrow is not None:
        closed = np.concatenate([arrow, arrow[:1]])
        canvas.path(closed, CASING, edge)
        canvas.fill_polygon(arrow, color, 1.0)
    canvas.path(outline, color, line)


def _arrow(shape: Shape, line: int) -> Pixels | None:
    """The triangle (3,2) in the middle of a line that points to "in"; None if it has none."""
    if shape.inward is None:
        return None
    start, end = shape.points[0].astype(np.float64), shape.points[-1].astype(np.float64)
    length = float(np.hypot(*(end - start)))
    if length == 0:
        return None
    scale = line * min(1.0, MAX_ARROW_FRACTION * length / (ARROW_WIDTH * line))
    toward = right_normal(start, end) * (1 if shape.inward == "right" else -1)
    middle, along = (start + end) / 2, (end - start) / length
    half = along * ARROW_WIDTH * scale / 2
    tip = middle + toward * ARROW_LENGTH * scale
    return pixels(np.stack([middle - half, tip, middle + half]))
