"""The whole path on a drawn data set: train, resume, evaluate, export; both exports agree."""

import json

import numpy as np
import pytest

pytest.importorskip("tf2onnx", reason="needs the extra: pip install vidan[train]")

import keras
import onnxruntime
import tensorflow as tf

from vidan.errors import ConfigError, ModelError
from vidan_training import backbones, export, model, recipe, train
from vidan_training.checkpoint import load_checkpoint
from vidan_training.loader import Batches, chances
from vidan_training.weights import read_npz

from .drawn import LABELS, draw


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A tiny detector trained for two epochs, then for one more from its checkpoint."""
    folder = tmp_path_factory.mktemp("run")
    draw(folder / "data", 8)
    arguments = [
        f"data={folder / 'data'}",
        f"output={folder / 'out'}",
        "model=tiny",
        "weights=null",
        "eager=true",
        "size=[128,128]",
        "crop=128",
        "batch=2",
        "validation=0.25",
        "evaluate_every=2",
        "frozen_stages=0",
        "frozen_norm_stages=0",
        "anchors.octaves=1",
        "anchors.ratios=[1]",
        "loss.class_weights=null",
        "oversample=null",
        "optimizer.ema=0.5",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "SMALLEST_HALVED", 64)  # a tiny network has no large kernels
        patch.setitem(backbones.SCALINGS, "tiny", backbones.Scaling(0.25, 0.3, lite=True))
        patch.setitem(model.ARCHITECTURES, "tiny", model.Architecture("tiny", 16, 1, 1))
        assert train.main([*arguments, "epochs=2"]) == 0
        first = read_npz(folder / "out/last.npz")
        keras.backend.clear_session()
        assert train.main([*arguments, "epochs=3"]) == 0
        yield folder, arguments, first


def test_the_run_was_resumed(run):
    folder, _, first = run
    last = read_npz(folder / "out/last.npz")
    assert (int(first["epoch"]), int(last["epoch"])) == (2, 3)
    # The optimiser's first variable counts steps: 3 batches of 2 in each epoch.
    assert (int(first["optimizer/0"]), int(last["optimizer/0"])) == (6, 9)
    lines = (folder / "out/log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]
    assert "AP50" in json.loads(lines[1])
    assert "AP50" not in json.loads(lines[0])


def test_another_recipe_does_not_take_the_checkpoint(run):
    _, arguments, _ = run
    with pytest.raises(ModelError, match="resume=false starts anew"):
        train.main([*arguments, "epochs=3", "anchors.octaves=2"])


@pytest.fixture(scope="module")
def exported(run):
    folder, _, _ = run
    target = folder / "exports"
    assert export.main([f"weights={folder / 'out/best.npz'}", f"onnx={target / 'm.onnx'}",
                        f"savedmodel={target / 'saved'}"]) == 0  # fmt: skip
    return target


def test_onnx_and_savedmodel_agree_on_a_batch(exported):
    images = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3)).astype(np.uint8)
    session = onnxruntime.InferenceSession(str(exported / "m.onnx"))
    boxes, scores = session.run(["boxes", "scores"], {"images": images})
    assert (boxes.shape, scores.shape) == ((3, 300, 4), (3, 300, 2))
    best = scores.max(axis=2)
    assert (np.diff(best, axis=1) <= 1e-6).all()
    assert boxes.min() >= 0
    assert boxes.max() <= 128

    saved = tf.saved_model.load(str(exported / "saved")).signatures["serving_default"]
    outputs = saved(images=tf.constant(images))
    # Boxes of equal scores may change places: compare them in the order of their scores' sum.
    assert outputs["scores"].shape == (3, 300, 2)
    assert np.sort(np.asarray(outputs["scores"]), axis=None) == pytest.approx(
        np.sort(scores, axis=None), abs=1e-3
    )
    top = np.asarray(outputs["boxes"])[:, 0]
    assert np.abs(boxes - top[:, None]).sum(-1).min(axis=1) == pytest.approx(0, abs=0.5)


def test_metadata_travels_with_both(exported):
    session = onnxruntime.InferenceSession(str(exported / "m.onnx"))
    metadata = json.loads(session.get_modelmeta().custom_metadata_map["vidan"])
    assert metadata == json.loads((exported / "saved/vidan.json").read_text())
    assert metadata["format"] == "efficientdet"
    assert metadata["labels"] == list(LABELS)
    assert metadata["input_size"] == [128, 128]
    assert (metadata["resize"], metadata["pad"], metadata["color"]) == ("letterbox", 0, "rgb")
    assert 0 <= metadata["threshold"] <= 1


def test_half_weights_export_again(run, exported):
    folder, _, _ = run
    half, again = exported / "half.npz", exported / "again.onnx"
    assert export.main([f"weights={folder / 'out/best.npz'}", f"npz={half}"]) == 0
    assert half.stat().st_size < 0.6 * (folder / "out/best.npz").stat().st_size
    assert export.main([f"weights={half}", f"onnx={again}", "half=false"]) == 0
    assert (exported / "m.onnx").stat().st_size < 0.8 * again.stat().st_size
    images = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3)).astype(np.uint8)
    first, second = (
        onnxruntime.InferenceSession(str(file)).run(["scores"], {"images": images})[0]
        for file in (exported / "m.onnx", again)
    )
    assert np.sort(second, axis=None) == pytest.approx(np.sort(first, axis=None), abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["weight=x"], ConfigError, "did you mean 'weights'"),
        (["weights=x.npz"], ConfigError, "nothing to export"),
        (["weights=x.npz", "onnx=y.onnx"], ModelError, r"cannot read weights 'x\.npz'"),
    ],
)
def test_wrong_export_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        export.main(arguments)


def batches(folder, **options):
    config = recipe.load_recipe([f"data={folder / 'data'}"])
    _, samples, _ = recipe.read_data(config)
    anchors = model.make_anchors(128, 128, model.AnchorShapes(2.0, 1, (1.0,)))
    values = {"size": 128, "reference": 128, "batch": 2, "seed": 1} | options
    return Batches(samples, anchors, options=recipe.augmentation(config), **values)


def test_a_resumed_epoch_sees_the_same_views(run):
    folder, _, _ = run
    first, second = batches(folder), batches(folder, epoch=1)
    first.on_epoch_end()
    images, targets = first[0]
    again, same = second[0]
    assert images.shape == (2, 128, 128, 3)
    assert targets["class"].shape == (2, len(first.anchors), 1)
    assert targets["box"].shape == (2, len(first.anchors), 5)
    assert (images == again).all()
    assert (targets["class"] == same["class"]).all()


def test_rare_classes_come_more_often(run):
    folder, _, _ = run
    loader = batches(folder, chances=[1, 1, 1, 1, 1, 3, 1])
    counts = np.bincount(np.concatenate([loader._drawn(e) for e in range(30)]), minlength=7)
    assert counts[5] / counts[0] == pytest.approx(3, rel=0.3)


def test_chances():
    folder_sample = type("S", (), {})
    samples = []
    for classes in ([0], [0, 1], []):
        sample = folder_sample()
        sample.classes = np.array(classes, np.int32)
        samples.append(sample)
    assert chances(samples, {0: 1.0, 1: 2.5}) == [1.0, 2.5, 1.0]


def test_a_checkpoint_of_another_model_is_refused(run):
    folder, _, _ = run
    inputs = keras.Input((4,))
    other = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    other.compile("adam", "mse")
    with pytest.raises(ModelError, match="another model or recipe"):
        load_checkpoint(other, folder / "out/last.npz")
