"""A frame over a decoder's image."""

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

from vidan.frames import Box, Frame
from vidan.images import ColorSpec, Image, YuvPlanes, resize

UNTAGGED = 2
"""AVCOL_SPC_UNSPECIFIED: the file does not say which YUV its images are in."""

MATRICES = (1, 5, 6)
"""BT.709 and twice BT.601 (ITU-T H.273): what `Frame.yuv` gives."""

FULL_RANGE = 2
"""AVCOL_RANGE_JPEG."""

YUV420 = ("yuv420p", "yuvj420p", "nv12")
"""The pixel formats that hold 4:2:0 of 8 bits."""

CROPPABLE = (*YUV420, "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv420p10le", "p010le", "gray")
"""Formats a part of which can be converted alone."""

SD = (1279, 576)
"""Untagged images with a long and a short edge up to these are BT.601, px; others BT.709."""


class VideoFrame(Frame):
    """A frame over a decoder's image, which stays YUV until somebody asks for RGB.

    The image is shown as the file wants it: turned and mirrored by its display matrix,
    in the colors of its own YUV and range.

    Args:
        image: as the decoder made it; nobody else may use it from now on.
        index: as in Frame, with time, captured and stream.
        size: width and height to show it in, px; None for its own.
    """

    __slots__ = ("_image", "_orientation")

    def __init__(
        self,
        image: av.VideoFrame,
        *,
        index: int,
        time: float,
        captured: float,
        stream: str,
        size: tuple[int, int] | None = None,
    ) -> None:
        self._image = image
        self._orientation = _orientation(image)
        width, height = size or self._orientation.size(image.width, image.height)
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
        image = self._image
        colors = _colors(image)
        as_shown = (image.width, image.height) == (self.width, self.height)
        if colors is None or self._orientation != Orientation() or not as_shown:
            return None
        if image.format.name == "nv12":  # as hardware gives it: U and V take turns
            y, (u, v) = _plane(image.planes[0], 1)[0], _plane(image.planes[1], 2)
        else:
            y, u, v = (_plane(plane, 1)[0] for plane in image.planes)
        return YuvPlanes(y, u, v, colors)

    def _make_rgb(self) -> Image:
        return self._converted(self.width, self.height, Interpolation.BICUBIC)

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB in one step from YUV."""
        with self._lock:
            # AREA averages where it shrinks and is bilinear where it grows.
            return self._converted(width, height, Interpolation.AREA)

    def resized_crop(self, box: Box, width: int, height: int) -> Image:
        """A part of the image scaled to (height,width,3) uint8 RGB, converted alone.

        A part whose edges are not on the chroma grid is converted first and scaled then.
        """
        image, orientation = self._image, self._orientation
        as_decoded = orientation.size(image.width, image.height) == (self.width, self.height)
        if not as_decoded or image.format.name not in CROPPABLE:
            return super().resized_crop(box, width, height)
        inner = orientation.decoded(box, self.width, self.height)
        outer = _aligned(inner, image.width, image.height)
        with self._lock:
            part = _crop(image, outer)
        colorspace = _colorspace(image)
        if inner != outer:
            rgb = _convert(part, part.width, part.height, Interpolation.BICUBIC, colorspace)
            left, top, right, bottom = (b - a for a, b in zip(outer[:2] * 2, inner, strict=True))
            return resize(orientation.apply(rgb[top:bottom, left:right]), width, height)
        size = orientation.size(width, height)
        scales = size != (part.width, part.height)
        how = Interpolation.AREA if scales else Interpolation.BICUBIC
        return orientation.apply(_convert(part, *size, how, colorspace))

    def _converted(self, width: int, height: int, interpolation: Interpolation) -> Image:
        # PyAV writes into the image while it converts it: only ever under the frame's lock.
        size = self._orientation.size(width, height)
        rgb = _convert(self._image, *size, interpolation, _colorspace(self._image))
        return self._orientation.apply(rgb)


def shown_size(image: av.VideoFrame) -> tuple[int, int]:
    """Width and height that an image is to be shown in, turned as it says, px."""
    return _orientation(image).size(image.width, image.height)


class Orientation(NamedTuple):
    """How a decoded image is turned to be shown: transposed first, then mirrored."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height when it is shown, or the other way round: it is its own inverse."""
        return (height, width) if self.transpose else (width, height)

    def decoded(self, box: Box, width: int, height: int) -> Box:
        """Where a part of the displayed image lies in the decoded one.

        Args:
            box: the part.
            width: of the displayed image, px.
            height: of the displayed image, px.
        """
        left, top, right, bottom = box
        if self.mirror_x:
            left, right = width - right, width - left
        if self.mirror_y:
            top, bottom = height - bottom, height - top
        return (top, left, bottom, right) if self.transpose else (left, top, right, bottom)

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


