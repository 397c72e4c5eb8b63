import time
from contextlib import contextmanager

import numpy as np
import pytest

from vidan import ArrayFrame, Frame

META = {"index": 3, "time": 0.5, "captured": 9.0, "stream": "cam"}


def noise(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def metadata(frame):
    return {key: getattr(frame, key) for key in (*META, "filename")}


def test_an_array_frame_has_the_size_of_its_array_and_the_given_metadata():
    frame = ArrayFrame(noise(7, 5), filename="a.png", **META)
    assert (frame.width, frame.height) == (7, 5)
    assert (frame.index, frame.time, frame.captured) == (3, 0.5, 9.0)
    assert (frame.stream, frame.filename) == ("cam", "a.png")


def test_an_array_frame_is_read_only_but_its_array_stays_writeable():
    array = noise(7, 5)
    frame = ArrayFrame(array, **META)
    assert np.array_equal(frame.rgb(), array)
    assert frame.rgb() is frame.rgb()
    assert not frame.rgb().flags.writeable
    assert array.flags.writeable


def test_an_array_frame_makes_a_mirrored_view_contiguous():
    array = noise(7, 5)[:, ::-1]
    frame = ArrayFrame(array, **META)
    assert frame.rgb().flags.c_contiguous
    assert np.array_equal(frame.rgb(), array)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_arrays_that_are_not_images_are_rejected(array):
    with pytest.raises(ValueError, match=r"expected \(H,W,3\) uint8, got"):
        ArrayFrame(array, **META)


def test_shrinking_averages_areas():
    # Left 2x2 block: 0, 10, 20, 30, mean 15; right block: 100, 100, 200, 200, mean 150.
    array = np.array([[0, 10, 100, 100], [20, 30, 200, 200]], np.uint8)
    small = ArrayFrame(np.dstack([array] * 3), **META).resized(2, 1)
    assert small.tolist() == [[[15, 15, 15], [150, 150, 150]]]


def test_enlarging_interpolates_between_pixels():
    # Centers of 4 pixels over 2: 0 at 0.5, 100 at 1.5; at 0.25 0, 0.75 25, 1.25 75, 1.75 100.
    array = np.array([[0, 100]], np.uint8)
    large = ArrayFrame(np.dstack([array] * 3), **META).resized(4, 1)
    assert large[0, :, 0].tolist() == [0, 25, 75, 100]


def test_one_axis_may_shrink_while_the_other_grows():
    # Shrunk in width by averaging (0 and 100 to 50), repeated in height.
    array = np.array([[0, 100]], np.uint8)
    assert ArrayFrame(np.dstack([array] * 3), **META).resized(1, 3).tolist() == [[[50] * 3]] * 3


def test_an_array_is_the_only_required_argument():
    frame = ArrayFrame(noise(7, 5))
    assert (frame.index, frame.time, frame.filename) == (0, 0.0, None)
    assert 0 <= time.monotonic() - frame.captured < 60


def test_a_crop_has_the_pixels_and_metadata_of_the_frame():
    array = noise(8, 6)
    whole = ArrayFrame(array, filename="a.png", **META)
    part = whole.crop((2, 1, 7, 5))
    assert (part.width, part.height) == (5, 4)
    assert metadata(part) == metadata(whole)
    np.testing.assert_array_equal(part.rgb(), array[1:5, 2:7])
    np.testing.assert_array_equal(part.resized(5, 4), array[1:5, 2:7])
    assert not part.rgb().flags.writeable
    assert part.rgb().flags.c_contiguous
    assert part.yuv() is None


def test_a_crop_of_a_crop():
    array = noise(8, 6)
    part = ArrayFrame(array).crop((2, 1, 7, 5)).crop((1, 1, 3, 4))
    np.testing.assert_array_equal(part.rgb(), array[2:5, 3:5])


def test_resizing_a_crop_averages_areas_inside_it():
    array = np.array([[9, 0, 10, 100, 100], [9, 20, 30, 200, 200]], np.uint8)
    part = ArrayFrame(np.dstack([array] * 3)).crop((1, 0, 5, 2))
    assert part.resized(2, 1).tolist() == [[[15, 15, 15], [150, 150, 150]]]


@pytest.mark.parametrize("box", [(0, 0, 9, 6), (-1, 0, 4, 4), (3, 3, 3, 4), (0, 0, 8, 7)])
def test_a_crop_must_lie_inside_the_frame(box):
    with pytest.raises(ValueError, match="expected a part of 8x6 px"):
        ArrayFrame(noise(8, 6)).crop(box)


def test_a_scaled_frame_is_resized_from_the_original():
    whole = ArrayFrame(noise(8, 6), filename="a.png", **META)
    small = whole.scaled(4, 3)
    assert (small.width, small.height) == (4, 3)
    assert metadata(small) == metadata(whole)
    np.testing.assert_array_equal(small.rgb(), whole.resized(4, 3))
    np.testing.assert_array_equal(small.resized(6, 6), whole.resized(6, 6))  # in one step


class PlainFrame(Frame):
    """A frame with methods of its own, and one that makes no pixels."""

    def _make_rgb(self):
        return noise(self.width, self.height)

    def resized(self, width, height):
        return noise(width, height)

    def describe(self):
        return "plain"


def test_an_observer_surrounds_the_methods_that_make_pixels():
    calls = []

    @contextmanager
    def observe(frame, method):
        calls.append((frame.index, method, "start"))
        yield
        calls.append((frame.index, method, "end"))

    frame = PlainFrame(width=4, height=3, **META)
    frame.rgb()
    assert calls == []
    frame.observer = observe
    assert frame.resized(2, 2).shape == (2, 2, 3)
    frame.describe()
    frame.rgb()
    methods = [(3, name, at) for name in ("resized", "rgb") for at in ("start", "end")]
    assert calls == methods
    assert type(frame) is PlainFrame
