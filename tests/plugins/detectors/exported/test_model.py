"""Exported models with a dynamic batch size."""

import numpy as np
import pytest

from vidan_plugins.detectors.native.signature import MAX_BATCH_SIZE
from vidan_plugins.detectors.onnx import OnnxDetector

from ..models import noise, plain
from .decoding.graphs import NCHW, batched, graph, yolov8

CENTERED = np.array([[20, 30, 20, 20], [64, 32, 32, 48]], np.float32)
NAMES = {"names": "{0: 'red', 1: 'green'}"}
ZERO = yolov8(CENTERED, np.zeros((2, 2)))
FACTOR = yolov8(np.zeros((2, 4)), [[0.9, 0], [0, 0.7]])  # of the brightness, 0 to 1
FRAMES = [plain((255, 255, 255)), noise(1, 100, 40), plain((0, 0, 0)), noise(2), noise(3)]


@pytest.fixture
def runs(monkeypatch):
    """The batch sizes of all runs."""
    sizes = []
    run = OnnxDetector._run

    def counted(self, inputs, outputs):
        sizes.append(len(inputs["images"]))
        return run(self, inputs, outputs)

    monkeypatch.setattr(OnnxDetector, "_run", counted)
    return sizes


def check(detector):
    together = detector.detect(FRAMES)
    for frame, found in zip(FRAMES, together, strict=True):
        (alone,) = detector.detect([frame])
        np.testing.assert_allclose(alone.boxes, found.boxes, rtol=1e-5)
        np.testing.assert_allclose(alone.scores, found.scores, rtol=1e-5)
        np.testing.assert_array_equal(alone.classes, found.classes)
    assert [len(found) for found in together] == [2, 2, 0, 2, 2]


def test_several_frames_are_one_run(tmp_path, runs, accelerated):
    model = batched(tmp_path / "m.onnx", ZERO, FACTOR, NAMES)
    detector = OnnxDetector(model, threshold=0.2)
    assert detector.batch == MAX_BATCH_SIZE
    runs.clear()
    check(detector)
    assert runs == [len(FRAMES)] + [1] * len(FRAMES)


def test_labels_are_renamed(tmp_path):
    model = batched(tmp_path / "m.onnx", ZERO, FACTOR, NAMES)
    detector = OnnxDetector(model, threshold=0.2, rename={"red": "warm", "green": None})
    assert (detector.labels, detector.own_labels) == (("warm",), (("red",),))
    (found,) = detector.detect(FRAMES[:1])
    assert found.classes.tolist() == [0]
    np.testing.assert_allclose(found.scores, [0.9], rtol=1e-5)


def test_more_frames_than_a_batch_are_several_runs(tmp_path, runs):
    model = batched(tmp_path / "m.onnx", ZERO, FACTOR, NAMES)
    detector = OnnxDetector(model, threshold=0.2)
    runs.clear()
    assert len(detector.detect(FRAMES * 2)) == 2 * len(FRAMES)
    assert runs == [MAX_BATCH_SIZE, 2 * len(FRAMES) - MAX_BATCH_SIZE]


def test_a_graph_that_only_claims_a_dynamic_batch_size_is_run_one_by_one(
    tmp_path, runs, accelerated
):
    # The graph reshapes to one image: two images make it fail.
    model = batched(tmp_path / "m.onnx", ZERO, FACTOR, NAMES, reshaped=[1, *ZERO.shape[1:]])
    detector = OnnxDetector(model, threshold=0.2)
    assert detector.batch == 1
    runs.clear()
    check(detector)
    assert runs == [1] * 2 * len(FRAMES)


def test_outputs_of_one_image_are_not_taken_for_those_of_two(tmp_path, accelerated):
    # All boxes of a batch are joined: the output has no row per image.
    shape = [1, ZERO.shape[1], -1]
    model = batched(tmp_path / "m.onnx", ZERO, FACTOR, NAMES, reshaped=shape)
    detector = OnnxDetector(model, threshold=0.2)
    assert detector.batch == 1
    check(detector)


def test_batches_are_possible_on_a_cpu_but_not_recommended(tmp_path, runs):
    model = batched(tmp_path / "m.onnx", ZERO, FACTOR, NAMES)
    detector = OnnxDetector(model, threshold=0.2, providers="cpu")
    assert detector.batch == 1
    runs.clear()
    check(detector)
    assert runs[0] == len(FRAMES)


def test_a_fixed_batch_size_of_one(tmp_path, accelerated):
    model = graph(tmp_path / "m.onnx", {"output0": ZERO}, shape=NCHW, properties=NAMES)
    detector = OnnxDetector(model)
    assert detector.batch == 1
    assert detector.detect(FRAMES) and detector.detect([]) == []  # noqa: PT018
