"""Frames in YUV for the encoder."""

import numpy as np

from tests.clips import numbered_image
from vidan import ColorSpec, YuvPlanes
from vidan.frames import ArrayFrame
from vidan_plugins.sinks.video.yuv_frame import HD, YuvFrame

BT601 = ColorSpec(6, False)


class Decoded(ArrayFrame):
    """A frame with the YUV planes of a decoder."""

    __slots__ = ("planes",)

    def yuv(self):
        return self.planes


def decoded(width, height, colors=HD):
    one = Decoded(np.zeros((height, width, 3), np.uint8))
    y = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    u = np.full(((height + 1) // 2, (width + 1) // 2), 90, np.uint8)
    one.planes = YuvPlanes(y, u, u + 10, colors)
    return one


def test_the_planes_of_the_decoder_are_copied_unchanged():
    source = decoded(64, 48, BT601)
    made = YuvFrame(source)
    assert made.planes.colors == BT601
    for copy, plane in zip(made.planes[:3], source.planes[:3], strict=True):
        np.testing.assert_array_equal(copy, plane)
    made.planes.y[:] = 0
    assert source.planes.y.max() > 0  # a copy


def test_odd_sizes_are_made_even_by_repeating_the_edge():
    made = YuvFrame(decoded(33, 21))
    y = made.planes.y
    assert y.shape == (22, 34)
    np.testing.assert_array_equal(y[:, 33], y[:, 32])
    np.testing.assert_array_equal(y[21], y[20])
    assert (made.planes.u == 90).all()


def test_images_in_rgb_or_other_colors_are_converted():
    assert YuvFrame(decoded(64, 48, BT601), HD).planes.y.max() == 16  # its RGB is black
    assert YuvFrame(ArrayFrame(numbered_image(0))).planes.colors == HD
