"""Draws boxes, labels and shapes, for every sink that shows images."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from vidan.events import Event
from vidan.types import Image, Result, YuvPlanes

from .canvas import Canvas, Corners, RgbCanvas, YuvCanvas
from .highlights import Highlights
from .labels import Labels, Style
from .palette import HIGHLIGHT, Color, color_of
from .shapes import add_captions, draw_shapes, pixels
from .text import Text

DASH_LENGTH = 8
"""Length of the dashes, and of the gaps, of a coasting track's box, in line widths."""


class Painter:
    """Draws results, with a short highlight where something happens.

    To be used by a single thread, except for `notice`.
    """

    def __init__(self) -> None:
        self._text = Text()
        self._highlights = Highlights()

    def notice(self, events: Iterable[Event]) -> None:
        """Highlight events whose result may be dropped; those of the results that are drawn are."""
        self._highlights.add(events)

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
        self._highlights.add(result.events)
        self._highlights.advance(result.frame.time)
        draw_shapes(canvas, result.shapes, style, self._highlights)
        labels = Labels(canvas, style, self._text)
        add_captions(result.shapes, labels)  # first: they stay where they are
        _draw_tracks(canvas, result, style, labels, self._highlights)
        _draw_unmatched(canvas, result, style, labels)  # last: tracks place their labels first
        labels.draw()


def _draw_tracks(
    canvas: Canvas, result: Result, style: Style, labels: Labels, highlights: Highlights
) -> None:
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
        if highlights.has_track(number):
            canvas.box(corners, HIGHLIGHT, 3 * style.line)
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


def _corners(boxes: npt.NDArray[np.float32]) -> list[Corners]:
    """Boxes (N,4) in whole px."""
    return [(left, top, right, bottom) for left, top, right, bottom in pixels(boxes).tolist()]


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
