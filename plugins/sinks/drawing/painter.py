"""Draws boxes, labels and shapes, for every sink that shows images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from vidan.events import Event, Shape
from vidan.types import Detections, Image, Result, Tracks, YuvPlanes

from ...roi import Region
from .canvas import Canvas, Corners, RgbCanvas, YuvCanvas
from .highlights import Highlights
from .labels import Labels
from .legend import Legend
from .options import Drawing, Values
from .palette import CASING, HIGHLIGHT, SCENE, Color, color_of
from .scaling import scaled_to_fit
from .shapes import add_captions, draw_shapes, pixels
from .style import Style
from .text import Text

EVERYTHING = Drawing()
"""What is drawn unless the options say otherwise."""


class Painter:
    """Draws results, with a short highlight where something happens.

    To be used by a single thread, except for `notice`.

    Args:
        drawing: what is drawn; None for nothing.
    """

    def __init__(self, drawing: Drawing | None = EVERYTHING) -> None:
        self._drawing = drawing
        self._text = Text()
        self._highlights = Highlights()
        roi = None if drawing is None else drawing.roi
        self._region = None if roi is None else Region(roi)

    @classmethod
    def of(cls, values: Values) -> Painter:
        """A painter with the option `drawing` of a sink.

        Raises:
            ConfigError: one of its values is unknown or invalid.
        """
        return cls(None if values is None else Drawing.of(values))

    def notice(self, events: Iterable[Event]) -> None:
        """Highlight events whose result may be dropped; those of the results that are drawn are."""
        self._highlights.add(events)

    def annotate(self, result: Result, max_size: tuple[int, int] | None = None) -> Image:
        """A copy of the frame's image with the result drawn on it: (H,W,3) uint8 RGB.

        Args:
            result: of one frame.
            max_size: width and height, px, that the image is scaled down to; None for its own.
        """
        shown = result if max_size is None else scaled_to_fit(result, *max_size)
        image = shown.frame.rgb().copy()
        self._draw(shown, RgbCanvas(image, self._text), self._roi(result, shown))
        return image

    def draw_on(self, planes: YuvPlanes, result: Result) -> None:
        """Draw a result on writable planes of its frame's image."""
        self._draw(result, YuvCanvas(planes, self._text), self._roi(result, result))

    def _roi(self, result: Result, shown: Result) -> Corners | None:
        """The outline of the part that is searched, in px of the image as it is shown."""
        if self._region is None:
            return None
        box = np.array([self._region.box(result.frame)], np.float32)
        return _corners(box * np.float32(shown.frame.width / result.frame.width))[0]

    def _draw(self, result: Result, canvas: Canvas, roi: Corners | None) -> None:
        """Draw shapes, then tracks and unmatched detections, then their labels."""
        drawing, tracks = self._drawing, result.tracks
        if drawing is None:
            return
        style = Style.of(result.frame.height, drawing.line_width)
        self._highlights.add(result.events)
        self._highlights.advance(result.frame.time)
        if roi is not None:
            canvas.box(roi, CASING, style.line)
            canvas.box(roi, SCENE, style.thin)
        colors = _colors(tracks, drawing)
        shapes = [shape for shape in result.shapes if _is_shown(shape, drawing)]
        draw_shapes(canvas, shapes, style, self._highlights, colors)
        unmatched = _unmatched(result, drawing)
        boxes, others = _corners(tracks.boxes), _corners(unmatched.boxes)
        labels = Labels(canvas, style, self._text)
        legend = None
        if drawing.legend:
            legend = Legend(canvas, style, self._text, drawing, result.labels)
            labels.reserve(legend.area)
        add_captions(shapes, labels, colors)  # first: they stay where they are
        if drawing.boxes:
            _draw_tracks(canvas, tracks, boxes, colors, style, self._highlights)
        for corners, number in zip(others, unmatched.classes.tolist(), strict=True):
            canvas.box(corners, color_of(number), style.thin)
        # Last those of detections: tracks place their labels first.
        add = partial(_add_labels, labels, result, drawing, style)
        add(tracks, boxes, colors.values())
        add(unmatched, others, map(color_of, unmatched.classes.tolist()))
        if legend is not None:
            legend.draw()
        labels.draw()


def _colors(tracks: Tracks, drawing: Drawing) -> dict[int, Color]:
    """The color of each track, by its id."""
    ids = tracks.ids.tolist()
    numbers = tracks.classes.tolist() if drawing.color == "label" else ids
    return dict(zip(ids, map(color_of, numbers), strict=True))


def _is_shown(shape: Shape, drawing: Drawing) -> bool:
    if shape.track is None:
        return drawing.scene
    return drawing.trails or shape.caption is not None


def _unmatched(result: Result, drawing: Drawing) -> Detections:
    """The detections without a track: all of them if nothing is tracked."""
    if not drawing.unconfirmed:
        return Detections.empty()
    rest = np.ones(len(result.detections), np.bool_)
    matched = result.tracks.detection
    rest[matched[(matched >= 0) & (matched < len(rest))]] = False
    return result.detections[rest]


def _draw_tracks(
    canvas: Canvas,
    tracks: Tracks,
    boxes: Sequence[Corners],
    colors: Mapping[int, Color],
    style: Style,
    highlights: Highlights,
) -> None:
    """Draw a box for each track, dashed while it is coasting."""
    for (number, color), corners, misses in zip(
        colors.items(), boxes, tracks.misses.tolist(), strict=True
    ):
        if highlights.has_track(number):
            canvas.box(corners, HIGHLIGHT, 3 * style.line)
        if misses:
            canvas.dashed_box(corners, color, style.line)
        else:
            canvas.box(corners, color, style.line)


def _add_labels(
    labels: Labels,
    result: Result,
    drawing: Drawing,
    style: Style,
    found: Tracks | Detections,
    boxes: Sequence[Corners],
    colors: Iterable[Color],
) -> None:
    """Add the labels of tracks or of detections."""
    n = len(found)
    tags = [""] * n
    scores: list[float | None] = [None] * n
    names = [""] * n
    if drawing.shows_labels(result.labels):
        names = [result.label(number) for number in found.classes.tolist()]
    if style.scores if drawing.scores == "auto" else drawing.scores:
        scores = found.scores.tolist()
    if isinstance(found, Tracks):
        # The score of a coasting track is out of date.
        scores = [None if m else s for m, s in zip(found.misses.tolist(), scores, strict=True)]
        if drawing.ids:
            tags = [f"#{number}" for number in found.ids.tolist()]
    for each in zip(boxes, tags, names, scores, colors, strict=True):
        labels.add(*each)


def _corners(boxes: npt.NDArray[np.float32]) -> list[Corners]:
    """Boxes (N,4) in whole px."""
    return [(left, top, right, bottom) for left, top, right, bottom in pixels(boxes).tolist()]
