"""Drawing primitives for RGB images and for YUV 4:2:0 planes.

Decoders produce YUV and encoders consume it. Drawing on the planes avoids the conversion to RGB
and back, which takes far longer than the drawing itself (docs/performance.md).
"""

from __future__ import annotations

import functools
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from vidan.types import ColorSpec, Image, YuvPlanes

from .palette import Color
from .text import Text

Point = tuple[int, int]
"""x and y, whole px."""

Corners = tuple[int, int, int, int]
"""Left, top, right, bottom of a box, whole px."""

Area = tuple[slice, slice]
"""Rows and columns of an image."""

DASH_LENGTH = 8
"""Length of the dashes, and of the gaps between them, in line widths."""

KR_KB = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114)}
"""Weights of red and blue in luma, by matrix (ITU-T H.273, table 4)."""


class Canvas(Protocol):
    """An image to draw on; coordinates and line widths are in px of it, colors in RGB."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, px."""
        ...

    def box(self, corners: Corners, color: Color, line: int) -> None:
        """Draw the outline of a box; `line` is the line width."""
        ...

    def dashed_box(self, corners: Corners, color: Color, line: int) -> None:
        """Draw the outline of a box in dashes."""
        ...

    def path(self, points: npt.NDArray[np.int32], color: Color, line: int) -> None:
        """Draw an anti-aliased line through points (N,2)."""
        ...

    def fill(self, area: Area, color: Color) -> None:
        """Fill an area."""
        ...

    def fill_polygon(self, points: npt.NDArray[np.int32], color: Color, opacity: float) -> None:
        """Fill a polygon (N,2), with an opacity from 0 to 1."""
        ...

    def text(self, text: str, place: Point, font: int, color: Color) -> None:
        """Draw a line of text, given its top-left corner and the font size."""
        ...


class RgbCanvas:
    """Draws on an array (H,W,3) uint8 RGB."""

    def __init__(self, image: Image, text: Text) -> None:
        self._image, self._text = image, text
        self.size: tuple[int, int] = (image.shape[0], image.shape[1])

    def box(self, corners: Corners, color: Color, line: int) -> None:
        """See Canvas."""
        cv2.rectangle(self._image, corners[:2], corners[2:], color, line)

    def dashed_box(self, corners: Corners, color: Color, line: int) -> None:
        """See Canvas."""
        cv2.polylines(self._image, _dashes(corners, line, self.size), False, color, line)

    def path(self, points: npt.NDArray[np.int32], color: Color, line: int) -> None:
        """See Canvas."""
        cv2.polylines(self._image, [points], False, color, line, cv2.LINE_AA)

    def fill(self, area: Area, color: Color) -> None:
        """See Canvas."""
        rows, columns = area
        corners = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
        cv2.rectangle(self._image, *corners, color, cv2.FILLED)  # 5 times as fast as NumPy

    def fill_polygon(self, points: npt.NDArray[np.int32], color: Color, opacity: float) -> None:
        """See Canvas."""
        _blend_polygon(self._image, points, color, opacity)

    def text(self, text: str, place: Point, font: int, color: Color) -> None:
        """See Canvas."""
        self._text.draw(self._image, text, *place, font, color)


