import pytest
from skimage import data
from vidan_lbp.detector import Lbp

from vidan import ArrayFrame, ConfigError, create
from vidan.testing import DetectorSuite


def astronaut():
    """scikit-image's sample image: (512,512,3), a face around (222, 115)."""
    return data.astronaut()


class TestLbp(DetectorSuite):
    finds = True

    def make(self, tmp_path):
        return Lbp()

    def frames(self):
        return [ArrayFrame(astronaut()), ArrayFrame(astronaut()[:, ::-1])]


def test_the_box_contains_the_face():
    (found,) = Lbp().detect([ArrayFrame(astronaut())])
    assert len(found) == 1
    left, top, right, bottom = found.boxes[0].tolist()
    assert left < 222 < right
    assert top < 115 < bottom


def test_bad_options_are_rejected():
    with pytest.raises(ConfigError, match="scale"):
        create("detector", "lbp", scale=1.0)
    with pytest.raises(ConfigError, match="width=30"):
        Lbp(width=30)
