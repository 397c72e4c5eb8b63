import numpy as np
import pytest

from vidan.frames import ArrayFrame
from vidan_training.evaluation.slices import CLEAN, SLICES, apply_slice

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", SLICES)
def test_slices_depend_only_on_seed_and_name(name):
    before = IMAGE.copy()
    first = apply_slice(name, IMAGE, "a.jpg", 1)
    assert (first.shape, first.dtype) == (IMAGE.shape, np.uint8)
    assert (first == apply_slice(name, IMAGE, "a.jpg", 1)).all()
    assert (before == IMAGE).all()
    assert (first == IMAGE).all() == (name == CLEAN)
    for other in (("b.jpg", 1), ("a.jpg", 2)):
        assert (first == apply_slice(name, IMAGE, *other)).all() == (name == CLEAN)


def test_denser_haze_reduces_contrast():
    spread = [
        apply_slice(name, IMAGE, "a.jpg", 0).std()
        for name in (CLEAN, "haze_light", "haze_medium", "haze_dense")
    ]
    assert spread == sorted(spread, reverse=True)


@pytest.mark.parametrize("size", [(45, 30), (90, 60), (180, 120), (45, 120)])
def test_a_detector_gets_the_same_pixels_as_in_a_run(size):
    run = ArrayFrame(IMAGE, index=0, time=0, captured=0, stream="s")
    frame = ArrayFrame(IMAGE, filename="a.jpg")
    assert (frame.width, frame.height, frame.filename) == (90, 60, "a.jpg")
    assert (frame.resized(*size) == run.resized(*size)).all()
    assert not frame.rgb().flags.writeable
