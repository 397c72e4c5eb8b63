import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

from omegaconf import OmegaConf

from tests.real import DATA, needs_data
from vidan.errors import ConfigError, ModelError
from vidan_training.model.anchors import AnchorShapes
from vidan_training.model.backbones import backbone
from vidan_training.model.efficientdet import efficientdet
from vidan_training.weights import initial, npz
from vidan_training.weights.initial import InitialWeights, backbone_arrays, load_initial_weights


def test_our_backbone_has_the_names_of_keras_applications():
    theirs = keras.applications.EfficientNetB0(
        weights=None, include_top=False, input_shape=(64, 64, 3)
    )
    rng = np.random.default_rng(0)
    for variable in theirs.variables:  # statistics other than the identity
        if variable.name in ("moving_mean", "beta"):
            variable.assign(rng.normal(scale=0.1, size=variable.shape))
    images = keras.Input((64, 64, 3))
    ours = keras.Model(images, backbone("b0", images))
    loaded = npz.assign(ours, backbone_arrays(theirs))
    assert not loaded.missing
    assert not loaded.unused
    # The functions are equal, not only the names; theirs divides the input by 255, ours does not.
    image = rng.uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    last = keras.Model(theirs.input, theirs.get_layer("block7a_project_bn").output)
    expected = np.asarray(last(image))
    assert np.asarray(ours(image / 255)[-1]) == pytest.approx(expected, abs=1e-4)


def config(**values):
    return OmegaConf.create({"model": "d0", "fine_tune_checkpoint_type": "full"} | values)


def test_missing_weights_are_errors():
    with pytest.raises(ModelError, match="no weights at 'gone/ckpt-0': set weights=<"):
        load_initial_weights(None, config(weights="gone/ckpt-0"), AnchorShapes())
    with pytest.raises(ConfigError, match=r"keras\.applications has no EfficientNet-Lite"):
        load_initial_weights(None, config(weights="imagenet", model="lite0"), AnchorShapes())


def test_a_failed_download_suggests_a_file(monkeypatch):
    def fail(**options):
        raise OSError("no route to host")

    monkeypatch.setattr(keras.applications, "EfficientNetB0", fail)
    with pytest.raises(ModelError, match=r"no route to host; weights=<file.npz>"):
        initial.imagenet("d0")


@needs_data
def test_a_checkpoint_without_data_is_an_error():
    with pytest.raises(ModelError, match=r"are all ckpt-3\.data-"):
        load_initial_weights(None, config(weights=str(DATA / "tfod")), AnchorShapes())


def test_messages_name_all_skipped_weights():
    loaded = npz.LoadReport(("a/kernel",), ("stem_conv/kernel", "class_predict/bias"), ())
    slot = "b/.OPTIMIZER_SLOT/c"
    lines = InitialWeights(
        "ckpt-0 (full)", loaded, {"x": "no weight", "y": "no weight", slot: "a slot"}
    )
    assert lines.lines() == [
        "1 variables from ckpt-0 (full)",
        "backbone without weights: stem_conv/kernel",
        "not used, no weight: x, y",
        "not used, a slot: 1 of them",
    ]


def test_what_does_not_fit_is_named_with_the_reason():
    anchors = npz.read_spec(npz.shipped_weights()).anchors
    chosen = config(weights=npz.SHIPPED, model="lite0")
    same = load_initial_weights(efficientdet("lite0", 3, anchors), chosen, anchors)
    assert same.lines()[2:] == ["not used: none"]

    relabeled = load_initial_weights(efficientdet("lite0", 2, anchors), chosen, anchors)
    assert relabeled.lines()[2:] == [
        "not used, made for other labels: class_predict/bias, class_predict/pointwise_kernel"
    ]

    default = AnchorShapes()
    other = load_initial_weights(efficientdet("lite0", 3, default), chosen, default)
    (line,) = other.lines()[2:]
    assert line.startswith(
        "not used, made for other anchors (anchors.octaves=3 anchors.ratios=[0.85] keeps it): "
        "box_predict/bias, box_predict/pointwise_kernel, class_predict/bias"
    )
