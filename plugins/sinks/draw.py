"""Drawing of boxes, identities, labels and trails, for every sink that shows pictures."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from vidan.types import Image, Result

from .palette import Colour, colour_of, ink_on

Point = tuple[int, int]

REFERENCE_HEIGHT = 1080
"""Picture height, px, at which lines and text have the sizes below."""

LINE, FONT = 3.0, 24.0
THINNEST, SMALLEST_FONT = 2, 11
"""Sizes in px; anything smaller could not be seen or read."""

SCORES_FROM = 480
"""Picture height, px, from which labels have room for a score."""

TRAIL = 30
"""Frames that a trail looks back."""

DASH = 8
"""Length of the dashes of a box that coasts, in line widths."""


class Style(NamedTuple):
    """Sizes for one picture, px."""

    line: int
    font: int
    scores: bool

    @classmethod
    def of(cls, height: int) -> Style:
        """The style for a picture of that height."""
        scale = height / REFERENCE_HEIGHT
        return cls(
            max(THINNEST, round(LINE * scale)),
            max(SMALLEST_FONT, round(FONT * scale)),
            height >= SCORES_FROM,
        )


class Painter:
    """Draws results; remembers where tracks came from. One for each stream, one thread."""

    def __init__(self) -> None:
        self._trails: dict[int, deque[tuple[int, Point]]] = {}
        self._text = Text()

    def annotate(self, result: Result) -> Image:
        """The frame with what was found in it: (H,W,3) uint8 RGB, a fresh array.

        A track has its identity's colour, a thick box (dashed while it coasts), a label and a
        trail. A detection that no track claims has its class's colour and a thin box.
        """
        canvas = result.frame.rgb().copy()
        style = Style.of(result.frame.height)
        self._follow(result)
        labels = _Labels(canvas, style, self._text)
        _draw_unclaimed(canvas, result, style, labels)
        tracks = result.tracks
        for identity, box, score, class_index, misses in zip(
            tracks.ids.tolist(),
            tracks.boxes,
            tracks.scores.tolist(),
            tracks.classes.tolist(),
            tracks.misses.tolist(),
            strict=True,
        ):
            colour = colour_of(identity)
            self._draw_trail(canvas, identity, colour, style)
            corners = _corners(box)
            (_draw_dashed if misses else _draw_box)(canvas, corners, colour, style.line)
            labels.add(corners, f"#{identity} {result.label(class_index)}", score, colour)
        labels.draw()
        return canvas

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

    def _draw_trail(self, canvas: Image, identity: int, colour: Colour, style: Style) -> None:
        points = np.array([point for _, point in self._trails[identity]], np.int32)
        cv2.polylines(canvas, [points], False, colour, style.line, cv2.LINE_AA)


class Text:
    """Text with the TrueType font that OpenCV brings; any script it knows."""

    def __init__(self) -> None:
        self._face = cv2.FontFace("sans")
        self._sizes: dict[tuple[str, int], Point] = {}

    def size(self, text: str, font: int) -> Point:
        """Width and height that a text takes, px; the height is the line's."""
        key = text, font
        if key not in self._sizes:
            if len(self._sizes) > 4096:  # endless runs have endless identities
                self._sizes.clear()
            _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), self._face, font)
            self._sizes[key] = int(width), round(1.25 * font)
        return self._sizes[key]

    def draw(
        self, canvas: Image, text: str, left: int, top: int, font: int, colour: Colour
    ) -> None:
        """Draw a text whose line begins at the top-left corner given."""
        cv2.putText(canvas, text, (left, top + font), colour, self._face, font)


class _Labels:
    """The labels of one picture: drawn last, inside it, and beside each other where that goes."""

    def __init__(self, canvas: Image, style: Style, text: Text) -> None:
        self._canvas, self._style, self._text = canvas, style, text
        self._placed: list[tuple[Point, Point, str, Colour]] = []

    def add(
        self, corners: tuple[int, int, int, int], name: str, score: float, colour: Colour
    ) -> None:
        """Place a label at a box: above it, else below, else in its top."""
        left, top, _, bottom = corners
        text = f"{name} {score:.2f}" if self._style.scores else name
        width, height = self._text.size(text, self._style.font)
        width += 2 * self._style.line + 2
        limit_x, limit_y = self._canvas.shape[1] - width, self._canvas.shape[0] - height
        x = min(max(0, left - self._style.line // 2), max(0, limit_x))
        places = [y for y in (top - height, bottom, top) if 0 <= y <= limit_y] or [
            min(max(0, top), max(0, limit_y))
        ]
        y = next((y for y in places if self._is_free(x, y, width, height)), places[0])
        self._placed.append(((x, y), (width, height), text, colour))

    def _is_free(self, x: int, y: int, width: int, height: int) -> bool:
        return not any(
            x < px + pw and px < x + width and y < py + ph and py < y + height
            for (px, py), (pw, ph), _, _ in self._placed
        )

    def draw(self) -> None:
        """Draw all labels."""
        for (x, y), (width, height), text, colour in self._placed:
            self._canvas[y : y + height, x : x + width] = colour
            ink = ink_on(colour)
            self._text.draw(self._canvas, text, x + self._style.line, y, self._style.font, ink)


def _draw_unclaimed(canvas: Image, result: Result, style: Style, labels: _Labels) -> None:
    """Detections that no track claims: all of them where nothing is tracked."""
    found = result.detections
    claimed = set(result.tracks.detection.tolist())
    for row in range(len(found)):
        if row in claimed:
            continue
        class_index = int(found.classes[row])
        colour = colour_of(class_index)
        corners = _corners(found.boxes[row])
        _draw_box(canvas, corners, colour, max(1, style.line // 2))
        labels.add(corners, result.label(class_index), float(found.scores[row]), colour)


def _corners(box: npt.NDArray[np.float32]) -> tuple[int, int, int, int]:
    """A box (4,) in whole px, and near enough to the picture for OpenCV's integers."""
    left, top, right, bottom = np.clip(box, -(2**15), 2**15).round().astype(int).tolist()
    return left, top, right, bottom


def _draw_box(canvas: Image, corners: tuple[int, int, int, int], colour: Colour, line: int) -> None:
    cv2.rectangle(canvas, corners[:2], corners[2:], colour, line)


def _draw_dashed(
    canvas: Image, corners: tuple[int, int, int, int], colour: Colour, line: int
) -> None:
    """A box of dashes; what lies outside the picture is not walked along."""
    height, width = canvas.shape[:2]
    left, top, right, bottom = corners
    dash = DASH * line
    for x in range(max(left, -dash), min(right, width), 2 * dash):
        for y in (top, bottom):
            cv2.line(canvas, (x, y), (min(x + dash, right), y), colour, line)
    for y in range(max(top, -dash), min(bottom, height), 2 * dash):
        for x in (left, right):
            cv2.line(canvas, (x, y), (x, min(y + dash, bottom)), colour, line)
