"""Training, resuming, evaluation and export with a drawn data set; both exports agree.

Most of it is one test, because the steps depend on each other and the first takes most of the
time.
"""

import json
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tf2onnx", reason="needs the extra: pip install vidan[train]")
pytest.importorskip("faster_coco_eval", reason="needs the extra: pip install vidan[train]")

import keras
import onnxruntime
import tensorflow as tf
from onnx import TensorProto
from onnx import load as load_graph
from rich.console import Console

from vidan.errors import ConfigError, ModelError
from vidan.frames import ArrayFrame
from vidan_plugins.detectors.onnx import OnnxDetector
from vidan_training.data import formats
from vidan_training.evaluation.metrics import evaluate
from vidan_training.evaluation.predict import load_onnx, predict
from vidan_training.export import command
from vidan_training.export import onnx as export_onnx
from vidan_training.fit import train
from vidan_training.fit.checkpoint import TrainingState, load_checkpoint
from vidan_training.fit.display import TrainingDisplay
from vidan_training.model import backbones
from vidan_training.model import efficientdet as model
from vidan_training.weights.npz import read_metadata, read_npz, read_spec, shipped_weights

from ..drawn import LABELS, draw

TINY = [
    "model=tiny", "weights=null", "eager=true", "size=[128,128]", "crop=128", "batch=2",
    "validation=0.25", "evaluate_every=2", "frozen_stages=0", "frozen_norm_stages=0",
    "anchors.octaves=1", "anchors.ratios=[1]", "loss.class_weights=null", "oversample=null",
    "optimizer.ema=0.5",
]  # fmt: skip
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3)).astype(np.uint8)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(backbones.SCALINGS, "tiny", backbones.CompoundScaling(0.25, 0.3, lite=True))
    monkeypatch.setitem(model.ARCHITECTURES, "tiny", model.Architecture("tiny", 16, 1, 1))
    monkeypatch.setattr(export_onnx, "MIN_HALF_SIZE", 64)  # a tiny network has no large kernels


@pytest.mark.usefixtures("tiny")
def test_train_resume_export_and_evaluate(tmp_path):
    drawn = formats.read(draw(tmp_path / "data", 8))
    formats.write(drawn, tmp_path / "records", "tfrecord", shards=2)
    output = tmp_path / "out"
    arguments = [*TINY, f"data={tmp_path / 'records'}", f"output={output}"]

    assert train.main([*arguments, "epochs=2"]) == 0
    first = read_npz(output / "last.npz")
    assert train.main([*arguments, "epochs=3"]) == 0
    check_resumed(first, read_npz(output / "last.npz"), output / "log.jsonl")
    with pytest.raises(ModelError, match="resume=false starts anew"):
        train.main([*arguments, "epochs=4", "anchors.octaves=2"])

    best, half, again = output / "best.npz", tmp_path / "half.npz", tmp_path / "again.npz"
    onnx, saved = tmp_path / "m.onnx", tmp_path / "saved"
    written = [f"weights={best}", f"onnx={onnx}", f"savedmodel={saved}", f"npz={half}"]
    assert command.main(written) == 0
    check_agreement(onnx, saved)
    check_metadata(onnx, saved)
    check_evaluation_and_detection(onnx, drawn.samples())

    assert half.stat().st_size < 0.6 * best.stat().st_size
    assert command.main([f"weights={half}", f"npz={again}"]) == 0
    first, second = read_npz(half), read_npz(again)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first if "/" in name)
    kinds = [tensor.data_type for tensor in load_graph(onnx).graph.initializer]
    assert TensorProto.FLOAT16 in kinds


@pytest.mark.parametrize("eager", [True, False])
def test_compilation_is_announced(eager, capsys):
    display = TrainingDisplay(Console(stderr=True))
    state, config = TrainingState(epoch=0), SimpleNamespace(eager=eager)
    callback = SimpleNamespace(state=state, config=config, display=display, finished=False)
    model = SimpleNamespace(fit=lambda *_, **__: None)
    train._fit(model, SimpleNamespace(epoch=0), 1, callback)
    assert ("compiling the model" in capsys.readouterr().err) is not eager


