"""Drawing on YUV planes: the same image as drawing in RGB, up to 4:2:0."""

import numpy as np
import pytest

from tests.clips import numbered_image
from vidan import ColorSpec, Detections, Result, Tracks, YuvPlanes
from vidan.frames import ArrayFrame
from vidan_plugins.sinks.drawing.canvas import YuvCanvas, yuv_of
from vidan_plugins.sinks.drawing.painter import Painter
from vidan_plugins.sinks.drawing.palette import color_of
from vidan_plugins.sinks.drawing.text import Text
from vidan_plugins.sinks.video.yuv_frame import HD, YuvFrame

BT601 = ColorSpec(6, False)


def frame(rgb):
    return ArrayFrame(rgb, index=0, time=0.0, captured=0.0, stream="test")


class Decoded(ArrayFrame):
    """A frame that also has planes, as a decoder's has."""

    __slots__ = ("planes",)

    def yuv(self):
        return self.planes


def decoded(width, height, colors=HD):
    one = Decoded(np.zeros((height, width, 3), np.uint8), index=0, time=0, captured=0, stream="t")
    y = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    u = np.full(((height + 1) // 2, (width + 1) // 2), 90, np.uint8)
    one.planes = YuvPlanes(y, u, u + 10, colors)
    return one


def planes(width=64, height=48):
    y = np.full((height, width), 16, np.uint8)
    u = np.full((height // 2, width // 2), 128, np.uint8)
    return YuvPlanes(y, u, u.copy(), HD)


@pytest.mark.parametrize(
    ("color", "colors", "expected"),
    [
        ((0, 0, 0), HD, (16, 128, 128)),
        ((255, 255, 255), HD, (235, 128, 128)),
        ((255, 255, 255), ColorSpec(1, True), (255, 128, 128)),
        # BT.601, red: 16 + 219 * 0.299 = 81.5; 128 - 224 * 0.299 / 1.772 = 90.2; 128 + 112
        ((255, 0, 0), BT601, (81, 90, 240)),
        # BT.709, blue: 16 + 219 * 0.0722 = 31.8; 128 + 112; 128 - 224 * 0.0722 / 1.5748 = 117.7
        ((0, 0, 255), HD, (32, 240, 118)),
        # full range: 128 + 127.5 does not fit into a byte
        ((255, 0, 0), ColorSpec(5, True), (76, 85, 255)),
    ],
)
def test_colors_in_yuv(color, colors, expected):
    assert yuv_of(color, colors) == expected


def test_what_is_drawn_lies_at_the_same_place_in_every_plane():
    target = planes()
    YuvCanvas(target, Text()).fill((slice(10, 20), slice(30, 41)), (0, 0, 255))
    assert (target.y[10:20, 30:41] == 32).all()
    assert (target.y == 32).sum() == 10 * 11
    assert (target.u[5:10, 15:21] == 240).all()  # the column that is shared included
    assert (target.u == 240).sum() == (target.v == 118).sum() == 5 * 6


@pytest.mark.parametrize("draw", ["box", "stroke", "path"])
def test_lines_in_planes_of_half_the_size(draw):
    target = planes()
    canvas = YuvCanvas(target, Text())
    if draw == "box":
        canvas.box((8, 8, 40, 40), (0, 0, 255), 2)
    elif draw == "stroke":
        canvas.stroke((8, 8), (40, 8), (0, 0, 255), 2)
    else:
        canvas.path(np.array([[8, 8], [24, 8], [40, 8]], np.int32), (0, 0, 255), 2)
    assert target.y[8, 24] == 32
    assert (target.u[4, 12], target.v[4, 12]) == (240, 118)
    assert (target.y[24, 24], target.u[12, 12]) == (16, 128)


def test_looks_as_if_drawn_in_rgb():
    size = 320, 240
    boxes = np.array([[50, 60, 150, 200], [200, 60, 300, 180]], np.float32)
    n = len(boxes)
    tracks = Tracks(
        np.arange(n), boxes, np.ones(n, np.float32), np.zeros(n, np.int32),
        np.array([0, 2], np.int32), np.full(n, -1, np.int32),
    )  # fmt: skip
    result = Result(frame(numbered_image(3, *size)), Detections.empty(), tracks, ("thing",))
    expected = Painter().annotate(result).astype(int)
    drawn = YuvFrame(result.frame)
    Painter().draw_on(drawn.planes, result)
    shown = drawn.frame.to_ndarray(format="rgb24").astype(int)
    assert tuple(shown[130, 51]) == pytest.approx(color_of(0), abs=12)
    assert np.abs(shown - expected).mean() < 6


def test_the_decoders_planes_are_copied_as_they_are():
    source = decoded(64, 48, BT601)
    made = YuvFrame(source)
    assert made.planes.colors == BT601
    for copy, plane in zip(made.planes[:3], source.planes[:3], strict=True):
        np.testing.assert_array_equal(copy, plane)
    made.planes.y[:] = 0
    assert source.planes.y.max() > 0  # a copy


def test_odd_sizes_repeat_the_last_row_and_column():
    made = YuvFrame(decoded(33, 21))
    y = made.planes.y
    assert y.shape == (22, 34)
    np.testing.assert_array_equal(y[:, 33], y[:, 32])
    np.testing.assert_array_equal(y[21], y[20])
    assert (made.planes.u == 90).all()


def test_an_image_of_other_colors_is_converted():
    assert YuvFrame(decoded(64, 48, BT601), HD).planes.y.max() == 16  # its RGB is black
    assert YuvFrame(frame(numbered_image(0))).planes.colors == HD
