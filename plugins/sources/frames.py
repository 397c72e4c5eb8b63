"""The frames that the built-in sources yield: over an array, over a decoder's image."""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.buffer import Buffer
from av.sidedata.sidedata import SideDataContainer
from av.video.plane import VideoPlane
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from vidan.types import ColorSpec, Frame, Image, YuvPlanes

UNTAGGED = 2
"""AVCOL_SPC_UNSPECIFIED: the file does not say which YUV its images are in."""

MATRICES = (1, 5, 6)
"""BT.709 and twice BT.601 (ITU-T H.273): what `Frame.yuv` gives."""

FULL_RANGE = 2
"""AVCOL_RANGE_JPEG."""

YUV420 = ("yuv420p", "yuvj420p", "nv12")
"""The pixel formats that hold 4:2:0 of 8 bits."""

SD = (1279, 576)
"""Untagged images with a long and a short edge up to these are BT.601, px; others BT.709."""


class ArrayFrame(Frame):
    """A frame over an array that is already RGB.

    Args:
        rgb: (H,W,3) uint8 RGB; not copied where it is contiguous, so leave it alone afterwards.
        index: as in Frame, with time, captured, stream and filename.

    Raises:
        ValueError: the array is not such an image.
    """

    __slots__ = ()

    def __init__(
        self,
        rgb: Image,
        *,
        index: int,
        time: float,
        captured: float,
        stream: str,
        filename: str | None = None,
    ) -> None:
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
            raise ValueError(f"rgb: expected (H,W,3) uint8, got {rgb.shape} {rgb.dtype.name}")
        height, width, _ = rgb.shape
        super().__init__(
            index=index,
            time=time,
            captured=captured,
            stream=stream,
            width=width,
            height=height,
            filename=filename,
        )
        # A view, so that the caller's own array does not turn read-only.
        self._rgb = np.ascontiguousarray(rgb).view()
        self._rgb.flags.writeable = False

    def _make_rgb(self) -> Image:
        raise AssertionError("the picture is there from the start")

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB: areas averaged where it shrinks."""
        picture = self.rgb()
        smaller = (min(width, self.width), min(height, self.height))
        if smaller != (self.width, self.height):
            picture = _resize(picture, smaller, cv2.INTER_AREA)
        if smaller != (width, height):
            picture = _resize(picture, (width, height), cv2.INTER_LINEAR)
        return picture.copy() if picture is self._rgb else picture


class VideoFrame(Frame):
    """A frame over a decoder's image, which stays YUV until somebody asks for RGB.

    The image is shown as the file wants it: turned and mirrored by its display matrix,
    in the colors of its own YUV and range.

    Args:
        image: as the decoder made it; nobody else may use it from now on.
        index: as in Frame, with time, captured and stream.
        size: width and height to show it in, px; None for its own.
    """

    __slots__ = ("_orientation", "_picture")

    def __init__(
        self,
        picture: av.VideoFrame,
        *,
        index: int,
        time: float,
        captured: float,
        stream: str,
        size: tuple[int, int] | None = None,
    ) -> None:
        self._picture = picture
        self._orientation = _orientation(picture)
        width, height = size or self._orientation.size(picture.width, picture.height)
        super().__init__(
            index=index,
            time=time,
            captured=captured,
            stream=stream,
            width=width,
            height=height,
        )

    def yuv(self) -> YuvPlanes | None:
        """The decoder's own planes; None if they are not 4:2:0 of 8 bits, shown as it is."""
        picture = self._picture
        colors = _colors(picture)
        as_shown = (picture.width, picture.height) == (self.width, self.height)
        if colors is None or self._orientation != Orientation() or not as_shown:
            return None
        if picture.format.name == "nv12":  # as hardware gives it: U and V take turns
            y, (u, v) = _plane(picture.planes[0], 1)[0], _plane(picture.planes[1], 2)
        else:
            y, u, v = (_plane(plane, 1)[0] for plane in picture.planes)
        return YuvPlanes(y, u, v, colors)

    def _make_rgb(self) -> Image:
        return self._converted(self.width, self.height, Interpolation.BICUBIC)

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB in one step from YUV."""
        with self._lock:
            # AREA averages where it shrinks and is bilinear where it grows.
            return self._converted(width, height, Interpolation.AREA)

    def _converted(self, width: int, height: int, interpolation: Interpolation) -> Image:
        # PyAV writes into the image while it converts it: only ever under the frame's lock.
        # A reformatter may not be shared between threads; a new one costs 0.1 ms.
        picture = self._picture
        width, height = self._orientation.size(width, height)
        converted = VideoReformatter().reformat(
            picture,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=_colorspace(picture),
            interpolation=interpolation,
            threads=1,
        )
        rgb = cast(Image, converted.to_ndarray())
        # An image that is RGB of this size already comes back as it is.
        return self._orientation.apply(rgb.copy() if converted is picture else rgb)


def shown_size(picture: av.VideoFrame) -> tuple[int, int]:
    """Width and height that an image is to be shown in, turned as it says, px."""
    return _orientation(picture).size(picture.width, picture.height)


class Orientation(NamedTuple):
    """How a decoded image is turned to be shown: transposed first, then mirrored."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height when it is shown, or the other way round: it is its own inverse."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, rgb: Image) -> Image:
        """The image as it is to be shown: (H,W,3) uint8, contiguous, not shared."""
        if self.transpose:
            rgb = np.asarray(cv2.transpose(rgb), np.uint8)
        if self.mirror_x or self.mirror_y:
            # cv2.flip: 1 swaps left and right, 0 swaps top and bottom, -1 does both.
            code = -1 if self.mirror_x and self.mirror_y else int(self.mirror_x)
            rgb = np.asarray(cv2.flip(rgb, code), np.uint8)
        # What PyAV gives is a view of its buffer, with padded rows for some widths.
        return np.ascontiguousarray(rgb)