def _orientation(image: av.VideoFrame) -> Orientation:
    """From the display matrix (ISO 14496-12, 8.3.2.3): x' = a x + c y, y' = b x + d y."""
    a, b, c, d = _display_matrix(image)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def _display_matrix(image: av.VideoFrame) -> tuple[float, float, float, float]:
    """a, b, c, d of the image's display matrix, those of the identity if it has none."""
    try:
        # `image.side_data` would be kept by the image, which it keeps in turn: images would
        # live until Python looks for such circles, hundreds of them at a time.
        data = SideDataContainer(image).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    except ValueError:
        # Beside it is side data of a kind that this PyAV does not know: only the angle is left.
        angle = math.radians(image.rotation)  # counterclockwise
        return math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)
    if data is None:
        return 1, 0, 0, 1
    # Three rows of a, b, u, in fixed point, of which only the signs matter here.
    a, b, _, c, d, *_ = np.frombuffer(bytes(cast(Buffer, data)), np.int32).tolist()
    return a, b, c, d


def _convert(
    image: av.VideoFrame,
    width: int,
    height: int,
    interpolation: Interpolation,
    colorspace: Colorspace | None,
) -> Image:
    """A decoded image scaled to (height,width,3) uint8 RGB, possibly with padded rows."""
    # A reformatter may not be shared between threads; a new one costs 0.1 ms.
    converted = VideoReformatter().reformat(
        image,
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=colorspace,
        interpolation=interpolation,
        threads=1,
    )
    rgb = cast(Image, converted.to_ndarray())
    # An image that is RGB of this size already is returned unchanged.
    return rgb.copy() if converted is image else rgb


def _aligned(box: Box, width: int, height: int) -> Box:
    """The smallest box around another whose edges are on the grid of 4:2:0 chroma."""
    left, top, right, bottom = box
    return left & ~1, top & ~1, min(right + right % 2, width), min(bottom + bottom % 2, height)


def _crop(image: av.VideoFrame, box: Box) -> av.VideoFrame:
    """Copy a part of a decoded image; its left and top must be on the chroma grid."""
    left, top, right, bottom = box
    part = av.VideoFrame(right - left, bottom - top, image.format.name)
    part.colorspace, part.color_range = image.colorspace, image.color_range
    for index, (source, target) in enumerate(zip(image.planes, part.planes, strict=True)):
        x = left >> (source.width < image.width)
        y = top >> (source.height < image.height)
        step = _bytes_per_pixel(image, index)
        pixels = _rows(source)[y : y + target.height, x * step : (x + target.width) * step]
        _rows(target)[:, : target.width * step] = pixels
    return part


def _colorspace(image: av.VideoFrame) -> Colorspace | None:
    """The YUV of an untagged image, guessed by its size as players do; None: as tagged."""
    if image.colorspace != UNTAGGED:
        return None
    short, long = sorted((image.width, image.height))
    return Colorspace.ITU601 if long <= SD[0] and short <= SD[1] else Colorspace.ITU709


def _colors(image: av.VideoFrame) -> ColorSpec | None:
    """What the numbers of an image mean; None if it is none that `Frame.yuv` gives."""
    name = image.format.name
    guessed = _colorspace(image)
    # Guessed colors are FFmpeg's names for what ITU-T H.273 numbers.
    matrix = image.colorspace if guessed is None else {Colorspace.ITU709: 1}.get(guessed, 6)
    if name not in YUV420 or matrix not in MATRICES:
        return None
    return ColorSpec(int(matrix), name == "yuvj420p" or image.color_range == FULL_RANGE)


def _bytes_per_pixel(image: av.VideoFrame, plane: int) -> int:
    """Bytes of a pixel of a plane, those of all channels that share it."""
    channels = [channel for channel in image.format.components if channel.plane == plane]
    return sum(-(-channel.bits // 8) for channel in channels)


def _rows(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    """A plane's memory (H,bytes), with the padding of its rows."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)


def _plane(plane: VideoPlane, channels: int) -> npt.NDArray[np.uint8]:
    """A plane's memory (channels,H,W), read-only, without what pads its rows."""
    rows = _rows(plane)
    rows.flags.writeable = False
    pixels = rows[:, : plane.width * channels].reshape(plane.height, plane.width, channels)
    return np.moveaxis(pixels, 2, 0)
