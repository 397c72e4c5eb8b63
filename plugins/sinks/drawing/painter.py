"""Draws boxes, labels and shapes, for every sink that shows images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vidan.events import Shape
from vidan.types import Image, Result, YuvPlanes

from .canvas import Canvas, Corners, RgbCanvas, YuvCanvas
from .labels import Labels, Style
from .palette import Color, color_of
from .text import Text

DASH_LENGTH = 8
"""Length of the dashes, and of the gaps, of a coasting track's box, in line widths."""

MAX_COORDINATE_PX = 2**15
"""Coordinates are clipped to this, so that OpenCV's integers do not overflow."""


class Painter:
    """Draws results. To be used by a single thread."""

    def __init__(self) -> None:
        self._text = Text()

    def annotate(self, result: Result) -> Image:
        """A copy of the frame's image with the result drawn on it: (H,W,3) uint8 RGB."""
        image = result.frame.rgb().copy()
        self._draw(result, RgbCanvas(image, self._text))
        return image

    def draw_on(self, planes: YuvPlanes, result: Result) -> None:
        """Draw a result on writable planes of its frame's image."""
        self._draw(result, YuvCanvas(planes, self._text))

    def _draw(self, result: Result, canvas: Canvas) -> None:
        """Draw shapes, then tracks and unmatched detections, then their labels.

        A track has a thick box, dashed while it is coasting, in the color of its id; a detection
        without a track has a thin box in the color of its class.
        """
        style = Style.of(result.frame.height)
        _draw_shapes(canvas, result.shapes, style)
        labels = Labels(canvas, style, self._text)
        _add_captions(result.shapes, labels)  # first: they stay where they are
        _draw_tracks(canvas, result, style, labels)
        _draw_unmatched(canvas, result, style, labels)  # last: tracks place their labels first
        labels.draw()


def _draw_shapes(canvas: Canvas, shapes: Sequence[Shape], style: Style) -> None:
    """Draw paths and polygons in the colors of their tracks."""
    if not shapes:
        return
    corners = [
        shape.points if shape.kind == "path" else np.concatenate([shape.points, shape.points[:1]])
        for shape in shapes
    ]
    # All at once: a call for each of many short trails would cost more than drawing them.
    pixels = np.clip(np.concatenate(corners), -(2**15), 2**15).round().astype(np.int32)
    end = 0
    for shape, points in zip(shapes, corners, strict=True):
        begin, end = end, end + len(points)
        color = color_of(0 if shape.track is None else shape.track)
        canvas.path(pixels[begin:end], color, style.line)


def _add_captions(shapes: Sequence[Shape], labels: Labels) -> None:
    """Place the captions of shapes at their first points."""
    for shape in shapes:
        if shape.caption:
            x, y = _pixels(shape.points[0]).tolist()
            color = color_of(0 if shape.track is None else shape.track)
            labels.add((x, y, x, y), shape.caption, shape.caption, None, color)


def _draw_tracks(canvas: Canvas, result: Result, style: Style, labels: Labels) -> None:
    tracks = result.tracks
    for number, corners, score, class_index, misses in zip(
        tracks.ids.tolist(),
        _corners(tracks.boxes),
        tracks.scores.tolist(),
        tracks.classes.tolist(),
        tracks.misses.tolist(),
        strict=True,
    ):
        color = color_of(number)
        if misses:
            _draw_dashed(canvas, corners, color, style.line)
        else:
            canvas.box(corners, color, style.line)
        name = f"#{number} {result.label(class_index)}"
        # The score of a coasting track is out of date.
        labels.add(corners, name, f"#{number}", None if misses else score, color)


def _draw_unmatched(canvas: Canvas, result: Result, style: Style, labels: Labels) -> None:
    """Draw the detections without a track: all of them if nothing is tracked."""
    found = result.detections
    matched = set(result.tracks.detection.tolist())
    rows = zip(_corners(found.boxes), found.scores.tolist(), found.classes.tolist(), strict=True)
    for row, (corners, score, class_index) in enumerate(rows):
        if row in matched:
            continue
        color = color_of(class_index)
        canvas.box(corners, color, (style.line + 1) // 2)
        label = result.label(class_index)
        labels.add(corners, label, label, score, color)


def _pixels(coordinates: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Coordinates in whole px, clipped to MAX_COORDINATE_PX."""
    clipped = np.clip(coordinates, -MAX_COORDINATE_PX, MAX_COORDINATE_PX)
    return clipped.round().astype(np.int32)


def _corners(boxes: npt.NDArray[np.float32]) -> list[Corners]:
    """Boxes (N,4) in whole px."""
    return [(left, top, right, bottom) for left, top, right, bottom in _pixels(boxes).tolist()]


def _draw_dashed(canvas: Canvas, corners: Corners, color: Color, line: int) -> None:
    """Draw a dashed box; dashes outside the image are skipped."""
    height, width = canvas.size
    left, top, right, bottom = corners
    dash = DASH_LENGTH * line
    for x in range(max(left, -dash), min(right, width), 2 * dash):
        for y in (top, bottom):
            canvas.stroke((x, y), (min(x + dash, right), y), color, line)
    for y in range(max(top, -dash), min(bottom, height), 2 * dash):
        for x in (left, right):
            canvas.stroke((x, y), (x, min(y + dash, bottom)), color, line)