class YuvCanvas:
    """Draws on the planes of an image, whose arrays must be writable.

    The chroma planes have half the resolution: coordinates are passed to OpenCV with a fractional
    bit (`shift`), and lines are half as wide, but at least 1 px.
    """

    def __init__(self, planes: YuvPlanes, text: Text) -> None:
        self._planes, self._text = planes, text
        self.size: tuple[int, int] = (planes.y.shape[0], planes.y.shape[1])

    def box(self, corners: Corners, color: Color, line: int) -> None:
        """See Canvas."""
        for plane, value, shift in self._channels(color):
            width = _halved(line, shift)
            cv2.rectangle(plane, corners[:2], corners[2:], value, width, shift=shift)

    def dashed_box(self, corners: Corners, color: Color, line: int) -> None:
        """See Canvas."""
        dashes = _dashes(corners, line, self.size)
        for plane, value, shift in self._channels(color):
            width = _halved(line, shift)
            cv2.polylines(plane, dashes, False, value, width, cv2.LINE_8, shift)

    def path(self, points: npt.NDArray[np.int32], color: Color, line: int) -> None:
        """See Canvas."""
        for plane, value, shift in self._channels(color):
            # Chroma needs no anti-aliasing, which is what takes time.
            line_type = cv2.LINE_8 if shift else cv2.LINE_AA
            cv2.polylines(plane, [points], False, value, _halved(line, shift), line_type, shift)

    def fill(self, area: Area, color: Color) -> None:
        """See Canvas."""
        for plane, (value,), shift in self._channels(color):
            plane[_halved_slice(area[0], shift), _halved_slice(area[1], shift)] = value

    def fill_polygon(self, points: npt.NDArray[np.int32], color: Color, opacity: float) -> None:
        """See Canvas."""
        for plane, value, shift in self._channels(color):
            _blend_polygon(plane, points >> shift, value, opacity)

    def text(self, text: str, place: Point, font: int, color: Color) -> None:
        """See Canvas; draws luma only, as text is black or white on a colored background."""
        y = yuv_of(color, self._planes.colors)[0]
        self._text.draw(self._planes.y, text, *place, font, (y,))

    def _channels(self, color: Color) -> list[tuple[npt.NDArray[np.uint8], tuple[int], int]]:
        """Each plane, the value of the color in it, and its scale as a shift of coordinates."""
        y, u, v = yuv_of(color, self._planes.colors)
        planes = self._planes
        return [(planes.y, (y,), 0), (planes.u, (u,), 1), (planes.v, (v,), 1)]


def _dashes(corners: Corners, line: int, size: tuple[int, int]) -> list[npt.NDArray[np.int32]]:
    """The dashes of a box as lines (2,2), without those outside the image."""
    height, width = size
    left, top, right, bottom = corners
    dash = DASH_LENGTH * line
    xs = range(max(left, -dash), min(right, width), 2 * dash)
    ys = range(max(top, -dash), min(bottom, height), 2 * dash)
    dashes = [((x, y), (min(x + dash, right), y)) for x in xs for y in (top, bottom)]
    dashes += [((x, y), (x, min(y + dash, bottom))) for y in ys for x in (left, right)]
    return list(np.array(dashes, np.int32).reshape(-1, 2, 2))


def _blend_polygon(
    image: npt.NDArray[np.uint8],
    points: npt.NDArray[np.int32],
    color: Color | tuple[int],
    opacity: float,
) -> None:
    """Mix a color into a polygon (N,2) of an image (H,W,3), or of a plane (H,W)."""
    height, width = image.shape[:2]
    left, top = np.clip(points.min(axis=0), 0, [width, height]).tolist()
    right, bottom = np.clip(points.max(axis=0) + 1, 0, [width, height]).tolist()
    area = image[top:bottom, left:right]
    if not area.size:
        return
    mixed = area.copy()
    cv2.fillPoly(mixed, [points], color, cv2.LINE_AA, offset=(-left, -top))
    cv2.addWeighted(mixed, opacity, area, 1 - opacity, 0, dst=area)


@functools.lru_cache(maxsize=4096)
def yuv_of(color: Color, colors: ColorSpec) -> Color:
    """Y, U and V of an RGB color, 0 to 255 (ITU-T H.273, equations 38 to 43 and 20 to 25)."""
    kr, kb = KR_KB[colors.matrix]
    red, green, blue = (value / 255 for value in color)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    if colors.full_range:
        y, u, v = 255 * luma, 255 * cb + 128, 255 * cr + 128
    else:
        y, u, v = 219 * luma + 16, 224 * cb + 128, 224 * cr + 128
    return min(round(y), 255), min(round(u), 255), min(round(v), 255)


def _halved(line: int, shift: int) -> int:
    """Line width in a plane that is smaller by `shift` bits, rounded up."""
    return (line + shift) >> shift


def _halved_slice(part: slice, shift: int) -> slice:
    """Rows or columns in a plane that is smaller by `shift` bits, partly covered ones included."""
    return slice(part.start >> shift, (part.stop + shift) >> shift)
