import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

from vidan.errors import ModelError
from vidan_training.model.anchors import AnchorShapes, encode, make_anchors
from vidan_training.model.box_coder import decode

ANCHORS = make_anchors(128, 256, AnchorShapes(4.0, 3, (1.0, 2.0, 0.5)))


def test_number_of_anchors():
    # 128 x 256 px: 16*32 + 8*16 + 4*8 + 2*4 + 1*2 locations, 9 anchors each
    assert ANCHORS.shape == (682 * 9, 4)
    assert ANCHORS.dtype == np.float32


@pytest.mark.parametrize(
    ("row", "box"),
    [
        # P3, stride 8, first location: center (4, 4), side 4 * 8 = 32
        (0, (-12, -12, 20, 20)),
        # ratio 2: width 32 * sqrt 2 = 45.2548, height 32 / sqrt 2 = 22.6274
        (1, (4 - 22.6274, 4 - 11.3137, 4 + 22.6274, 4 + 11.3137)),
        (2, (4 - 11.3137, 4 - 22.6274, 4 + 11.3137, 4 + 22.6274)),
        # the next octave: side 32 * 2^(1/3) = 40.3175
        (3, (4 - 20.1587, 4 - 20.1587, 4 + 20.1587, 4 + 20.1587)),
        (9, (-4, -12, 28, 20)),  # one column on: center (12, 4)
        (32 * 9, (-12, -4, 20, 28)),  # one row on, after 32 columns: center (4, 12)
        (512 * 9, (-24, -24, 40, 40)),  # P4, stride 16: center (8, 8), side 64
        (680 * 9, (64 - 256, 64 - 256, 64 + 256, 64 + 256)),  # P7: center (64, 64), side 512
        (681 * 9, (192 - 256, 64 - 256, 192 + 256, 64 + 256)),  # and (192, 64)
    ],
)
def test_anchors_by_hand(row, box):
    assert ANCHORS[row] == pytest.approx(np.array(box), abs=1e-3)


@pytest.mark.parametrize("size", [(500, 512), (512, 100)])
def test_size_must_fit_the_pyramid(size):
    with pytest.raises(ModelError, match="multiples of 128"):
        make_anchors(*size, AnchorShapes())


def test_encoding_by_hand():
    # Anchor center (10, 20), 20 wide, 40 high; box center (15, 30), 40 wide, 20 high:
    # dy = 10/40, dx = 5/20, log h = ln(20/40), log w = ln(40/20)
    anchor, box = np.array([[0, 0, 20, 40.0]]), np.array([[-5, 20, 35, 40.0]])
    assert encode(box, anchor)[0] == pytest.approx([0.25, 0.25, -0.693147, 0.693147], abs=1e-5)


def test_decoding_is_the_inverse_of_encoding():
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(0, 200, (len(ANCHORS), 2)), rng.uniform(2, 90, (len(ANCHORS), 2))
    boxes = np.concatenate([corner, corner + size], 1).astype(np.float32)
    assert np.asarray(decode(encode(boxes, ANCHORS), ANCHORS)) == pytest.approx(boxes, abs=1e-2)


def test_huge_codes_decode_to_finite_boxes():
    codes = np.full((1, len(ANCHORS), 4), 1e4, np.float32)
    assert np.isfinite(np.asarray(decode(codes, ANCHORS))).all()
