"""A frame in YUV 4:2:0, in memory that FFmpeg encodes from and that can be drawn on."""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace

from vidan.types import ColorSpec, Frame, Image, YuvPlanes

HD = ColorSpec(matrix=1, full_range=False)
"""BT.709 with luma from 16 to 235: the colors that RGB images are converted to."""

_COLORSPACES = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601}


class YuvFrame:
    """A writable copy of a frame's image in yuv420p, with even width and height.

    The planes of a decoder are copied whatever their colors; an image is converted only if it
    is RGB, or if its colors differ from those requested. An odd width or height is made even by
    repeating the last column or row, as H.264 requires.

    Args:
        frame: source of the image.
        colors: requested colors; None for those of the frame.

    Attributes:
        frame: for the encoder.
        planes: the same memory as arrays.
    """

    def __init__(self, frame: Frame, colors: ColorSpec | None = None) -> None:
        planes = frame.yuv()
        if planes is None or colors not in (None, planes.colors):
            colors = colors or HD
            self.frame = _converted(frame.rgb(), colors)
        else:
            colors = planes.colors
            self.frame = _copied(planes)
        y, u, v = map(plane_array, self.frame.planes)
        self.planes = YuvPlanes(y, u, v, colors)


def _copied(planes: YuvPlanes) -> av.VideoFrame:
    height, width = planes.y.shape
    copy = av.VideoFrame(width + width % 2, height + height % 2, "yuv420p")
    for plane, source in zip(copy.planes, planes[:3], strict=True):
        target = plane_array(plane)
        rows, columns = source.shape
        target[:rows, :columns] = source
        target[:rows, columns:] = source[:, -1:]
        target[rows:] = target[rows - 1]
    return copy


def _converted(rgb: Image, colors: ColorSpec) -> av.VideoFrame:
    # A view of the array: `from_ndarray` would copy it row by row, which is slower.
    return av.VideoFrame.from_numpy_buffer(_even(rgb), "rgb24").reformat(
        format="yuv420p",
        dst_colorspace=_COLORSPACES[colors.matrix],
        dst_color_range=ColorRange.JPEG if colors.full_range else ColorRange.MPEG,
        threads=1,
    )


def _even(rgb: Image) -> Image:
    """The image with its last row and column repeated where the height or width is odd."""
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def plane_array(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    """A view (H,W) of a plane's memory, without the padding of its rows."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]
