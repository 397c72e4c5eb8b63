"""A frame over a decoder's image.

Private API: `av.sidedata.sidedata.SideDataContainer` (PyAV), created directly to read the display
matrix, because `VideoFrame.side_data` would create a reference cycle that keeps images alive until
a garbage collection. Fallback: `VideoFrame.rotation`, without mirroring, if the side data cannot be
read; there is none if the constructor changes.
"""

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

from .tone_mapping import is_hdr, tone_mapped

UNTAGGED_COLORSPACE = 2
"""AVCOL_SPC_UNSPECIFIED: the file does not specify the color space of its images."""

YUV_MATRICES = (1, 5, 6)
"""Matrices that `Frame.yuv` supports, numbered as in ITU-T H.273: BT.709, and BT.601 twice."""

FULL_RANGE = 2
"""AVCOL_RANGE_JPEG."""

YUV420_FORMATS = ("yuv420p", "yuvj420p", "nv12")
"""Pixel formats with 8-bit 4:2:0 samples."""

CROPPABLE_FORMATS = (
    *YUV420_FORMATS,
    "yuv422p",
    "yuvj422p",
    "yuv444p",
    "yuvj444p",
    "yuv420p10le",
    "p010le",
    "gray",
)
"""Pixel formats of which a part can be converted alone."""

MAX_PIXEL_ASPECT = 10.0
"""Ratios of a pixel's width and height above this, or below its inverse, are damage."""

MAX_SD_SIZE = (1279, 576)
"""Untagged images whose long and short edge are at most this are BT.601, others BT.709; px."""


class VideoFrame(Frame):
    """A frame over a decoder's image, which is converted from YUV to RGB on demand.

    The image is displayed as the file specifies: rotated and mirrored by its display matrix, in
    its own color space and range. Pixels that are not square become so by scaling to `size`; HDR
    is shown with the range of BT.709. Transparency is ignored.

    Args:
        image: as the decoder made it; must not be used elsewhere afterwards.
        index: as in Frame, with time, captured and stream.
        size: width and height to display it at, px, see `displayed_size`; None for its own.
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
        """The decoder's planes; None unless they are 8-bit 4:2:0 and displayed as decoded."""
        image = self._image
        colors = _colors(image)
        unscaled = (image.width, image.height) == (self.width, self.height)
        as_decoded = self._orientation == Orientation() and not is_hdr(image.color_trc)
        if colors is None or not as_decoded or not unscaled:
            return None
        if image.format.name == "nv12":  # of hardware decoders: U and V are interleaved
            y, (u, v) = _plane(image.planes[0], 1)[0], _plane(image.planes[1], 2)
        else:
            y, u, v = (_plane(plane, 1)[0] for plane in image.planes)
        return YuvPlanes(y, u, v, colors)

    def _make_rgb(self) -> Image:
        return self._converted(self.width, self.height, Interpolation.BICUBIC)

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB in one step from YUV."""
        with self._lock:
            # AREA averages areas to shrink and is bilinear to enlarge.
            return self._converted(width, height, Interpolation.AREA)

    def resized_crop(self, box: Box, width: int, height: int) -> Image:
        """A part of the image scaled to (height,width,3) uint8 RGB, converted alone.

        A part whose edges are not on the chroma grid is converted before it is scaled.
        """
        image, orientation = self._image, self._orientation
        as_decoded = orientation.size(image.width, image.height) == (self.width, self.height)
        if not as_decoded or image.format.name not in CROPPABLE_FORMATS:
            return super().resized_crop(box, width, height)
        inner = orientation.decoded(box, self.width, self.height)
        outer = _aligned(inner, image.width, image.height)
        with self._lock:
            part = _crop(image, outer)
        colors = _colorspace(image), image.color_trc
        if inner != outer:
            rgb = _convert(part, part.width, part.height, Interpolation.BICUBIC, *colors)
            left, top, right, bottom = (b - a for a, b in zip(outer[:2] * 2, inner, strict=True))
            return resize(orientation.apply(rgb[top:bottom, left:right]), width, height)
        size = orientation.size(width, height)
        scales = size != (part.width, part.height)
        how = Interpolation.AREA if scales else Interpolation.BICUBIC
        return orientation.apply(_convert(part, *size, how, *colors))

    def _converted(self, width: int, height: int, interpolation: Interpolation) -> Image:
        # PyAV modifies the image during conversion: only call this with the frame's lock held.
        size = self._orientation.size(width, height)
        image = self._image
        rgb = _convert(image, *size, interpolation, _colorspace(image), image.color_trc)
        return self._orientation.apply(rgb)


def displayed_size(image: av.VideoFrame, pixel_aspect: float = 1.0) -> tuple[int, int]:
    """Width and height of an image as displayed, px: with square pixels, then rotated.

    The height of the decoded image is kept.

    Args:
        image: as decoded.
        pixel_aspect: width of a pixel divided by its height (the sample aspect ratio).
    """
    plausible = 1 / MAX_PIXEL_ASPECT <= pixel_aspect <= MAX_PIXEL_ASPECT
    width = max(1, round(image.width * pixel_aspect)) if plausible else image.width
    return _orientation(image).size(width, image.height)


class Orientation(NamedTuple):
    """How a decoded image is oriented for display: transposed first, then mirrored."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as displayed from those as decoded, and vice versa."""
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
        """The image as displayed: (H,W,3) uint8, contiguous, not shared."""
        if self.transpose:
            rgb = np.asarray(cv2.transpose(rgb), np.uint8)
        if self.mirror_x or self.mirror_y:
            # cv2.flip: 1 swaps left and right, 0 swaps top and bottom, -1 does both.
            code = -1 if self.mirror_x and self.mirror_y else int(self.mirror_x)
            rgb = np.asarray(cv2.flip(rgb, code), np.uint8)
        # PyAV returns a view of its buffer, whose rows are padded for some widths.
        return np.ascontiguousarray(rgb)


