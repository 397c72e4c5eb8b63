import numpy as np
import pytest
from vidan_blur.sink import Blur, blur

from vidan import ConfigError, create
from vidan.testing import SinkSuite, result
from vidan_plugins.sources.ffmpeg.file import VideoFile


class TestBlur(SinkSuite):
    def make(self, tmp_path):
        return Blur(str(tmp_path / "blurred.mp4"))

    def check(self, tmp_path, results):
        source = VideoFile(str(tmp_path / "blurred.mp4"))
        assert len(list(source)) == len(results)
        source.close()


def stripes():
    """Black and white, two pixels each: a blur leaves gray."""
    rgb = np.zeros((96, 128, 3), np.uint8)
    rgb[:, ::4] = rgb[:, 1::4] = 255
    return rgb


def test_inside_is_gray_and_outside_is_not():
    rgb = stripes()
    blur(rgb, np.array([32, 24, 96, 72], np.float32), 0.0)
    assert np.ptp(rgb[24:72, 32:96]) < 40
    np.testing.assert_array_equal(rgb[:24], stripes()[:24])
    np.testing.assert_array_equal(rgb[:, 96:], stripes()[:, 96:])


def test_boxes_beyond_the_border():
    for box in ([-50, -50, 10, 10], [120, 90, 500, 500], [200, 200, 300, 300], [5, 5, 5, 5]):
        blur(stripes(), np.array(box, np.float32), 0.2)


def test_only_the_given_labels_are_blurred(tmp_path):
    sink = Blur(str(tmp_path / "out.mp4"), labels=["other"])
    found = result(0, [[10, 10, 20, 20], [30, 30, 40, 40], [50, 50, 60, 60]], classes=[0, 1, -1])
    boxes = sink._boxes(found)
    sink.close()
    assert sorted({box[0] for box in boxes.tolist()}) == [30, 50]


def test_bad_options_are_rejected(tmp_path):
    with pytest.raises(ConfigError, match="margin"):
        create("sink", "blur", path=str(tmp_path / "out.mp4"), margin=-1)
