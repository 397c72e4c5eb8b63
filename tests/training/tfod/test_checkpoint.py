"""Import of a checkpoint with the names and shapes of a real one, and random values."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

import tensorflow as tf

from tests.real import DATA, needs_data
from vidan.errors import ConfigError, ModelError
from vidan_training.model.anchors import AnchorShapes, make_anchors
from vidan_training.model.efficientdet import efficientdet
from vidan_training.tfod import checkpoint as tfod
from vidan_training.weights.npz import assign, variables

SHAPES = AnchorShapes(4.0, 3, (1.0, 2.0, 0.5))
OPTIMIZER = {"optimizer/decay", "optimizer/iter", "optimizer/momentum", "save_counter", "step"}
TOP = {
    "model/_feature_extractor/classification_backbone/layer_with_weights-" + name
    for name in ("128/kernel", "129/beta", "129/gamma", "129/moving_mean", "129/moving_variance",
                 "130/bias", "130/kernel")
}  # fmt: skip


@pytest.fixture(scope="module")
def d0():
    return efficientdet("d0", 3, SHAPES)


@pytest.fixture(scope="module")
def fresh():
    """A model with initial weights: the random statistics of the checkpoint are not finite."""
    return efficientdet("d0", 3, SHAPES)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """A checkpoint with the variables of the real index and random values."""
    real = tf.train.load_checkpoint(str(DATA / "tfod/ckpt-3")).get_variable_to_shape_map()
    rng = np.random.default_rng(0)
    names = sorted(n for n in real if n != "_CHECKPOINTABLE_OBJECT_GRAPH")
    values = [tf.constant(rng.normal(size=real[n]), tf.float32) for n in names]
    file = str(tmp_path_factory.mktemp("tfod") / "ckpt-3")
    names.append("_CHECKPOINTABLE_OBJECT_GRAPH")
    values.append(tf.constant(b"graph"))
    tf.raw_ops.SaveV2(
        prefix=file, tensor_names=names, shape_and_slices=[""] * len(names), tensors=values
    )
    return file


@pytest.fixture(scope="module")
def arrays(prefix):
    return tfod.read_checkpoint(tfod.find_checkpoint(Path(prefix)))


@needs_data
def test_every_variable_of_a_real_checkpoint_is_accounted_for(arrays, d0):
    assert len(arrays) == 1152
    slots = {name for name in arrays if "OPTIMIZER_SLOT" in name}
    assert len(arrays) - len(slots) == 689
    found = tfod.convert(arrays, d0, SHAPES, "full")
    assert len(found.targets) == 676
    assert set(found.skipped) == slots | OPTIMIZER | TOP | {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    assert all(found.skipped.values())
    # Every variable of the model is set exactly once.
    assert sorted(found.targets.values()) == sorted(variables(d0))
    loaded = assign(d0, found.arrays)
    assert not loaded.missing
    assert not loaded.unused
    for name, target in found.targets.items():
        if "predict" not in target:  # reordered, see below
            value = np.asarray(variables(d0)[target])
            assert (value == arrays[name].reshape(value.shape)).all(), name


@needs_data
@pytest.mark.parametrize(
    ("name", "target"),
    # Derived by hand from the builders of object_detection. Nodes of the BiFPN: 0 and 1 are P6 and
    # P7, 2 to 5 go top-down (P6 P5 P4 P3), 6 to 9 bottom-up (P4 P5 P6 P7), then the next cell.
    [
        ("_feature_extractor/_efficientnet/layer_with_weights-0/kernel", "stem_conv/kernel"),
        ("_feature_extractor/_efficientnet/layer_with_weights-2/depthwise_kernel",
         "block1a_dwconv/kernel"),
        ("_feature_extractor/_efficientnet/layer_with_weights-8/kernel",
         "block2a_expand_conv/kernel"),
        ("_feature_extractor/_efficientnet/layer_with_weights-127/gamma",
         "block7a_project_bn/gamma"),
        ("_feature_extractor/_bifpn_stage/node_input_blocks/0/0/1/0/kernel", "p6_conv/kernel"),
        ("_feature_extractor/_bifpn_stage/node_input_blocks/5/0/1/1/beta", "fpn0_p3_in_bn/beta"),
        ("_feature_extractor/_bifpn_stage/node_input_blocks/6/0/1/0/kernel",
         "fpn0_p4_in2_conv/kernel"),
        ("_feature_extractor/_bifpn_stage/node_combine_op/2/bifpn_combine_weights",
         "fpn0_p6_td_fuse/fusion_weights"),
        ("_feature_extractor/_bifpn_stage/node_combine_op/8/bifpn_combine_weights",
         "fpn0_p6_out_fuse/fusion_weights"),
        ("_feature_extractor/_bifpn_stage/node_post_combine_block/17/1/bias",
         "fpn1_p7_out_conv/bias"),
        ("_feature_extractor/_bifpn_stage/node_post_combine_block/21/2/moving_mean",
         "fpn2_p3_td_bn/moving_mean"),
        ("_box_predictor/_base_tower_layers_for_heads/box_encodings/4/7/gamma",
         "box_bn2_p7/gamma"),
        ("_box_predictor/_base_tower_layers_for_heads/class_predictions_with_background/0/4/beta",
         "class_bn1_p3/beta"),
        ("_box_predictor/_head_scope_conv_layers/ClassPredictionTower/2/pointwise_kernel",
         "class_conv2/pointwise_kernel"),
        ("_box_predictor/_box_prediction_head/_box_encoder_layers/0/bias", "box_predict/bias"),
    ],
)  # fmt: skip
def test_targets_of_variables(arrays, d0, name, target):
    assert tfod.convert(arrays, d0, SHAPES).targets[f"model/{name}"] == target


@needs_data
@pytest.mark.parametrize(
    ("kind", "count", "parts"),
    # 304 = 2 stem + 16 blocks; 228 of the BiFPN and 144 of the heads make up the 676.
    [
        ("classification", 304, {"stem", "block"}),
        ("detection", 532, {"stem", "block", "fpn", "p6"}),
        ("full", 676, {"stem", "block", "fpn", "p6", "class", "box"}),
    ],
)
def test_parts_taken_by_kind(arrays, d0, kind, count, parts):
    found = tfod.convert(arrays, d0, SHAPES, kind)
    assert len(found.targets) == count
    assert all(target.startswith(tuple(parts)) for target in found.targets.values())
    if kind != "full":
        name = "model/_box_predictor/_box_prediction_head/_box_encoder_layers/0/bias"
        assert found.skipped[name] == f"not part of fine_tune_checkpoint_type={kind}"


@needs_data
def test_other_classes_and_anchors_skip_only_the_last_layers(arrays, d0):
    of_four, _ = outputs(classes=4)
    found = tfod.convert(arrays | of_four, d0, SHAPES)
    left = [n for n, r in found.skipped.items() if r == "it has 4 classes, this model has 3"]
    assert [n.rpartition("/")[2] for n in left] == ["bias", "pointwise_kernel"]
    assert len(found.targets) == 674
    found = tfod.convert(arrays, d0, AnchorShapes(4.0, 3, (1.0, 3.0, 0.3)))
    left = [n for n, r in found.skipped.items() if r.startswith("its anchors differ: 3 octaves")]
    assert len(left) == 4  # bias and pointwise kernel of both heads
    assert len(found.targets) == 672


@needs_data
def test_a_model_of_another_size_uses_what_fits(arrays, d0):
    name = "model/_feature_extractor/_bifpn_stage/node_input_blocks/5/0/1/0/kernel"
    found = tfod.convert(arrays | {name: np.ones((1, 1, 40, 88))}, d0, SHAPES)
    assert found.skipped[name] == "shape (1, 1, 40, 88) does not fit (1, 1, 40, 64)"


def their_anchors():
    """Anchors of one location at P3 in the order of the API: by ratio, then by octave.

    A test of the API shows that order ("2**0.0 intermediate scale + 1.0 aspect", "2**0.5 …").
    """
    boxes = []
    for ratio in (1.0, 2.0, 0.5):
        for octave in range(3):
            side = 32 * 2 ** (octave / 3)  # scale 4, stride 8
            half = np.array([side * ratio**0.5, side / ratio**0.5]) / 2
            boxes.append(np.concatenate([4 - half, 4 + half]))
    return np.array(boxes)


def outputs(scales=(1.0, 1.0, 1.0, 1.0), background=False, classes=3):
    """Last layers with biases only: 100 times the anchor plus the index of the code or class."""
    classes += background
    prefix = "model/_box_predictor/"
    layers = {
        "_box_prediction_head/_box_encoder_layers/0/": (np.arange(4) * np.ones(4), 4),
        "_prediction_heads/class_predictions_with_background/_class_predictor_layers/0/": (
            np.arange(classes), classes),
    }  # fmt: skip
    arrays = {}
    for layer, (values, count) in layers.items():
        bias = (100 * np.arange(9)[:, None] + values).reshape(-1).astype(np.float32)
        arrays[prefix + layer + "bias"] = bias
        arrays[prefix + layer + "depthwise_kernel"] = np.zeros((3, 3, 64, 1), np.float32)
        arrays[prefix + layer + "pointwise_kernel"] = np.zeros((1, 1, 64, 9 * count), np.float32)
    return arrays, tfod.OutputLayout(3, (1.0, 2.0, 0.5), scales, background)


@pytest.mark.parametrize("ratios", [(1.0, 2.0, 0.5), (0.5, 1.0, 2.0)])
@pytest.mark.parametrize("background", [False, True])
def test_channels_follow_the_order_of_the_anchors(fresh, ratios, background):
    shapes = AnchorShapes(4.0, 3, ratios)
    arrays, layout = outputs((10.0, 10.0, 5.0, 5.0), background)
    assign(fresh, tfod.convert(arrays, fresh, shapes, "full", layout).arrays)
    found = fresh(np.zeros((1, 128, 128, 3), np.uint8))
    for i, box in enumerate(make_anchors(128, 128, shapes)[:9]):
        (theirs,) = np.flatnonzero(np.abs(their_anchors() - box).max(axis=1) < 1e-3)
        first = 1 if background else 0
        logits = 100 * theirs + first + np.arange(3)
        assert np.asarray(found["class"])[0, i] == pytest.approx(logits)
        codes = (100 * theirs + np.arange(4)) / [10, 10, 5, 5]  # y, x, height, width in both
        assert np.asarray(found["box"])[0, i] == pytest.approx(codes)


def test_checkpoints_are_found_by_folder_prefix_and_index(tmp_path):
    assert tfod.find_checkpoint(tmp_path) is None
    for n in (2, 10):
        (tmp_path / f"ckpt-{n}.index").touch()
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "ckpt-2"\n')
    assert tfod.find_checkpoint(tmp_path).name == "ckpt-2"
    assert tfod.find_checkpoint(tmp_path / "ckpt-10").name == "ckpt-10"
    assert tfod.find_checkpoint(tmp_path / "ckpt-10.index").name == "ckpt-10"
    assert tfod.find_checkpoint(tmp_path / "ckpt-3") is None


@needs_data
def test_an_index_without_data_is_an_error():
    with pytest.raises(ModelError, match=r"are all ckpt-3\.data-\* files next to ckpt-3\.index\?"):
        tfod.read_checkpoint(DATA / "tfod/ckpt-3")


def test_invalid_checkpoints_are_errors(tmp_path, d0):
    (tmp_path / "ckpt-0.index").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot read checkpoint"):
        tfod.read_checkpoint(tmp_path / "ckpt-0")
    with pytest.raises(ModelError, match="no weight of this model"):
        tfod.convert({"model/dense/kernel": np.ones(1)}, d0, SHAPES)
    with pytest.raises(ConfigError, match="did you mean 'detection'"):
        tfod.convert({}, d0, SHAPES, "detections")
