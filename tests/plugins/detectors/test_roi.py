"""`detector.roi`: detection in a part of the image."""

import numpy as np
import pytest

from vidan.errors import ConfigError
from vidan.frames import ArrayFrame
from vidan_plugins.detectors.onnx import OnnxDetector
from vidan_plugins.roi import Region

from .models import BOXES


def frame(rgb):
    return ArrayFrame(rgb, index=3, time=0.5, captured=0.0, stream="s")


@pytest.mark.parametrize("roi", [(0.25, 0.5, 1, 1), (48, 64, 192, 128)])
def test_a_part_of_the_image(roi):
    rgb = np.arange(128 * 192 * 3, dtype=np.uint8).reshape(128, 192, 3)
    whole = frame(rgb)
    part = whole.crop(Region(roi).box(whole))
    assert (part.width, part.height, part.index, part.time) == (144, 64, 3, 0.5)
    np.testing.assert_array_equal(part.rgb(), rgb[64:, 48:])
    np.testing.assert_array_equal(part.resized(144, 64), rgb[64:, 48:])
    assert part.resized(72, 32).shape == (32, 72, 3)


def test_px_beyond_the_image_are_cropped():
    whole = frame(np.zeros((128, 192, 3), np.uint8))
    assert Region((100, 0, 500, 500)).box(whole) == (100, 0, 192, 128)


def test_boxes_are_in_px_of_the_whole_image(toy):
    # Right half green, left half red; the part, 96x64, is the model's input, not scaled.
    rgb = np.zeros((128, 192, 3), np.uint8)
    rgb[:, :96, 0], rgb[:, 96:, 1] = 255, 204
    (found,) = OnnxDetector(toy(size=(64, 96)), roi=[0.5, 0.5, 1, 1]).detect([frame(rgb)])
    np.testing.assert_allclose(found.boxes, BOXES + np.array([96, 64, 96, 64]))
    assert found.classes.tolist() == [1, 1]


@pytest.mark.parametrize(
    "roi", [[0, 0, 1], [0.5, 0, 0.5, 1], [0, 0, -1, 1], [0, 0, float("nan"), 1], [1, 1, 0, 0]]
)
def test_other_values_than_a_rectangle_are_rejected(toy, roi):
    with pytest.raises(ConfigError, match=r"^roi=\[.*expected left, top, right, bottom"):
        OnnxDetector(toy(), roi=roi)


def test_a_rectangle_outside_the_image_is_rejected():
    with pytest.raises(ConfigError, match="contains no pixel of an image of 192x128 px"):
        Region((200, 0, 300, 100)).box(frame(np.zeros((128, 192, 3), np.uint8)))