def _orientation(picture: av.VideoFrame) -> Orientation:
    """From the display matrix (ISO 14496-12, 8.3.2.3): x' = a x + c y, y' = b x + d y."""
    a, b, c, d = _display_matrix(picture)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def _display_matrix(picture: av.VideoFrame) -> tuple[float, float, float, float]:
    """a, b, c, d of the image's display matrix, those of the identity if it has none."""
    try:
        # `image.side_data` would be kept by the image, which it keeps in turn: images would
        # live until Python looks for such circles, hundreds of them at a time.
        data = SideDataContainer(picture).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    except ValueError:
        # Beside it is side data of a kind that this PyAV does not know: only the angle is left.
        angle = math.radians(picture.rotation)  # counterclockwise
        return math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)
    if data is None:
        return 1, 0, 0, 1
    # Three rows of a, b, u, in fixed point, of which only the signs matter here.
    a, b, _, c, d, *_ = np.frombuffer(bytes(cast(Buffer, data)), np.int32).tolist()
    return a, b, c, d


def _colorspace(picture: av.VideoFrame) -> Colorspace | None:
    """The YUV of an untagged image, guessed by its size as players do; None: as tagged."""
    if picture.colorspace != UNTAGGED:
        return None
    short, long = sorted((picture.width, picture.height))
    return Colorspace.ITU601 if long <= SD[0] and short <= SD[1] else Colorspace.ITU709


def _colors(picture: av.VideoFrame) -> ColorSpec | None:
    """What the numbers of an image mean; None if it is none that `Frame.yuv` gives."""
    name = picture.format.name
    guessed = _colorspace(picture)
    # Guessed colors are FFmpeg's names for what ITU-T H.273 numbers.
    matrix = picture.colorspace if guessed is None else {Colorspace.ITU709: 1}.get(guessed, 6)
    if name not in YUV420 or matrix not in MATRICES:
        return None
    return ColorSpec(int(matrix), name == "yuvj420p" or picture.color_range == FULL_RANGE)


def _plane(plane: VideoPlane, channels: int) -> npt.NDArray[np.uint8]:
    """A plane's memory (channels,H,W), read-only, without what pads its rows."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    rows.flags.writeable = False
    pixels = rows[:, : plane.width * channels].reshape(plane.height, plane.width, channels)
    return np.moveaxis(pixels, 2, 0)


def _resize(rgb: Image, size: tuple[int, int], interpolation: int) -> Image:
    return np.asarray(cv2.resize(rgb, size, interpolation=interpolation), np.uint8)
