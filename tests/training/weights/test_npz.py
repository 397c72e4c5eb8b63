import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

import keras

from tests.real import DATA, needs_data
from vidan.errors import ModelError
from vidan_training.model.backbones import backbone
from vidan_training.weights.npz import assign, load, save, variables


def small():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.DepthwiseConv2D(3, use_bias=False, name="block1a_dwconv")(inputs)
    return keras.Model(inputs, keras.layers.BatchNormalization(name="block1a_bn")(x))


def test_variables_are_named_by_layer():
    assert list(variables(small())) == [
        "block1a_dwconv/kernel",
        "block1a_bn/gamma",
        "block1a_bn/beta",
        "block1a_bn/moving_mean",
        "block1a_bn/moving_variance",
    ]


def test_partial_weights_report_missing_and_unused_names():
    model = small()
    report = assign(
        model,
        {
            "block1a_dwconv/depthwise_kernel": np.full((3, 3, 3, 1), 7.0),  # older name
            "block1a_bn/gamma": np.ones(5),  # another shape
            "top_conv/kernel": np.ones(1),  # no such layer
        },
    )
    assert report.loaded == ("block1a_dwconv/kernel",)
    assert report.missing == tuple(f"block1a_bn/{n}" for n in
                                   ("beta", "gamma", "moving_mean", "moving_variance"))  # fmt: skip
    assert report.unused == ("block1a_bn/gamma", "top_conv/kernel")
    assert (np.asarray(variables(model)["block1a_dwconv/kernel"]) == 7).all()


@pytest.mark.parametrize(("dtype", "error"), [("float32", 0), ("float16", 1e-3)])
def test_saved_weights_are_restored(tmp_path, dtype, error):
    first, second = small(), small()
    for variable in variables(first).values():
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    save(first, tmp_path / "w.npz", dtype)
    report = load(second, tmp_path / "w.npz")
    assert not report.missing
    assert not report.unused
    for a, b in zip(variables(first).values(), variables(second).values(), strict=True):
        assert np.asarray(a) == pytest.approx(np.asarray(b), abs=error * 4)
    assert [p.name for p in tmp_path.iterdir()] == ["w.npz"]


def test_weights_too_large_for_float16_are_refused(tmp_path):
    model = small()
    variables(model)["block1a_bn/moving_variance"].assign([1e6, 1, 1])
    with (
        np.errstate(over="ignore"),
        pytest.raises(ModelError, match="block1a_bn/moving_variance"),
    ):
        save(model, tmp_path / "w.npz", "float16")


def test_other_files_are_errors(tmp_path):
    (tmp_path / "w.npz").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot read weights"):
        load(small(), tmp_path / "w.npz")
    np.savez(tmp_path / "other.npz", a=np.ones(1))
    with pytest.raises(ModelError, match="has no weight of this model"):
        load(small(), tmp_path / "other.npz")


@needs_data
def test_b0_from_imagenet_reports_missing_stages():
    file = DATA / "weights/efficientnetb0_imagenet_stem_to_block5b.npz"
    images = keras.Input((64, 64, 3))
    report = load(keras.Model(images, backbone("b0", images)), file)
    assert len(report.loaded) == 232
    assert report.unused == tuple(f"top_bn/{n}" for n in
                                  ("beta", "gamma", "moving_mean", "moving_variance"))  # fmt: skip
    assert {name[:7] for name in report.missing} == {"block5c", "block6a", "block6b", "block6c",
                                                     "block6d", "block7a"}  # fmt: skip


@needs_data
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
def test_lite0_from_tflite_is_complete():
    (file,) = (DATA / "weights/lite0").glob("*.tflite")
    images = keras.Input((64, 64, 3))
    model = keras.Model(images, backbone("lite0", images, frozen_norm_stages=7))
    report = load(model, file)
    assert len(report.loaded) == 240  # 48 convolutions, each with four variables of its batch norm
    assert not report.missing
    assert not report.unused
    norm = model.get_layer("stem_bn")
    assert np.asarray(norm.moving_variance) + norm.epsilon == pytest.approx(1.0)
