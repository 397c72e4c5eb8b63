"""Every kind of export as documented: all of them contain the same two boxes.

The image is 192 x 128 px, the input 96 x 64: all boxes are twice as large there.
In the input: box A is x 10 to 30, y 20 to 40, so its center is (20,30) and its size (20,20); in
fractions of the input, x 10/96 to 30/96 and y 20/64 to 40/64. Box B is x 48 to 80, y 8 to 56:
center (64,32), size (32,48).
"""

import importlib.util

import numpy as np
import pytest

from vidan import create
from vidan.errors import ConfigError, ModelError
from vidan_plugins.detectors import engine as module
from vidan_plugins.detectors.labels import COCO, COCO_IDS
from vidan_plugins.detectors.onnx import OnnxDetector

from ...models import plain
from .graphs import BYTE, FLOAT, HALF, NCHW, NHWC, graph, logits, padded, yolov5, yolov8

XYXY = np.array([[10, 20, 30, 40], [48, 8, 80, 56]], np.float32)
CENTERD = np.array([[20, 30, 20, 20], [64, 32, 32, 48]], np.float32)
PARTS = XYXY / np.float32([96, 64, 96, 64])
YXYX = PARTS[:, [1, 0, 3, 2]]
SCORES = np.array([0.9, 0.7], np.float32)
PER_CLASS = np.array([[0.1, 0.9, 0.0], [0.0, 0.1, 0.7]], np.float32)  # A is of class 1, B of 2
NAMES = {"names": "{0: 'red', 1: 'green', 2: 'blue'}", "task": "detect"}
LABELS = "red\ngreen\nblue\n"


def with_background(scores):
    return np.concatenate([np.full((len(scores), 1), 0.05, np.float32), scores], axis=1)[None]


def exports():
    """By name: outputs, and other arguments of `graph`."""
    ids = np.float32([[2, 3]])  # from 1
    nothing = 1 - PER_CLASS.sum(axis=1, keepdims=True)
    softmax = np.log(np.hstack([PER_CLASS, nothing]) + 1e-6)[None]
    parts_centered = CENTERD / np.float32([96, 64, 96, 64])
    tfod = {
        "detection_boxes": YXYX[None],
        "detection_scores": SCORES[None],
        "detection_classes": ids,
        "num_detections": np.float32([2]),
    }
    bytes_in = {"shape": NHWC, "dtype": BYTE, "image": "input_tensor"}
    lite = "TFLite_Detection_PostProcess"
    return {
        "yolo v8": ({"output0": yolov8(CENTERD, PER_CLASS)}, {"properties": NAMES}),
        "yolo v8 in half precision": (
            {"output0": yolov8(CENTERD, PER_CLASS).astype(np.float16)},
            {"properties": NAMES, "dtype": HALF},
        ),
        "yolo v8 segmentation": (
            {
                "output0": yolov8(CENTERD, np.hstack([PER_CLASS, np.full((2, 32), 9)])),
                "output1": np.zeros((1, 32, 16, 24), np.float32),
            },
            {"properties": NAMES | {"task": "segment"}},
        ),
        "yolo v5": ({"output": yolov5(CENTERD, SCORES, np.float32(PER_CLASS > 0.5))}, {}),
        "yolo-e2e": (
            {"output0": padded(np.c_[XYXY, SCORES, [1, 2]], 300)},
            {"properties": NAMES},
        ),
        "detr with sigmoids": (
            {
                "logits": logits(np.clip(PER_CLASS, 0.01, 0.99))[None],
                "pred_boxes": parts_centered[None],
            },
            {"image": "pixel_values"},
        ),
        "detr with softmax": (
            {"logits": softmax, "pred_boxes": parts_centered[None]},
            {"image": "pixel_values", "others": [("pixel_mask", 7, [1, 64, 96])]},
        ),
        "detr of Ultralytics": (
            {"output0": padded(np.hstack([parts_centered, PER_CLASS]), 300)},
            {"properties": NAMES | {"description": "Ultralytics RT-DETR-l model"}},
        ),
        "ssd of torchvision": (
            {"3427": XYXY, "3475": SCORES, "3476": np.array([2, 3])},
            {"shape": NCHW[1:], "image": "image"},
        ),
        "ssd of the model zoo": (
            {"bboxes": PARTS[None], "labels": np.array([[2, 3]]), "scores": SCORES[None]},
            {"image": "image"},
        ),
        "ssd of the authors of RT-DETR": (
            {"labels": np.array([[1, 2]]), "boxes": XYXY[None], "scores": SCORES[None]},
            {"others": [("orig_target_sizes", 7, [1, 2])]},
        ),
        "ssd, not suppressed": (
            {"scores": with_background(PER_CLASS), "boxes": PARTS[None]},
            {"image": "input"},
        ),
        "ssd of Caffe": (
            {
                "detection_out": np.float32(
                    [[[[0, 2, 0.9, *PARTS[0]], [0, 3, 0.7, *PARTS[1]], [-1, 0, 0, 0, 0, 0, 0]]]]
                )
            },
            {"image": "data"},
        ),
        "tfod": (tfod, bytes_in),
        "tfod, channels first": (tfod, bytes_in | {"shape": NCHW}),
        "tfod as TensorFlow names it": (
            {f"{name}:0": array for name, array in tfod.items()},
            bytes_in | {"image": "input_tensor:0"},
        ),
        "tfod with both": (
            tfod
            | {
                "raw_detection_boxes": np.zeros((1, 9, 4), np.float32),
                "raw_detection_scores": np.zeros((1, 9, 4), np.float32),
            },
            bytes_in,
        ),
        "tfod without NMS": (
            {"raw_detection_boxes": YXYX[None], "raw_detection_scores": with_background(PER_CLASS)},
            bytes_in,
        ),
        "tfod from TFLite": (
            {
                lite: YXYX[None],
                f"{lite}:1": ids - 1,
                f"{lite}:2": SCORES[None],
                f"{lite}:3": np.float32([2]),
            },
            bytes_in,
        ),
        "efficientdet of automl": (
            {"detections": padded([[0, 20, 10, 40, 30, 0.9, 2], [0, 8, 48, 56, 80, 0.7, 3]], 100)},
            {"shape": NHWC, "dtype": BYTE, "image": "image_arrays"},
        ),
    }


