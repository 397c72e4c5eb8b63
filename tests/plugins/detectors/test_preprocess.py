import numpy as np
import pytest

from vidan.errors import ConfigError
from vidan_plugins.detectors.preprocess import Preprocessing, PreprocessOverrides

from .models import plain

COLOR = (255, 51, 0)  # 1.0, 0.2 and 0.0


def made(dtype="float32", batched=True, **options):
    how = Preprocessing(**({"size": (4, 8)} | options))
    image, placement = how.place(plain(COLOR, width=16, height=16))
    return how.tensor(image, dtype, batched), placement


def test_stretched():
    tensor, (*_, left, top, scale) = made()
    assert (tensor.shape, tensor.dtype) == ((1, 3, 4, 8), np.float32)
    np.testing.assert_allclose(tensor[0, :, 2, 3], [1, 0.2, 0], atol=1e-6)
    assert (tuple(scale), left, top) == ((0.5, 0.25), 0, 0)


@pytest.mark.parametrize(("place", "left"), [("center", 2), ("corner", 0)])
def test_letterbox(place, left):
    # 16 x 16 px in 8 x 4: 4 x 4 px, and 4 px left over in width.
    tensor, placement = made(letterbox=place, pad=(0.0, 255.0, 51.0))
    assert (tuple(placement.scale), placement.left, placement.top) == ((0.25, 0.25), left, 0)
    inside = np.zeros(8, bool)
    inside[left : left + 4] = True
    np.testing.assert_allclose(tensor[0, 0, 0], np.where(inside, 1, 0), atol=1e-6)
    np.testing.assert_allclose(tensor[0, 1, 3], np.where(inside, 0.2, 1), atol=1e-6)
    np.testing.assert_allclose(tensor[0, 2, 0], np.where(inside, 0, 0.2), atol=1e-6)


def test_order_scale_mean_and_std_follow_the_channels():
    tensor, _ = made(channels="bgr", scale=255.0, mean=(5.0, 1.0, 10.0), std=(2.0, 5.0, 1.0))
    # blue (0 - 10) / 1, green (51 - 1) / 5, red (255 - 5) / 2
    np.testing.assert_allclose(tensor[0, :, 0, 0], [-10, 10, 125], atol=1e-4)


def test_layout_batch_and_types():
    assert made(layout="nhwc")[0].shape == (1, 4, 8, 3)
    assert made(batched=False)[0].shape == (3, 4, 8)
    half, _ = made("float16")
    assert half.dtype == np.float16
    whole, _ = made("uint8", channels="bgr", layout="nhwc", scale=1.0)
    assert whole[0, 0, 0].tolist() == [0, 51, 255]  # bytes stay as they are
    assert whole.flags.c_contiguous


def test_images_as_they_are():
    assert made(size=None)[0].shape == (1, 3, 16, 16)


def test_said_in_a_line():
    text = str(Preprocessing(size=(320, 640), letterbox="center", mean=(0.5, 0.5, 0.5)))
    assert text == (
        "640x320 px, letterbox (center, filled with 114), RGB, 0 to 1, NCHW, "
        "less 0.5,0.5,0.5 and divided by 1,1,1"
    )


def test_wishes_go_before_what_is_usual():
    wishes = PreprocessOverrides(size=64, pad=7, mean=[1, 2, 3], letterbox="corner")
    assert wishes.over(Preprocessing(std=(2.0, 2.0, 2.0))) == Preprocessing(
        size=(64, 64), pad=(7, 7, 7), mean=(1, 2, 3), std=(2.0, 2.0, 2.0), letterbox="corner"
    )
    assert PreprocessOverrides().given() == {}


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"size": [640]}, r"detector.size=\[640\]: expected height and width in px"),
        ({"size": 0}, "detector.size=0: expected a whole number from 1"),
        ({"size": [64, "a"]}, "detector.size='a'"),
        ({"letterbox": "centr"}, "detector.letterbox='centr': did you mean 'center'"),
        ({"pad": 300}, "detector.pad=300: expected a number from 0 to 255"),
        ({"pad": "gray"}, "detector.pad='gray': expected a number, or three"),
        ({"channels": "gbr"}, "detector.channels='gbr': did you mean"),
        ({"scale": 0}, "detector.scale=0: expected a number above 0"),
        ({"mean": [1, 2]}, r"detector.mean=\[1, 2\]: expected a number, or three"),
        ({"std": [1, 0, 1]}, r"detector.std=\[1, 0, 1\]: expected numbers above 0"),
        ({"layout": "hwc"}, "detector.layout='hwc'"),
    ],
)
def test_bad_wishes(wish, message):
    with pytest.raises(ConfigError, match=message):
        PreprocessOverrides(**wish).given()
