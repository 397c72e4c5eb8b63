"""Drawing of boxes, identities, labels and trails, for every sink that shows images."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from vidan.types import Image, Result, YuvPlanes

from .canvas import Canvas, Corners, Point, RgbCanvas, YuvCanvas
from .labels import Labels, Style
from .palette import Color, color_of
from .text import Text

TRAIL = 30
"""Frames that a trail looks back."""

DASH = 8
"""Length of the dashes of a box that coasts, in line widths."""


class Painter:
    """Draws results; remembers where tracks came from. One for each stream, one thread."""

    def __init__(self) -> None:
        self._trails: dict[int, deque[tuple[int, Point]]] = {}
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

        A track has its identity's color, a thick box (dashed while it coasts), a label and a
        trail. A detection that no track claims has its class's color and a thin box.
        """
        style = Style.of(result.frame.height)
        self._follow(result)
        labels = Labels(canvas, style, self._text)
        tracks = result.tracks
        for identity, box, score, class_index, misses in zip(
            tracks.ids.tolist(),
            tracks.boxes,
            tracks.scores.tolist(),
            tracks.classes.tolist(),
            tracks.misses.tolist(),
            strict=True,
        ):
            color = color_of(identity)
            self._draw_trail(canvas, identity, color, style)
            corners = _corners(box)
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

    def _follow(self, result: Result) -> None:
        """Add to the trails, and forget what is over."""
        now = result.frame.index
        for identity, box in zip(result.tracks.ids.tolist(), result.tracks.boxes, strict=True):
            left, top, right, bottom = _corners(box)
            trail = self._trails.setdefault(identity, deque())
            trail.append((now, ((left + right) // 2, (top + bottom) // 2)))
        for identity, trail in list(self._trails.items()):
            while trail and trail[0][0] < now - TRAIL:
                trail.popleft()
            if not trail:
                del self._trails[identity]

    def _draw_trail(self, canvas: Canvas, identity: int, color: Color, style: Style) -> None:
        points = np.array([point for _, point in self._trails[identity]], np.int32)
        canvas.path(points, color, style.line)


def _draw_unclaimed(canvas: Canvas, result: Result, style: Style, labels: Labels) -> None:
    """Detections that no track claims: all of them where nothing is tracked."""
    found = result.detections
    claimed = set(result.tracks.detection.tolist())
    for row in range(len(found)):
        if row in claimed:
            continue
        class_index = int(found.classes[row])
        color = color_of(class_index)
        corners = _corners(found.boxes[row])
        canvas.box(corners, color, (style.line + 1) // 2)
        label = result.label(class_index)
        labels.add(corners, label, label, float(found.scores[row]), color)


def _corners(box: npt.NDArray[np.float32]) -> Corners:
    """A box (4,) in whole px, and near enough to the image for OpenCV's integers."""
    left, top, right, bottom = np.clip(box, -(2**15), 2**15).round().astype(int).tolist()
    return left, top, right, bottom


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