def _orientation(image: av.VideoFrame) -> Orientation:
    """From the display matrix (ISO 14496-12, 8.3.2.3): x' = a x + c y, y' = b x + d y."""
    a, b, c, d = _display_matrix(image)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def _display_matrix(image: av.VideoFrame) -> tuple[float, float, float, float]:
    """a, b, c, d of the image's display matrix; the identity if it has none."""
    try:
        # Not `image.side_data`: the image and it would refer to each other, and hundreds of images
        # would stay alive until the next garbage collection.
        data = SideDataContainer(image).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    except ValueError:
        # There is also side data that this PyAV does not know: only the angle is available.
        angle = math.radians(image.rotation)  # counterclockwise
        return math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)
    if data is None:
        return 1, 0, 0, 1
    # Rows of a, b, u and c, d, v in fixed point, of which only sign and ratio matter.
    a, b, _, c, d, *_ = np.frombuffer(bytes(cast(Buffer, data)), np.int32).tolist()
    return a, b, c, d


def _convert(
    image: av.VideoFrame,
    width: int,
    height: int,
    interpolation: Interpolation,
    colorspace: Colorspace | None,
    transfer: int,
) -> Image:
    """A decoded image scaled to (height,width,3) uint8 RGB, possibly with padded rows."""
    hdr = is_hdr(transfer)
    # A reformatter may not be shared between threads; a new one costs 0.1 ms.
    converted = VideoReformatter().reformat(
        image,
        width=width,
        height=height,
        format="rgb48le" if hdr else "rgb24",
        src_colorspace=colorspace,
        interpolation=interpolation,
        threads=1,
    )
    if hdr:
        return tone_mapped(cast(npt.NDArray[np.uint16], converted.to_ndarray()), transfer)
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
    """The color space of an untagged image, guessed from its size as players do; None if tagged."""
    if image.colorspace != UNTAGGED_COLORSPACE:
        return None
    short, long = sorted((image.width, image.height))
    is_sd = long <= MAX_SD_SIZE[0] and short <= MAX_SD_SIZE[1]
    return Colorspace.ITU601 if is_sd else Colorspace.ITU709


def _colors(image: av.VideoFrame) -> ColorSpec | None:
    """How to interpret the values of an image; None if `Frame.yuv` does not support it."""
    name = image.format.name
    guessed = _colorspace(image)
    # PyAV's names of guessed color spaces, as numbers of ITU-T H.273.
    matrix = image.colorspace if guessed is None else {Colorspace.ITU709: 1}.get(guessed, 6)
    if name not in YUV420_FORMATS or matrix not in YUV_MATRICES:
        return None
    return ColorSpec(int(matrix), name == "yuvj420p" or image.color_range == FULL_RANGE)


def _bytes_per_pixel(image: av.VideoFrame, plane: int) -> int:
    """Bytes per pixel of a plane, for all channels that share it."""
    channels = [channel for channel in image.format.components if channel.plane == plane]
    return sum(-(-channel.bits // 8) for channel in channels)


def _rows(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    """A plane's memory (H,bytes), including row padding."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)


def _plane(plane: VideoPlane, channels: int) -> npt.NDArray[np.uint8]:
    """A plane's memory (channels,H,W), read-only, without row padding."""
    rows = _rows(plane)
    rows.flags.writeable = False
    pixels = rows[:, : plane.width * channels].reshape(plane.height, plane.width, channels)
    return np.moveaxis(pixels, 2, 0)
