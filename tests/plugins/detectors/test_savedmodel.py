import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import warnings

import numpy as np
import onnx
import pytest

from vidan import create
from vidan.errors import ConfigError, ModelError

from .models import LABELS, SIZE, metadata, noise, plain

pytest.importorskip("tensorflow", reason="needs the extra tf")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of TensorFlow's own imports
    from vidan_plugins.detectors.savedmodel import SavedModelDetector, tf

from vidan_plugins.detectors.onnx import OnnxDetector

GRID = 8
SERVING = "serving_default"


class Network(tf.Module):
    """A small convolutional detector: one box around each cell, its classes by random weights."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(5)
        self.kernel = tf.Variable(rng.normal(0, 0.6, (GRID, GRID, 3, 7)).astype(np.float32))

    def __call__(self, images):
        pixels = tf.cast(images, tf.float32) / 255 - 0.5
        cells = tf.nn.conv2d(pixels, self.kernel, GRID, "VALID")
        rows, columns = SIZE[0] // GRID, SIZE[1] // GRID
        cells = tf.reshape(cells, [-1, rows * columns, 7])
        y, x = np.divmod(np.arange(rows * columns), columns)
        centers = np.stack([x, y], axis=1).astype(np.float32) * GRID + GRID / 2
        offset, half = cells[..., :2], 6 + 10 * tf.sigmoid(cells[..., 2:4])
        boxes = tf.concat([centers + offset - half, centers + offset + half], axis=-1)
        return {"boxes": boxes, "scores": tf.sigmoid(cells[..., 4:])}


def serve(network, name, shape):
    """A function of one uint8 input of that name and shape."""
    return tf.function(
        lambda **inputs: network(inputs[name]),
        input_signature=None,
    ).get_concrete_function(**{name: tf.TensorSpec(shape, tf.uint8, name=name)})


def save(network, folder, name="images", shape=(None, *SIZE, 3), text=...):
    signature = {SERVING: serve(network, name, shape)}
    tf.saved_model.save(network, str(folder), signatures=signature)
    text = json.dumps(metadata()) if text is ... else text
    if text is not None:
        (folder / "vidan.json").write_text(text, encoding="utf-8")
    return str(folder)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A SavedModel in vidan's native format."""
    return save(Network(), tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """The same network as ONNX."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tf2onnx = pytest.importorskip("tf2onnx", reason="needs the extra train")
        network = Network()
        spec = (tf.TensorSpec((None, *SIZE, 3), tf.uint8, name="images"),)
        logging.getLogger("tf2onnx").setLevel(logging.ERROR)
        model, _ = tf2onnx.convert.from_function(tf.function(network), spec, opset=17)
    onnx.helper.set_model_props(model, {"vidan": json.dumps(metadata())})
    path = tmp_path_factory.mktemp("onnx") / "same.onnx"
    onnx.save(model, str(path))
    return str(path)


FRAMES = [noise(1), noise(2, 320, 176), noise(3, 64, 200), noise(4, 48, 40)]


def test_agrees_with_onnx(saved, converted):
    for agnostic in (True, False):
        options = {"threshold": 0.6, "class_agnostic": agnostic}
        one = SavedModelDetector(saved, **options)
        other = OnnxDetector(converted, **options)
        assert one.labels == other.labels == LABELS
        for ours, theirs in zip(one.detect(FRAMES), other.detect(FRAMES), strict=True):
            assert len(ours) > 3
            np.testing.assert_array_equal(ours.classes, theirs.classes)
            np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
            np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.1)


def test_batches_and_single_images_have_the_same_results(saved, tmp_path):
    many = SavedModelDetector(saved)
    single = SavedModelDetector(save(Network(), tmp_path, shape=(1, *SIZE, 3)))
    for one, other in zip(many.detect(FRAMES), single.detect(FRAMES), strict=True):
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-3)
    assert many.detect([]) == []


def test_concurrent_calls_have_the_same_results(saved):
    detector = SavedModelDetector(saved)
    expected = [detector.detect([frame])[0].scores for frame in FRAMES]
    found = [None] * len(FRAMES)

    def work(i):
        for _ in range(10):
            found[i] = detector.detect([FRAMES[i]])[0].scores

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(FRAMES))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_close_may_be_called_twice_and_detect_fails_afterwards(saved):
    detector = SavedModelDetector(saved)
    detector.close()
    detector.close()
    with pytest.raises(ModelError, match="closed"):
        detector.detect([FRAMES[0]])


class ObjectDetectionApi(tf.Module):
    """The signature of an Object Detection API export: finds the brightest of four quarters."""

    def __call__(self, input_tensor):
        pixels = tf.cast(input_tensor, tf.float32) / 255
        h, w = tf.shape(pixels)[1] // 2, tf.shape(pixels)[2] // 2
        quarters = [pixels[:, :h, :w], pixels[:, :h, w:], pixels[:, h:, :w], pixels[:, h:, w:]]
        scores = tf.stack([tf.reduce_mean(quarter) for quarter in quarters])
        order = tf.argsort(scores, direction="DESCENDING")
        boxes = tf.constant(
            [[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 1], [0.5, 0, 1, 0.5], [0.5, 0.5, 1, 1]]
        )
        ids = tf.constant([1.0, 3.0, 1.0, 3.0])
        return {
            "detection_boxes": tf.reshape(tf.gather(boxes, order), [1, 4, 4]),
            "detection_scores": tf.reshape(tf.gather(scores, order), [1, 4]),
            "detection_classes": tf.reshape(tf.gather(ids, order), [1, 4]),
            "num_detections": tf.constant([4.0]),
            "detection_anchor_indices": tf.cast(tf.reshape(order, [1, 4]), tf.float32),
        }


MAP = "item { id: 3 name: 'bare' }\nitem { id: 1 name: 'mask' }\n"


@pytest.fixture(scope="module")
def tfod(tmp_path_factory):
    """A SavedModel with the signature of the Object Detection API, its label map beside it."""
    folder = tmp_path_factory.mktemp("tfod") / "saved_model"
    save(ObjectDetectionApi(), folder, "input_tensor", (1, None, None, 3), text=None)
    (folder / "label_map.pbtxt").write_text(MAP)
    return folder


def quarters(*values):
    """A frame of 200x100 whose quarters are gray, in the order of the boxes above."""
    frame = plain(0, 200, 100)
    rgb = frame.rgb().copy()
    for value, (y, x) in zip(values, [(0, 0), (0, 100), (50, 0), (50, 100)], strict=True):
        rgb[y : y + 50, x : x + 100] = value
    return type(frame)(rgb, index=0, time=0.0, captured=0.0, stream="quarters")


def test_object_detection_api(tfod):
    detector = SavedModelDetector(str(tfod))
    assert detector.labels == ("mask", "bare")
    (found,) = detector.detect([quarters(0, 204, 153, 51)])  # 0, 0.8, 0.6, 0.2
    assert found.boxes.tolist() == [[100, 0, 200, 50], [0, 50, 100, 100]]
    np.testing.assert_allclose(found.scores, [0.8, 0.6], atol=1e-5)
    assert found.classes.tolist() == [1, 0]


def test_object_detection_api_with_options(tfod, tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    detector = SavedModelDetector(
        str(tfod), labels=str(tmp_path / "labels.txt"), threshold=0.1, classes=["c"]
    )
    (found,) = detector.detect([quarters(0, 204, 153, 51)])
    np.testing.assert_allclose(found.scores, [0.8, 0.2], atol=1e-5)
    assert [detector.labels[i] for i in found.classes] == ["c", "c"]


def test_object_detection_api_with_new_names(tfod):
    detector = SavedModelDetector(str(tfod), rename={"bare": "face", "mask": None})
    assert (detector.labels, detector.own_labels) == (("face",), (("bare",),))
    (found,) = detector.detect([quarters(0, 204, 153, 51)])
    np.testing.assert_allclose(found.scores, [0.8], atol=1e-5)
    assert found.classes.tolist() == [0]


def test_object_detection_api_with_labels_of_another_model(tfod, tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\n")
    detector = SavedModelDetector(str(tfod), labels=str(tmp_path / "labels.txt"))
    with pytest.raises(ModelError, match=r"it found class 3 .*which the labels do not have"):
        detector.detect([quarters(0, 204, 153, 51)])


def test_object_detection_api_without_labels(tfod, tmp_path):
    shutil.copytree(tfod, tmp_path / "m")
    (tmp_path / "m/label_map.pbtxt").unlink()
    with pytest.raises(ModelError, match="it has no labels of its own"):
        SavedModelDetector(str(tmp_path / "m"))


def test_the_parent_folder_of_a_model_is_recognized(tfod):
    with pytest.raises(ModelError, match=f"set detector.model to its folder '{tfod}'"):
        SavedModelDetector(str(tfod.parent))


@pytest.mark.parametrize(
    ("name", "shape", "text", "message"),
    [
        ("x", (None, *SIZE, 3), ..., r"expected input images .* it has inputs x uint8 \[\?,64,96"),
        ("input_tensor", (None, *SIZE, 3), ..., r"expected input input_tensor uint8 \[1,H,W,3\]"),
        ("images", (None, *SIZE, 3), None, "it has no labels of its own"),
        ("images", (None, *SIZE, 3), "[]", "its metadata is not a JSON object"),
        ("images", (4, *SIZE, 3), ..., "its batch size is 4"),
        (
            "images",
            (None, *SIZE, 3),
            json.dumps(metadata(labels=["a", "b"])),
            "it has 3 classes, but there are 2 labels",
        ),
    ],
)
def test_models_in_another_format_are_rejected(tmp_path, name, shape, text, message):
    folder = save(Network(), tmp_path, name, shape, text)
    with pytest.raises(ModelError, match=message):
        SavedModelDetector(folder)


def test_a_model_without_the_signature(tmp_path):
    network = Network()
    tf.saved_model.save(
        network, str(tmp_path), signatures={"train": serve(network, "images", None)}
    )
    with pytest.raises(ModelError, match="expected a signature 'serving_default', it has 'train'"):
        SavedModelDetector(str(tmp_path))


def test_files_that_are_not_a_saved_model_are_rejected(tmp_path, saved):
    cases = {
        "none": "there is no such folder",
        "empty": "it contains no saved_model.pb",
        "file": "there is no such folder",
        "garbage": "TensorFlow cannot read it",
        "cut": "TensorFlow cannot read it",
        "no_variables": "TensorFlow cannot read it",
    }
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("garbage", "cut", "no_variables"):
        shutil.copytree(saved, tmp_path / name)
    (tmp_path / "garbage/saved_model.pb").write_bytes(b"garbage" * 99)
    whole = (tmp_path / "cut/saved_model.pb").read_bytes()
    (tmp_path / "cut/saved_model.pb").write_bytes(whole[: len(whole) // 2])
    shutil.rmtree(tmp_path / "no_variables/variables")
    for name, message in cases.items():
        with pytest.raises(ModelError, match=message) as caught:
            SavedModelDetector(str(tmp_path / name))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": None}, "detector.model: missing, set detector.model=<folder>"),
        ({"threads": 0}, "detector.threads: .*not 0"),
        ({"threshold": 7}, "detector.threshold: .*not 7"),
        ({"classes": ["gren"]}, "no label 'gren'; did you mean 'green'"),
    ],
)
def test_bad_options_are_rejected(saved, options, message):
    with pytest.raises(ConfigError, match=message):
        create("detector", "savedmodel", **({"model": saved} | options))


def test_threads_that_are_set_too_late_are_reported(saved, logged):
    SavedModelDetector(saved)
    SavedModelDetector(saved, threads=77)
    expected = "threads=77 is ignored: TensorFlow is already running in this process"
    assert ("WARNING", expected) in logged()


def test_nothing_is_printed_and_threads_are_used(saved):
    program = (
        "import sys\n"
        "from vidan_plugins.detectors.savedmodel import SavedModelDetector, tf\n"
        "SavedModelDetector(sys.argv[1], threads=1)\n"
        "assert tf.config.threading.get_intra_op_parallelism_threads() == 1\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    done = subprocess.run(
        [sys.executable, "-c", program, saved],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