@pytest.fixture
def made(tmp_path):
    (tmp_path / "labels.txt").write_text(LABELS)

    def make(name, **changes):
        outputs, how = exports()[name]
        return graph(tmp_path / "model.onnx", outputs, **(how | changes))

    make.labels = str(tmp_path / "labels.txt")
    return make


def check(found, boxes=XYXY * 2, atol=0.01):
    np.testing.assert_allclose(found.boxes, boxes, atol=atol)
    np.testing.assert_allclose(found.scores, SCORES, atol=0.02)
    assert found.classes.tolist() == [1, 2]


@pytest.mark.parametrize("name", exports())
def test_exports_are_recognized_and_decoded(made, name, logged):
    # Sigmoids and softmax are not exact, and half floats have 11 bits.
    options = {} if "properties" in exports()[name][1] else {"labels": made.labels}
    detector = OnnxDetector(made(name), **options)
    assert detector.labels == ("red", "green", "blue")
    check(detector.detect([plain((90, 90, 90))])[0], atol=0.1)
    taken = [text for level, text in logged() if level == "INFO" and ": decode " in text]
    assert len(taken) == 1
    assert f": decode {name.split()[0].strip(',')}:" in taken[0]


@pytest.mark.parametrize("name", exports())
def test_setting_the_decode_has_the_same_result(made, name):
    detector = OnnxDetector(made(name), decode=name.split()[0].strip(","), labels=made.labels)
    check(detector.detect([plain((90, 90, 90))])[0], atol=0.1)


@pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="the extra openvino is missing"
)
@pytest.mark.parametrize(
    "name",
    [
        "yolo v8",
        "yolo v8 in half precision",
        "detr with softmax",
        "tfod",
        "ssd of torchvision",
        "efficientdet of automl",
    ],
)
def test_openvino_has_the_same_result(made, name, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "OPENVINO", True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    detector = OnnxDetector(made(name), labels=made.labels, backend="openvino")
    check(detector.detect([plain((90, 90, 90))])[0], atol=0.6)  # it may be bfloat16


def test_shapes_that_are_known_only_after_a_run(made):
    detector = OnnxDetector(made("yolo v8", loose=("output0",)))
    check(detector.detect([plain((90, 90, 90))])[0])


def test_boxes_suppressed_in_the_graph_are_not_suppressed_again(tmp_path):
    rows = np.c_[[XYXY[0], XYXY[0] + 1], [0.9, 0.8], [0, 0]]  # IoU 361 / 439 = 0.82
    properties = {"names": "['face']"}
    model = graph(tmp_path / "m.onnx", {"o": padded(rows, 300)}, properties=properties)
    assert len(OnnxDetector(model).detect([plain((1, 2, 3))])[0]) == 2
    assert len(OnnxDetector(model, iou_threshold=0.5).detect([plain((1, 2, 3))])[0]) == 1
    raw = yolov8([CENTERD[0], CENTERD[0] + [1, 1, 0, 0]], [[0.9], [0.8]])
    model = graph(tmp_path / "raw.onnx", {"o": raw}, properties=properties)
    assert len(OnnxDetector(model).detect([plain((1, 2, 3))])[0]) == 1


def test_a_letterbox_is_undone(tmp_path):
    # 192 x 64 px fits the 96 x 64 input halved, 32 px high, centered 16 px from the top.
    model = graph(tmp_path / "m.onnx", {"o": yolov8(CENTERD, PER_CLASS)}, properties=NAMES)
    frame = plain((1, 2, 3), width=192, height=64)
    cut = [[20, 8, 60, 48], [96, 0, 160, 64]]  # B, y 8 to 56 minus 16, is clipped to the border
    check(OnnxDetector(model).detect([frame])[0], cut)
    low = [[20, 40, 60, 64], [96, 16, 160, 64]]
    check(OnnxDetector(model, letterbox="corner").detect([frame])[0], low)
    wide = [[20, 20, 60, 40], [96, 8, 160, 56]]
    check(OnnxDetector(model, letterbox="stretch").detect([frame])[0], wide)


@pytest.mark.parametrize(
    ("columns", "first", "last"), [(80, "person", "toothbrush"), (91, "person", "toothbrush")]
)
def test_labels_of_coco_are_used_if_their_number_matches(tmp_path, columns, first, last, logged):
    scores = np.full((2, columns), 0.01)
    scores[0, 0 if columns == 80 else 1] = scores[1, -1] = 0.9
    outputs = {"logits": logits(scores)[None], "pred_boxes": np.full((1, 2, 4), 0.5, np.float32)}
    detector = OnnxDetector(graph(tmp_path / "m.onnx", outputs))
    found = detector.detect([plain((1, 2, 3))])[0]
    assert [detector.labels[c] for c in found.classes] == [first, last]
    assert any("80 labels of COCO, because it has" in text for _, text in logged())


def test_columns_of_ids_that_coco_does_not_use_are_ignored(tmp_path):
    outputs = {
        "raw_detection_boxes": YXYX[None],
        "raw_detection_scores": np.zeros((1, 2, 91), np.float32),
    }
    outputs["raw_detection_scores"][0, 0, 12] = 0.9  # no such id; after the background
    outputs["raw_detection_scores"][0, 1, 13] = 0.7
    model = graph(tmp_path / "m.onnx", outputs, shape=NHWC, dtype=BYTE)
    detector = OnnxDetector(model)
    found = detector.detect([plain((1, 2, 3))])[0]
    assert [detector.labels[c] for c in found.classes] == ["stop sign"]


@pytest.mark.parametrize("labels", ["coco", "coco91"])
def test_built_in_labels(tmp_path, labels):
    outputs = {"boxes": XYXY, "labels": np.array([1, 80]), "scores": SCORES}
    detector = OnnxDetector(graph(tmp_path / "m.onnx", outputs, shape=NCHW[1:]), labels=labels)
    found = detector.detect([plain((1, 2, 3))])[0]
    known = COCO if labels == "coco" else COCO_IDS
    assert [detector.labels[c] for c in found.classes] == [known[1], known[80]]


def test_a_class_without_a_label_is_an_error(tmp_path):
    outputs = {"boxes": XYXY, "labels": np.array([1, 12]), "scores": SCORES}
    model = graph(tmp_path / "m.onnx", outputs, shape=NCHW[1:])
    with pytest.raises(ModelError, match=r"it found class 12 .* set detector.labels=<the label"):
        OnnxDetector(model, labels="coco91")


def nothing_found(classes):
    return yolov8([[0] * 4], [[0] * classes])


def test_a_class_0_proves_that_a_model_counts_from_0(tmp_path):
    outputs = {"boxes": XYXY, "labels": np.array([0, 2]), "scores": SCORES}  # as torchvision's
    model = graph(tmp_path / "m.onnx", outputs, shape=NCHW[1:])
    with pytest.raises(ModelError, match=r"found class 0 with score 0\.90.*first_id=0, or 1 if"):
        OnnxDetector(model, labels="coco")
    for first_id, found in ((0, ["person", "car"]), (1, ["bicycle"])):
        detector = OnnxDetector(model, labels="coco", first_id=first_id)
        classes = detector.detect([plain((1, 2, 3))])[0].classes
        assert [detector.labels[c] for c in classes] == found


DYNAMIC = ["N", 3, "H", "W"]


def test_dynamic_sizes(tmp_path):
    outputs = {"o": yolov8(CENTERD, PER_CLASS)}
    told = NAMES | {"imgsz": "[64, 96]"}
    model = graph(tmp_path / "told.onnx", outputs, shape=DYNAMIC, properties=told)
    check(OnnxDetector(model).detect([plain((1, 2, 3))])[0])
    # Twice the size: the boxes of the graph are constant, and half as large in the image.
    check(OnnxDetector(model, size=[128, 192]).detect([plain((1, 2, 3))])[0], XYXY)
    model = graph(tmp_path / "silent.onnx", outputs, shape=DYNAMIC, properties=NAMES)
    with pytest.raises(ModelError, match=r"dynamic size: set detector.size=\[height,width\]"):
        OnnxDetector(model)
    check(OnnxDetector(model, size=[64, 96]).detect([plain((1, 2, 3))])[0])


def test_a_graph_that_resizes_gets_the_original_image(made):
    detector = OnnxDetector(made("tfod", shape=[1, None, None, 3]), labels=made.labels)
    check(detector.detect([plain((1, 2, 3))])[0])


@pytest.mark.parametrize(
    ("outputs", "how", "message"),
    [
        (
            {"x": np.zeros((3, 9), np.float32)},
            {},
            r"no decode matches its inputs images float32 \[1,3,64,96\] and outputs x float32 "
            r"\[3,9\]: tried tfod, efficientdet, yolo, yolo-e2e, yolox, nanodet, ",
        ),
        (
            {"x": np.ones((1, 7), np.float32)},
            {},
            r"one vector and no boxes, as a classifier or an embedder does: .* x float32 \[1,7\]",
        ),
        ({"x": nothing_found(4)}, {"properties": {"task": "obb"}}, "rotated boxes"),
        (
            {"x": nothing_found(4)},
            {"properties": {"names": "{"}},
            "names='{', which are not labels",
        ),
        (
            {"x": nothing_found(4)},
            {},
            "4 classes, and no labels of its own: set detector",
        ),
        ({"x": padded([[0] * 6], 300)}, {}, "it has no labels of its own"),
        (
            {"logits": np.zeros((1, 9, 7), np.float32), "pred_boxes": np.zeros((1, 9, 4), "f4")},
            {},
            "may be a class or no object, and there are no labels",
        ),
        (
            {"x": nothing_found(80)},
            {"others": [("anchors", FLOAT, [1, 2])]},
            r"unknown input 'anchors' float32 \[1,2\]",
        ),
        (
            {"x": nothing_found(80)},
            {"shape": [1, 1, 64, 96]},
            "expected one input for images",
        ),
        (
            {"x": nothing_found(80)},
            {"shape": [4, 3, 64, 96]},
            "its batch size is 4",
        ),
        (
            {"x": nothing_found(80)},
            {"dtype": BYTE},
            r"no decode matches its inputs images uint8 \[1,3,64,96\]",
        ),
        ({"x": yolov8([[1] * 4], [[3] * 80])}, {}, r"expected scores in \[0,1\], got 0 to 3"),
    ],
)
def test_unusable_models_are_rejected(tmp_path, outputs, how, message):
    model = graph(tmp_path / "m.onnx", outputs, **how)
    with pytest.raises(ModelError, match=message) as caught:
        OnnxDetector(model)
    assert str(caught.value).startswith(f"model '{model}': ")
    assert "\n" not in str(caught.value)


def test_a_decode_that_does_not_match_is_rejected(made):
    with pytest.raises(ModelError, match=r"decode='detr' expects outputs logits .*; the model has"):
        OnnxDetector(made("yolo v8"), decode="detr")
    with pytest.raises(ConfigError, match=r"detector.decode='yollo'.*did you mean 'yolo'"):
        create("detector", "onnx", model=made("yolo v8"), decode="yollo")


def test_labels_of_another_model_are_rejected(made, tmp_path):
    (tmp_path / "two.txt").write_text("a\nb\n")
    with pytest.raises(ModelError, match=r"it has 3 classes, but there are 2 labels \(a, b\): use"):
        OnnxDetector(made("yolo-e2e"), labels=str(tmp_path / "two.txt"))
    (tmp_path / "two.txt").write_text("a\nb\nc\nd\ne\n")
    with pytest.raises(ModelError, match="it has 3 classes, but there are 5 labels"):
        OnnxDetector(made("tfod without NMS"), labels=str(tmp_path / "two.txt"))


def test_the_native_format_defines_its_own_preprocessing(toy):
    with pytest.raises(ConfigError, match=r"^letterbox: .*omit the option"):
        OnnxDetector(toy(), letterbox="stretch")
    with pytest.raises(ConfigError, match=r"^size=\[32, 32\]: .* 64 px high"):
        OnnxDetector(toy(text=None), decode="yolo", size=32)