def check_resumed(first, last, log):
    assert (int(first["epoch"]), int(last["epoch"])) == (2, 3)
    # The optimizer's first variable counts steps: 3 batches of 2 in each epoch.
    assert (int(first["optimizer/0"]), int(last["optimizer/0"])) == (6, 9)
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert ["AP50" in row for row in rows] == [False, True, True]


def check_agreement(onnx, saved):
    boxes, scores = run(onnx)
    assert (boxes.shape, scores.shape) == ((3, 300, 4), (3, 300, 2))
    assert (np.diff(scores.max(axis=2), axis=1) <= 1e-6).all()
    assert boxes.min() >= 0
    assert boxes.max() <= 128
    serve = tf.saved_model.load(str(saved)).signatures[command.NATIVE_SIGNATURE]
    outputs = serve(images=tf.constant(IMAGES))
    assert by_score(np.asarray(outputs["scores"])) == pytest.approx(by_score(scores), abs=1e-3)
    # Boxes of nearly equal scores may be sorted differently: compare with the nearest.
    best = np.asarray(outputs["boxes"])[:, :1]
    assert np.abs(boxes - best).sum(-1).min(axis=1) == pytest.approx(0, abs=0.5)


def check_metadata(onnx, saved):
    session = onnxruntime.InferenceSession(str(onnx))
    metadata = json.loads(session.get_modelmeta().custom_metadata_map["vidan"])
    assert metadata == json.loads((saved / "vidan.json").read_text())
    assert metadata["format"] == "efficientdet"
    assert metadata["labels"] == list(LABELS)
    assert metadata["input_size"] == [128, 128]
    assert (metadata["resize"], metadata["pad"], metadata["color"]) == ("letterbox", 0, "rgb")
    assert 0 <= metadata["threshold"] <= 1
    assert "AP50" in metadata["provenance"]["validation"]


def check_evaluation_and_detection(onnx, samples):
    """The exported file can be evaluated, and runs as a detector of vidan."""
    metrics = evaluate(samples, predict(load_onnx(onnx), samples, 128, 128), LABELS)
    assert 0 <= metrics["AP50"] <= 1
    detector = OnnxDetector(str(onnx), threshold=0.0)
    assert detector.labels == LABELS
    frame = ArrayFrame(samples[0].image(), index=0, time=0.0, captured=0.0, stream="drawn")
    (found,) = detector.detect([frame])
    assert len(found.boxes)
    assert found.boxes[:, 2].max() <= frame.width
    assert set(found.classes.tolist()) <= {0, 1}


def run(onnx):
    return onnxruntime.InferenceSession(str(onnx)).run(["boxes", "scores"], {"images": IMAGES})


def by_score(scores):
    return np.sort(scores, axis=None)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["weight=x"], ConfigError, "did you mean 'weights'"),
        (["weights=x.npz"], ConfigError, "nothing to export"),
        (["weights=x.npz", "onnx=y.onnx"], ModelError, r"cannot read weights 'x\.npz'"),
    ],
)
def test_wrong_export_arguments_are_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        command.main(arguments)


def test_weights_without_metadata_are_not_exported(tmp_path):
    np.savez(tmp_path / "w.npz", **{"stem_conv/kernel": np.ones(1)})
    with pytest.raises(ModelError, match="expected weights written by vidan train"):
        command.main([f"weights={tmp_path / 'w.npz'}", "onnx=x.onnx"])


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    inputs = keras.Input((4,))
    other = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    other.compile("adam", "mse")
    np.savez(tmp_path / "last.npz", epoch=1, best=0.5, stale=0, **{"model/a/kernel": np.ones(1)})
    with pytest.raises(ModelError, match="another model or recipe"):
        load_checkpoint(other, tmp_path / "last.npz")


def test_the_shipped_model_describes_itself():
    metadata = json.loads(read_metadata(shipped_weights()))
    assert read_spec(shipped_weights()).to_json() == metadata
    session = onnxruntime.InferenceSession(str(shipped_weights().with_suffix(".onnx")))
    assert json.loads(session.get_modelmeta().custom_metadata_map["vidan"]) == metadata
    assert metadata["provenance"]["validation"]["AP50"] > 0.9
