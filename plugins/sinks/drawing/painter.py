"""Drawing of boxes, identities, labels and trails, for every sink that shows images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidan.events import Shape
from vidan.types import Image, Result, YuvPlanes

from .canvas import Canvas, Corners, RgbCanvas, YuvCanvas
from .labels import Labels, Style
from .palette import Color, color_of
from .text import Text

DASH = 8
"""Length of the dashes of a box that coasts, in line widths."""


class Painter:
    """Draws results: boxes, labels, and the shapes of the analyzers. For one thread."""

    def __init__(self) -> None:
        self._text = Text()

    def annotate(self, result: Result) -> Image:
        """The frame with what was found in it: (H,W,3) uint8 RGB, a fresh array."""
        image = result.frame.rgb().copy()
        self._draw(result, RgbCanvas(image, self._text))
        return image

    def draw_on(self, planes: YuvPlanes, result: Result) -> None:
        """Draw what was found in a frame on its image, or a copy of it: writable planes."""
        self._draw(result, YuvCanvas(planes, self._text))

    def _draw(self, result: Result, canvas: Canvas) -> None:
        """Draw on the frame's image.

        Shapes lie below everything. A track has its identity's color, a thick box (dashed while it
        coasts) and a label. A detection that no track claims has its class's color and a thin box.
        """
        style = Style.of(result.frame.height)
        for shape in result.shapes:
            _draw_shape(canvas, shape, style)
        tracks = result.tracks
        boxes = _whole_pixels(tracks.boxes)
        labels = Labels(canvas, style, self._text)
        for identity, corners, score, class_index, misses in zip(
            tracks.ids.tolist(),
            boxes,
            tracks.scores.tolist(),
            tracks.classes.tolist(),
            tracks.misses.tolist(),
            strict=True,
        ):
            color = color_of(identity)
            if misses:
                _draw_dashed(canvas, corners, color, style.line)
            else:
                canvas.box(corners, color, style.line)
            number = f"#{identity}"
            name = f"{number} {result.label(class_index)}"
            # The score of a track that coasts is an old one.
            labels.add(corners, name, number, None if misses else score, color)
        # Last, so that tracks' labels choose their places first.
        _draw_unclaimed(canvas, result, style, labels)
        labels.draw()


def _draw_shape(canvas: Canvas, shape: Shape, style: Style) -> None:
    """A path or a polygon in the color of its track."""
    color = color_of(0 if shape.track is None else shape.track)
    points = np.clip(shape.points, -(2**15), 2**15).round().astype(np.int32)
    if shape.kind == "polygon":
        points = np.concatenate([points, points[:1]])
    canvas.path(points, color, style.line)


def _draw_unclaimed(canvas: Canvas, result: Result, style: Style, labels: Labels) -> None:
    """Detections that no track claims: all of them where nothing is tracked."""
    found = result.detections
    claimed = set(result.tracks.detection.tolist())
    rows = zip(
        _whole_pixels(found.boxes), found.scores.tolist(), found.classes.tolist(), strict=True
    )
    for row, (corners, score, class_index) in enumerate(rows):
        if row in claimed:
            continue
        color = color_of(class_index)
        canvas.box(corners, color, (style.line + 1) // 2)
        label = result.label(class_index)
        labels.add(corners, label, label, score, color)


def _whole_pixels(boxes: npt.NDArray[np.float32]) -> list[Corners]:
    """Boxes (N,4) in whole px, clipped to where OpenCV's integers do not overflow."""
    return [
        (left, top, right, bottom)
        for left, top, right, bottom in np.clip(boxes, -(2**15), 2**15).round().astype(int).tolist()
    ]


def _draw_dashed(canvas: Canvas, corners: Corners, color: Color, line: int) -> None:
    """A box of dashes; what lies outside the image is not walked along."""
    height, width = canvas.size
    left, top, right, bottom = corners
    dash = DASH * line
    for x in range(max(left, -dash), min(right, width), 2 * dash):
        for y in (top, bottom):
            canvas.stroke((x, y), (min(x + dash, right), y), color, line)
    for y in range(max(top, -dash), min(bottom, height), 2 * dash):
        for x in (left, right):
            canvas.stroke((x, y), (x, min(y + dash, bottom)), color, line)
