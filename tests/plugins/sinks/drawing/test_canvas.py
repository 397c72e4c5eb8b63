"""Drawing on YUV planes, compared with drawing in RGB."""

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


def test_areas_are_filled_at_the_same_place_in_every_plane():
    target = planes()
    YuvCanvas(target, Text()).fill((slice(10, 20), slice(30, 41)), (0, 0, 255))
    assert (target.y[10:20, 30:41] == 32).all()
    assert (target.y == 32).sum() == 10 * 11
    assert (target.u[5:10, 15:21] == 240).all()  # the partly covered column included
    assert (target.u == 240).sum() == (target.v == 118).sum() == 5 * 6


@pytest.mark.parametrize("draw", ["box", "dashed box", "path"])
def test_lines_are_at_the_same_place_in_planes_of_half_the_size(draw):
    target = planes()
    canvas = YuvCanvas(target, Text())
    if draw == "box":
        canvas.box((8, 8, 40, 40), (0, 0, 255), 2)
    elif draw == "dashed box":
        canvas.dashed_box((16, 8, 48, 40), (0, 0, 255), 2)
    else:
        canvas.path(np.array([[8, 8], [24, 8], [40, 8]], np.int32), (0, 0, 255), 2)
    assert target.y[8, 24] == 32
    assert (target.u[4, 12], target.v[4, 12]) == (240, 118)
    assert (target.y[24, 24], target.u[12, 12]) == (16, 128)


def test_the_result_resembles_drawing_in_rgb():
    size = 320, 240
    boxes = np.array([[50, 60, 150, 200], [200, 60, 300, 180]], np.float32)
    n = len(boxes)
    tracks = Tracks(
        np.arange(n), boxes, np.ones(n, np.float32), np.zeros(n, np.int32),
        np.array([0, 2], np.int32), np.full(n, -1, np.int32),
    )  # fmt: skip
    result = Result(frame(numbered_image(3, *size)), Detections.empty(), tracks, ("thing", "b"))
    expected = Painter().annotate(result).astype(int)
    drawn = YuvFrame(result.frame)
    Painter().draw_on(drawn.planes, result)
    shown = drawn.frame.to_ndarray(format="rgb24").astype(int)
    assert tuple(shown[130, 51]) == pytest.approx(color_of(0), abs=12)
    assert np.abs(shown - expected).mean() < 6
