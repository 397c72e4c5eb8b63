"""The image that is drawn on and encoded: YUV, in the memory of FFmpeg."""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace

from vidan.types import ColorSpec, Frame, Image, YuvPlanes

HD = ColorSpec(matrix=1, full_range=False)
"""BT.709 with luma from 16 to 235: what images that were RGB become."""

_MATRICES = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601}


class YuvFrame:
    """A frame's image in yuv420p, of even size, that may be written to.

    A decoder's planes are copied as they are, whatever their colors; only an image that is
    RGB, or whose colors differ from those asked for, is converted. Where the width or the
    height is odd the last column or row is repeated, as H.264 demands.

    Args:
        frame: whose image it is.
        colors: that it is to have; None for its own.

    Attributes:
        frame: for the encoder.
        planes: the same memory as arrays; sizes are even.
    """

    def __init__(self, frame: Frame, colors: ColorSpec | None = None) -> None:
        planes = frame.yuv()
        if planes is None or colors not in (None, planes.colors):
            colors = colors or HD
            self.frame = _converted(frame.rgb(), colors)
        else:
            colors = planes.colors
            self.frame = _copied(planes)
        y, u, v = map(array, self.frame.planes)
        self.planes = YuvPlanes(y, u, v, colors)


def _copied(planes: YuvPlanes) -> av.VideoFrame:
    height, width = planes.y.shape
    picture = av.VideoFrame(width + width % 2, height + height % 2, "yuv420p")
    for plane, source in zip(picture.planes, planes[:3], strict=True):
        target = array(plane)
        rows, columns = source.shape
        target[:rows, :columns] = source
        target[:rows, columns:] = source[:, -1:]
        target[rows:] = target[rows - 1]
    return picture


def _converted(rgb: Image, colors: ColorSpec) -> av.VideoFrame:
    # A view of the array: `from_ndarray` would copy it row by row, which takes longer.
    return av.VideoFrame.from_numpy_buffer(_even(rgb), "rgb24").reformat(
        format="yuv420p",
        dst_colorspace=_MATRICES[colors.matrix],
        dst_color_range=ColorRange.JPEG if colors.full_range else ColorRange.MPEG,
        threads=1,
    )


def _even(rgb: Image) -> Image:
    """The image with its last row and column repeated where their number is odd."""
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def array(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    """A plane's memory (H,W), without what pads its rows."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]
