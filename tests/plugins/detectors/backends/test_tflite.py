"""TFLite: float and 8-bit files, packed metadata, files that cannot be used."""

import threading
import warnings
import zipfile

import numpy as np
import pytest

from vidan.errors import ModelError, PluginError
from vidan_plugins.detectors import engine as module
from vidan_plugins.detectors.onnx import OnnxDetector

from ..exported.decoding.graphs import padded
from ..models import noise, plain

pytest.importorskip("ai_edge_litert")
tf = pytest.importorskip("tensorflow")
tflite = pytest.importorskip("vidan_plugins.detectors.backends.tflite")

PARTS = np.float32([[20 / 96, 30 / 64, 20 / 96, 20 / 64], [64 / 96, 0.5, 32 / 96, 48 / 64]])
EXPECTED = [[20, 40, 60, 80], [96, 16, 160, 112]]  # px of an image of 192 x 128
SCORES = np.float32([[0.1, 0.9, 0.0], [0.0, 0.1, 0.7]])
NAMES = {0: "red", 1: "green", 2: "blue"}


def yolo():
    """[1,126,7]: boxes in fractions and scores, as Ultralytics writes TFLite."""
    return padded(np.c_[PARTS, SCORES], 126)


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    """Writes a TFLite file that returns an array for a white image, and darker ones for others.

    With `quantized`, its numbers are int8 from its input to its output.
    """

    def write(array, name, quantized=False):
        @tf.function(input_signature=[tf.TensorSpec((1, 64, 96, 3), tf.float32)])
        def network(image):
            return tf.reduce_max(image, axis=[1, 2, 3], keepdims=False) * tf.constant(array)

        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [network.get_concrete_function()]
        )
        if quantized:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            white = np.ones((1, 64, 96, 3), np.float32)
            converter.representative_dataset = lambda: [[white], [white * 0]]
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        path = tmp_path_factory.mktemp("tflite") / name
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            path.write_bytes(converter.convert())
        return path

    return write


@pytest.fixture(scope="module")
def floats(convert):
    return convert(yolo().transpose(0, 2, 1).copy(), "yolo.tflite")


@pytest.fixture(scope="module")
def integers(convert):
    return convert(yolo().transpose(0, 2, 1).copy(), "yolo_int8.tflite", quantized=True)


@pytest.mark.parametrize(("kind", "atol"), [("floats", 0.1), ("integers", 1.5)])
def test_boxes_in_fractions(kind, atol, request):
    path = request.getfixturevalue(kind)
    detector = OnnxDetector(str(path), labels=list(NAMES.values()))
    (found,) = detector.detect([plain((255, 255, 255))])
    np.testing.assert_allclose(found.boxes, EXPECTED, atol=atol)
    np.testing.assert_allclose(found.scores, [0.9, 0.7], atol=0.01)
    assert found.classes.tolist() == [1, 2]
    assert "takes 96x64 px" in detector.summary
    assert "0 to 1, NHWC" in detector.summary


def test_concurrent_runs(floats):
    detector = OnnxDetector(str(floats), labels=list(NAMES.values()), threshold=0.1)
    frames = [noise(seed) for seed in range(8)]
    expected = [detector.detect([each])[0].scores for each in frames]
    found = [None] * len(frames)

    def work(first):
        for i in range(first, len(frames), 4):
            found[i] = detector.detect([frames[i]])[0].scores

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labelmap.txt", "red\ngreen\nblue\n"),
        ("labelmap.txt", "???\nred\ngreen\nblue\n"),
        ("metadata.json", '{"names": {"0": "red", "1": "green", "2": "blue"}}'),
        ("temp_meta.txt", "{'names': {0: 'red', 1: 'green', 2: 'blue'}, 'task': 'detect'}"),
    ],
)
def test_packed_labels(floats, tmp_path, name, text):
    path = tmp_path / "packed.tflite"
    path.write_bytes(floats.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, text)
    assert OnnxDetector(str(path)).labels == ("red", "green", "blue")


@pytest.mark.parametrize("text", ["{" + "[" * 100_000, "{" + "-" * 100_000, "a" * 10_000_001])
def test_packed_files_that_exhaust_memory_are_refused(floats, tmp_path, text):
    path = tmp_path / "packed.tflite"
    path.write_bytes(floats.read_bytes())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.txt", text)
    with pytest.raises(ModelError, match="cannot read the metadata packed into it"):
        OnnxDetector(str(path))


def test_a_classifier_is_refused(convert):
    path = convert(np.full((1, 1001), 0.001, np.float32), "classifier.tflite")
    with pytest.raises(ModelError, match=r"classifier or an embedder .* \[1,1001\]") as caught:
        OnnxDetector(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.5, 0.01])
def test_damaged_files(floats, tmp_path, keep, capfd):
    whole = floats.read_bytes()
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(ModelError, match=f"^model '{bad}': not a model that LiteRT can read"):
        OnnxDetector(str(bad))
    assert capfd.readouterr().out == ""


def test_other_files(tmp_path):
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"this is not a model" * 9)
    with pytest.raises(ModelError, match="not a model that LiteRT can read"):
        OnnxDetector(str(bad))


def test_litert_is_not_installed(floats, monkeypatch):
    monkeypatch.setattr(module, "TFLITE", False)
    with pytest.raises(PluginError, match=r"'yolo\.tflite': .* not installed.*'vidan\[tflite\]'"):
        OnnxDetector(str(floats))


@pytest.mark.parametrize(
    ("dtype", "scale", "zero", "seen"),
    [
        (np.uint8, 1 / 128, 128, "uint8"),  # -1 to 1, of the Object Detection API
        (np.uint8, 0.0, 0, "uint8"),
        (np.int8, 1.0, -128, "uint8"),  # 0 to 255
        (np.int8, 1 / 255, -128, "float32"),  # 0 to 1
        (np.uint8, 0.0186584, 114, "float32"),  # ImageNet's mean and deviation
        (np.float32, 0.0, 0, "float32"),
    ],
)
def test_inputs_that_take_pixels(dtype, scale, zero, seen):
    shape = np.array([1, 64, 96, 3])
    details = {"dtype": dtype, "quantization": (scale, zero), "shape_signature": shape}
    assert tflite._input(details).dtype == seen
