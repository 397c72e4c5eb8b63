"""Drawing of boxes, identities, labels and trails, for every sink that shows images."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

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
        tracks = result.tracks
        boxes = _whole_pixels(tracks.boxes)
        self._follow(result, boxes)
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
            self._draw_trail(canvas, identity, color, style)
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

    def _follow(self, result: Result, boxes: Sequence[Corners]) -> None:
        """Add to the trails, and forget what is over."""
        now = result.frame.index
        for identity, box in zip(result.tracks.ids.tolist(), boxes, strict=True):
            left, top, right, bottom = box
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
