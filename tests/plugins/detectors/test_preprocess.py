import numpy as np
import pytest

from vidan import create
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
    # 16 x 16 px in 8 x 4: 4 x 4 px, and 4 px of padding in width.
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
    assert whole[0, 0, 0].tolist() == [0, 51, 255]  # bytes are not normalized
    assert whole.flags.c_contiguous


def test_images_of_any_size():
    assert made(size=None)[0].shape == (1, 3, 16, 16)


def test_as_text():
    text = str(Preprocessing(size=(320, 640), letterbox="center", mean=(0.5, 0.5, 0.5)))
    assert text == (
        "640x320 px, letterbox (center, filled with 114), RGB, 0 to 1, NCHW, "
        "minus 0.5,0.5,0.5, divided by 1,1,1"
    )


def test_options_override_what_is_usual():
    overrides = PreprocessOverrides(size=64, pad=7, mean=[1, 2, 3], letterbox="corner")
    assert overrides.over(Preprocessing(std=(2.0, 2.0, 2.0))) == Preprocessing(
        size=(64, 64), pad=(7, 7, 7), mean=(1, 2, 3), std=(2.0, 2.0, 2.0), letterbox="corner"
    )
    assert PreprocessOverrides().given() == {}


BAD = [
    ("size", [640], "`array` of length >= 2, not"),
    ("size", 0, "`int` >= 1, not 0"),
    ("size", [64, "a"], r"`int`, got `str` - at `\$\[1\]`"),
    ("letterbox", "centr", "did you mean 'center'"),
    ("pad", 300, "`float` <= 255.0, not 300"),
    ("pad", "gray", "`float | array | null`, got `str`"),
    ("channels", "gbr", "did you mean"),
    ("scale", 0, "`float` > 0.0, not 0"),
    ("mean", [1, 2], r"`array` of length >= 3, not \[1, 2\]"),
    ("std", [1, 0, 1], "`float` > 0.0 .*not"),
    ("layout", "hwc", ""),
]


@pytest.mark.parametrize(("option", "value", "message"), BAD)
def test_bad_options_are_rejected(toy, option, value, message):
    with pytest.raises(ConfigError, match=rf"^detector\.{option}[:=].*{message}"):
        create("detector", "onnx", model=toy(), **{option: value})


@pytest.mark.parametrize(("option", "value", "message"), BAD)
def test_bad_options_in_a_catalog_are_rejected(option, value, message):
    with pytest.raises(ConfigError, match=rf"^{option}[:=].*{message}"):
        PreprocessOverrides().or_else({option: value})
