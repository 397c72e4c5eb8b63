import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

import keras

from vidan.errors import ConfigError
from vidan_training.model.anchors import AnchorShapes, make_anchors
from vidan_training.model.backbones import backbone, scaled_filters, scaled_repeats
from vidan_training.model.efficientdet import DecodeTopK, detector, efficientdet

SHAPES = AnchorShapes(4.0, 3, (1.0, 2.0, 0.5))


def trainable(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


@pytest.mark.parametrize(
    ("name", "parameters", "published"),
    [
        # Millions: table 2 of the paper; Lite: table in github.com/google/automl, efficientdet.
        ("d0", 3_880_067, 3.9),
        pytest.param("d1", 6_625_898, 6.6, marks=pytest.mark.slow),
        pytest.param("d2", 8_097_039, 8.1, marks=pytest.mark.slow),
        pytest.param("d3", 12_032_296, 12, marks=pytest.mark.slow),
        pytest.param("d4", 20_723_675, 21, marks=pytest.mark.slow),
        ("lite0", 3_243_470, 3.2),
        pytest.param("lite1", 4_248_318, 4.2, marks=pytest.mark.slow),
        pytest.param("lite2", 5_252_334, 5.3, marks=pytest.mark.slow),
    ],
)
def test_models_have_the_published_number_of_parameters(name, parameters, published):
    model = efficientdet(name, 90, SHAPES)  # the 90 classes of COCO and 9 anchors
    assert trainable(model) == parameters
    digits = 0 if published >= 10 else 1
    assert round(parameters / 1e6, digits) == published


@pytest.fixture(scope="module")
def lite0():
    return efficientdet("lite0", 3, SHAPES, frozen_stages=2, frozen_norm_stages=7)


def test_shapes_of_the_outputs(lite0):
    outputs = lite0(np.zeros((2, 128, 256, 3), np.uint8))
    anchors = len(make_anchors(128, 256, SHAPES))
    assert outputs["class"].shape == (2, anchors, 3)
    assert outputs["box"].shape == (2, anchors, 4)


def test_initially_everything_is_background(lite0):
    logits = np.asarray(lite0(np.zeros((1, 128, 128, 3), np.uint8))["class"])
    assert 1 / (1 + np.exp(-logits.mean())) == pytest.approx(0.01, abs=0.005)


def test_frozen_stages_have_no_trainable_variables(lite0):
    names = {v.path.split("_")[0] for v in lite0.trainable_variables}
    assert not names & {"stem", "block1a", "block2a", "block2b"}
    assert {"block3a", "block7a", "fpn0", "class", "box"} <= names


def test_frozen_batch_norm_keeps_its_statistics_in_training(lite0):
    before = [np.asarray(v) for v in lite0.non_trainable_variables if "block" in v.path]
    lite0(np.full((1, 128, 128, 3), 200, np.uint8), training=True)
    after = [np.asarray(v) for v in lite0.non_trainable_variables if "block" in v.path]
    assert all((a == b).all() for a, b in zip(after, before, strict=True))
    new = lite0.get_layer("fpn0_p4_td_bn").moving_mean
    assert np.abs(np.asarray(new)).max() > 0


def test_lite_has_neither_attention_nor_swish(lite0):
    assert not [layer.name for layer in lite0.layers if "_se_" in layer.name]
    activations = {
        layer.activation.__name__
        for layer in lite0.layers
        if isinstance(layer, keras.layers.Activation)
    }
    assert activations == {"relu6"}


@pytest.mark.parametrize(
    ("filters", "width", "expected"),
    # 32 * 1.1 = 35.2 -> 32; 40 * 1.1 = 44 -> 48; 24 * 1.4 = 33.6 -> 32; 16 * 0.5 = 8
    [(32, 1.1, 32), (40, 1.1, 48), (24, 1.4, 32), (16, 0.5, 8), (80, 1.0, 80)],
)
def test_scaled_filters(filters, width, expected):
    assert scaled_filters(filters, width) == expected


def test_scaled_repeats_round_up():
    assert [scaled_repeats(r, 1.1) for r in (1, 2, 3, 4)] == [2, 3, 4, 5]


def test_lite_scales_neither_stem_nor_first_nor_last_stage():
    images = keras.Input((64, 64, 3))
    model = keras.Model(images, backbone("lite2", images))
    names = {layer.name for layer in model.layers}
    assert model.get_layer("stem_conv").filters == 32
    assert "block1b_dwconv" not in names
    assert "block7b_dwconv" not in names
    assert "block3c_dwconv" in names  # 2 * 1.2 -> 3


def test_unknown_names_are_errors():
    with pytest.raises(ConfigError, match="unknown model 'lit0'; did you mean 'lite0'"):
        efficientdet("lit0", 1, SHAPES)
    with pytest.raises(ConfigError, match="unknown backbone 'lit0'; did you mean 'lite0'"):
        backbone("lit0", keras.Input((64, 64, 3)))


def test_decoding_selects_the_best_boxes_and_clips_them():
    # Anchors at x = 0, 20 and 60 of an input 64 px wide; codes 0: the anchors themselves.
    anchors = np.array([[x, 0, x + 10, 10] for x in (0, 20, 60)], np.float32)
    logits = np.array([[[0, 1], [-5, -5], [2, 0]]], np.float32)
    outputs = DecodeTopK(anchors, 64, 64, 2)(logits, np.zeros((1, 3, 4), np.float32))
    assert np.asarray(outputs["boxes"]).tolist() == [[[60, 0, 64, 10], [0, 0, 10, 10]]]
    assert np.asarray(outputs["scores"])[0, :, 0] == pytest.approx([0.880797, 0.5], abs=1e-5)


def test_detector_of_a_small_input_has_no_more_boxes_than_anchors(lite0):
    found = detector(lite0, 128, 128, SHAPES)(np.zeros((1, 128, 128, 3), np.uint8))
    assert found["boxes"].shape == (1, 300, 4)
    assert found["scores"].shape == (1, 300, 3)
