"""Heads with a box per cell, and ends of graphs by other programs: two boxes, as in test_decodes.

Box A is x 10 to 30, y 20 to 40 of class 1, box B x 48 to 80, y 8 to 56 of class 2, in px of an
input of 96 x 64; the image is twice as large.
"""

import re

import numpy as np
import pytest

from vidan.errors import ModelError
from vidan_plugins.detectors.onnx import OnnxDetector

from ...models import plain
from .graphs import BYTE, FLOAT, NHWC, graph, padded, yolov5, yolov8
from .test_decodes import CENTERD, PER_CLASS, SCORES, XYXY, YXYX, check

SIZE = (64, 96)
NOTHING = 0.001
NAMES = {"names": "{0: 'red', 1: 'green', 2: 'blue'}"}


def grid(strides):
    """Column, row and stride of each cell."""
    return np.array(
        [
            (column, row, stride)
            for stride in strides
            for row in range(-(-SIZE[0] // stride))
            for column in range(-(-SIZE[1] // stride))
        ]
    )


def near(strides, offset):
    """For each of the two boxes a cell whose stride fits, and the point that it belongs to."""
    cells = grid(strides)
    for box in CENTERD:
        points = (cells[:, :2] + offset) * cells[:, 2:]
        fits = np.abs(points - box[:2]).max(axis=1) + (cells[:, 2] != 16) * 1000
        index = int(fits.argmin())
        yield index, points[index], int(cells[index, 2])


def two_in(count):
    """Scores (count,3) of two boxes among cells with nothing."""
    return np.full((count, 3), NOTHING, np.float32)


def bins(distance):
    """Eight logits whose mean is a distance in strides."""
    low = int(distance)
    shares = np.full(8, 1e-6)
    shares[low] += 1 - (distance - low)
    shares[min(low + 1, 7)] += distance - low
    return np.log(shares)


def distributions(strides, offset):
    """Scores (N,3) and logits (N,32) of the two boxes."""
    count = len(grid(strides))
    scores, logits = two_in(count), np.zeros((count, 32), np.float32)
    for (index, (x, y), stride), box, found in zip(
        near(strides, offset), XYXY, PER_CLASS, strict=True
    ):
        scores[index] = found
        sides = [x - box[0], y - box[1], box[2] - x, box[3] - y]
        logits[index] = np.concatenate([bins(side / stride) for side in sides])
    return scores, logits


def split(array, strides):
    """Rows (N,F) as an output [1,n,F] for each stride."""
    counts = [len(grid([stride])) for stride in strides]
    return [part[None] for part in np.split(array, np.cumsum(counts)[:-1])]


def yolox(decoded):
    """[1,126,8] with or without the cells' own decoding."""
    cells = grid((8, 16, 32))
    rows = np.zeros((len(cells), 8), np.float32)
    rows[:, 5:] = NOTHING
    if decoded:
        rows[:, :2] = (cells[:, :2] + 0.5) * cells[:, 2:]
    for (index, _, stride), box, score, found in zip(
        near((8, 16, 32), 0), CENTERD, SCORES, PER_CLASS, strict=True
    ):
        rows[index, 4], rows[index, 5:] = score, found > 0.5
        rows[index, :2] = box[:2] if decoded else box[:2] / stride - cells[index, :2]
        rows[index, 2:4] = box[2:] if decoded else np.log(box[2:] / stride)
    return rows[None]


def rtmdet_heads():
    """Three outputs [1,3,h,w] of logits and three [1,4,h,w] of distances."""
    strides = (8, 16, 32)
    count = len(grid(strides))
    scores, distances = two_in(count), np.zeros((count, 4), np.float32)
    for (index, (x, y), _), box, found in zip(near(strides, 0), XYXY, PER_CLASS, strict=True):
        scores[index] = found
        distances[index] = [x - box[0], y - box[1], box[2] - x, box[3] - y]
    p = np.clip(scores, NOTHING, 1 - NOTHING)
    out = {}
    for name, array in (("cls", np.log(p / (1 - p))), ("reg", distances)):
        for part, stride in zip(split(array, strides), strides, strict=True):
            shape = (1, array.shape[1], SIZE[0] // stride, SIZE[1] // stride)
            out[f"{name}_{stride}"] = part[0].T.reshape(shape)
    return out


def fastestdet():
    """[1,8,4,6]."""
    out = np.zeros((1, 8, 4, 6), np.float32)
    out[0, 7] = 1
    for (index, corner, stride), box, score, found in zip(
        near((16,), 0), CENTERD, SCORES, PER_CLASS, strict=True
    ):
        cell = np.unravel_index(index, (4, 6))
        classes = (found > 0.5).astype(np.float32)
        sides = box[2:] / np.float32(SIZE[::-1])
        offset = np.arctanh((box[:2] - corner) / stride)
        box_numbers = np.concatenate([offset, np.log(sides / (1 - sides))])
        out[(0, slice(None), *cell)] = [score ** (1 / 0.6), *box_numbers, *classes]
    return out


def heads():
    """By name: outputs, and other arguments of `graph`."""
    plus = np.concatenate(distributions((8, 16, 32, 64), 0), axis=1)
    first = np.concatenate(distributions((8, 16, 32), 0.5), axis=1)
    three = [split(array, (8, 16, 32)) for array in distributions((8, 16, 32), 0.5)]
    four = [split(array, (8, 16, 32, 64)) for array in distributions((8, 16, 32, 64), 0.5)]
    ids = np.array([[1, 2]])
    scored = np.concatenate([XYXY, SCORES[:, None]], axis=1)
    e2e = np.c_[XYXY, SCORES, [1, 2]]
    pose = {"task": "pose", "kpt_shape": "[17, 3]"}
    masks = np.zeros((1, 32, 16, 24), np.float32)
    center = padded(np.c_[XYXY / 4, SCORES, [1, 2]], 100)
    return {
        "yolox, cells": ({"output": yolox(decoded=False)}, {}),
        "yolox, decoded": ({"output": yolox(decoded=True)}, {}),
        "yolo v6": ({"output": np.concatenate([yolox(decoded=True)[..., :4], _v6()], axis=2)}, {}),
        "nanodet plus": ({"output": plus[None]}, {}),
        "nanodet": ({"output": first[None]}, {}),
        "nanodet 0.x": (_named(*three), {}),
        "picodet, heads": (_named(*four), {}),
        "picodet with NMS": (
            {
                "rows": np.float32(np.c_[[1, 2], SCORES, XYXY]),
                "count": np.array([2], np.int32),
            },
            {"others": [("scale_factor", FLOAT, [1, 2]), ("im_shape", FLOAT, [1, 2])]},
        ),
        "picodet without NMS": (
            {"boxes": np.float32(XYXY)[None], "scores": np.ascontiguousarray(PER_CLASS.T)[None]},
            {"others": [("scale_factor", FLOAT, [1, 2])]},
        ),
        "rtmdet": ({"dets": np.float32(scored)[None], "labels": ids}, {}),
        "rtmdet, heads": (rtmdet_heads(), {}),
        "fastestdet": ({"758": fastestdet()}, {}),
        "centernet": ({"output": center}, {}),
        "yolo-e2e of YOLOv7": (
            {"output": np.float32(np.c_[[0, 0], XYXY, [1, 2], SCORES])},
            {},
        ),
        "yolo-e2e for TensorRT": (
            {
                "num_dets": np.array([[2]], np.int32),
                "det_boxes": padded(XYXY, 100),
                "det_scores": padded(SCORES[:, None], 100)[..., 0],
                "det_classes": np.int32(padded([[1], [2]], 100)[..., 0]),
            },
            {},
        ),
        "yolo-e2e with masks": (
            {"o": padded(np.c_[e2e, np.ones((2, 32))], 300), "masks": masks},
            {"properties": NAMES | {"task": "segment", "end2end": "True"}},
        ),
        "yolo-e2e with keypoints": (
            {"o": padded(np.c_[e2e, np.ones((2, 51))], 300)},
            {"properties": NAMES | pose | {"end2end": "True"}},
        ),
        "yolo v5 with masks": (
            {
                "o": np.concatenate(
                    [yolov5(CENTERD, SCORES, PER_CLASS > 0.5), np.ones((1, 378, 32), "f4")], axis=2
                ),
                "masks": masks,
            },
            {"properties": NAMES},
        ),
        "yolo v8 with keypoints": (
            {"o": yolov8(CENTERD, np.hstack([PER_CLASS, np.ones((2, 51))]))},
            {"properties": NAMES | pose},
        ),
        "yolo v8 with keypoints that the metadata does not mention": (
            {"o": yolov8(CENTERD, np.hstack([PER_CLASS, np.ones((2, 51))]))},
            {"properties": NAMES},
        ),
        "yolo v5 with masks whose prototypes were removed": (
            {
                "o": np.concatenate(
                    [yolov5(CENTERD, SCORES, PER_CLASS > 0.5), np.ones((1, 378, 32), "f4")], axis=2
                )
            },
            {"properties": NAMES},
        ),
        "yolo v8 in fractions": (
            {"o": yolov8(CENTERD / [96, 64, 96, 64], PER_CLASS)},
            {"properties": NAMES},
        ),
        "ssd counting from 0": (
            {"labels": ids, "boxes": np.float32(XYXY)[None], "scores": SCORES[None]},
            {},
        ),
        "ssd of Detectron2": (
            {"pred_boxes": XYXY, "scores": SCORES, "pred_classes": ids[0]},
            {},
        ),
        "detr of RF-DETR": (
            {
                "dets": CENTERD[None] / np.float32([96, 64, 96, 64]),
                "labels": _logits(np.c_[PER_CLASS, [0.5, 0.5]])[None],
            },
            {},
        ),
        "detr of RF-DETR whose metadata names all columns": (
            {
                "dets": CENTERD[None] / np.float32([96, 64, 96, 64]),
                "labels": _logits(PER_CLASS)[None],
            },
            {"properties": NAMES},
        ),
        "tfod of tf.js": (
            {"boxes": YXYX[None, :, None], "scores": PER_CLASS[None]},
            {"shape": NHWC, "dtype": BYTE},
        ),
    }


def _v6():
    """Objectness that is always 1, and scores that are those of yolox()."""
    rows = yolox(decoded=True)[..., 4:]
    return np.concatenate([np.ones_like(rows[..., :1]), rows[..., 1:] * rows[..., :1]], axis=2)


def _named(scores, boxes):
    named = [(f"cls_{i}", each) for i, each in enumerate(scores)]
    return dict(named + [(f"dis_{i}", each) for i, each in enumerate(boxes)])


def _logits(probabilities):
    p = np.clip(probabilities, 0.001, 0.999)
    return np.float32(np.log(p / (1 - p)))


@pytest.fixture
def made(tmp_path):
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")

    def make(name):
        outputs, how = heads()[name]
        return graph(tmp_path / "model.onnx", outputs, **how)

    make.labels = str(tmp_path / "labels.txt")
    return make


@pytest.mark.parametrize("name", heads())
def test_heads_are_recognized_and_decoded(made, name):
    options = {} if "properties" in heads()[name][1] else {"labels": made.labels}
    # A letterbox changes nothing: the image has the aspect ratio of the input.
    detector = OnnxDetector(made(name), **options)
    assert f"decode {name.split()[0].strip(',')}:" in detector.summary
    assert detector.labels == ("red", "green", "blue")
    check(detector.detect([plain((90, 90, 90))])[0], atol=0.2)


@pytest.mark.parametrize("name", heads())
def test_setting_the_decode_has_the_same_result(made, name):
    decode = name.split()[0].strip(",")
    detector = OnnxDetector(made(name), decode=decode, labels=made.labels)
    check(detector.detect([plain((90, 90, 90))])[0], atol=0.2)


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("centernet", "CenterNet, since no box of a blank image"),
        ("rtmdet", "images as RTMDet takes them"),
        (
            "yolo v8 with keypoints that the metadata does not mention",
            "the last 51 numbers of each box are no scores",
        ),
        ("ssd counting from 0", "labels from 0; if they are shifted by one: first_id=1"),
    ],
)
def test_a_guess_is_called_that(made, name, guess, logged):
    OnnxDetector(made(name), labels=made.labels)
    assert [level for level, text in logged() if f"a guess: {guess}" in text] == ["WARNING"]


@pytest.mark.parametrize(
    ("rows", "properties", "guess"),
    [
        (100, {}, "a blank image gives only zeros, .*; CenterNet .* detector.decode=centernet"),
        (300, {}, "a blank image gives only zeros, which do not tell .* are"),
        (300, NAMES, None),
        (100, NAMES | {"end2end": "True"}, None),
    ],
)
def test_rows_of_zeros_are_a_guess_unless_the_metadata_tells(
    tmp_path, rows, properties, guess, logged
):
    path = tmp_path / "zeros.onnx"
    graph(path, {"o": np.zeros((1, rows, 6), np.float32)}, properties=properties)
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    labels = None if properties else str(tmp_path / "labels.txt")
    detector = OnnxDetector(str(path), labels=labels)
    assert detector.summary.startswith("decode yolo-e2e")
    found = re.search("; a guess: (.*)", detector.summary)
    assert (found is None) if guess is None else re.fullmatch(guess, found[1])
    levels = {level for level, text in logged() if "decode yolo-e2e" in text}
    assert levels == ({"INFO"} if guess is None else {"WARNING"})


def test_labels_from_1_where_the_order_says_from_0(made):
    detector = OnnxDetector(made("ssd counting from 0"), labels=made.labels, first_id=1)
    classes = detector.detect([plain((1, 2, 3))])[0].classes
    assert [detector.labels[c] for c in classes] == ["red", "green"]


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("name", ["yolox, cells", "nanodet plus", "fastestdet", "rtmdet, heads"])
def test_a_label_file_of_another_length_is_rejected(made, name, count):
    with pytest.raises(ModelError, match=f"it has 3 classes, but there are {count} labels"):
        OnnxDetector(made(name), labels=list("abcd")[:count])


@pytest.mark.parametrize("name", ["nanodet plus", "fastestdet", "rtmdet, heads"])
def test_other_scores_than_the_metadata_has_classes(tmp_path, name):
    outputs, how = heads()[name]
    path = graph(tmp_path / "m.onnx", outputs, **how, properties={"names": "['a', 'b']"})
    with pytest.raises(ModelError, match="scores for 3 classes, but its metadata names 2: export"):
        OnnxDetector(path)


def test_fewer_scores_than_the_metadata_has_classes(tmp_path):
    outputs = {"o": yolov8(CENTERD, PER_CLASS[:, :2])}
    model = graph(tmp_path / "m.onnx", outputs, properties=NAMES)
    with pytest.raises(ModelError, match="has 2 scores, but its metadata names 3 classes"):
        OnnxDetector(model)


def test_boxes_in_the_wrong_order_are_not_taken_for_ssd(tmp_path):
    # The differences from anchors that an SSD without its decoding returns.
    outputs = {
        "boxes": np.random.default_rng(0).normal(size=(1, 1917, 4)).astype(np.float32),
        "scores": np.zeros((1, 1917, 91), np.float32),
    }
    model = graph(tmp_path / "m.onnx", outputs)
    with pytest.raises(ModelError, match="no decode matches its"):
        OnnxDetector(model)


@pytest.mark.parametrize(
    "names",
    [
        '["red", "green", "blue"]',
        '{"0": "red", "1": "green", "2": "blue"}',
        "{'0': 'red', '1': 'green', '2': 'blue'}",
    ],
)
@pytest.mark.parametrize("key", ["names", "labels", "classes"])
def test_labels_in_the_metadata(tmp_path, key, names):
    outputs = {"o": yolov8(CENTERD, PER_CLASS)}
    model = graph(tmp_path / "m.onnx", outputs, properties={key: names})
    detector = OnnxDetector(model)
    assert detector.labels == ("red", "green", "blue")
    check(detector.detect([plain((1, 2, 3))])[0])


def test_caffe_rows_of_an_ir_without_a_background_count_from_0():
    from vidan_plugins.detectors.exported.decoding import ModelInfo, ssd
    from vidan_plugins.detectors.native.signature import Signature, Tensor

    info = ModelInfo(
        signature=Signature({"data": Tensor("float32", (1, 3, *SIZE))}, {}),
        image="data",
        size=SIZE,
        outputs={"detection_out": np.zeros((1, 1, 200, 7), np.float32)},
        properties={"background_label_id": "3"},
        labels=None,
    )
    found = ssd.DECODE.match(info)
    assert found.first_label == 1
    assert (found.preprocessing.channels, found.preprocessing.scale) == ("bgr", 255)


def test_rotated_boxes_are_rejected_after_suppression_too(tmp_path):
    rows = padded(np.c_[XYXY, SCORES, [1, 2], [0.1, 0.2]], 300)
    properties = NAMES | {"task": "obb", "end2end": "True"}
    model = graph(tmp_path / "m.onnx", {"o": rows}, properties=properties)
    with pytest.raises(ModelError, match="rotated boxes"):
        OnnxDetector(model)


@pytest.mark.parametrize("masks", [(1, 64, 80, 120), (1, 80, 120, 64)])
def test_masks_may_have_any_number_of_coefficients(tmp_path, masks):
    head = yolov8(CENTERD, np.c_[PER_CLASS, np.full((2, 64), 0.3)])
    outputs = {"o": head, "protos": np.zeros(masks, np.float32)}
    detector = OnnxDetector(graph(tmp_path / "m.onnx", outputs, properties=NAMES))
    check(detector.detect([plain((1, 2, 3))])[0])


def test_boxes_in_fractions_of_the_image_with_their_number(tmp_path):
    outputs = {
        "num_dets": np.array([[2]], np.int32),
        "det_boxes": np.float32(XYXY / [96, 64, 96, 64])[None],
        "det_scores": np.float32(SCORES)[None],
        "det_classes": np.array([[1, 2]], np.int32),
    }
    detector = OnnxDetector(graph(tmp_path / "m.onnx", outputs, properties=NAMES))
    check(detector.detect([plain((1, 2, 3))])[0])


def test_boxes_in_px_with_the_names_of_fractions_are_rejected(tmp_path):
    outputs = {
        "detection_boxes": np.float32(YXYX)[None] * 64,
        "detection_scores": np.float32(SCORES)[None],
        "detection_classes": np.float32([[2, 3]]),
        "num_detections": np.float32([2]),
    }
    model = graph(tmp_path / "m.onnx", outputs)
    with pytest.raises(ModelError, match="boxes in fractions of the image, got numbers up to"):
        OnnxDetector(model, labels=["red", "green", "blue"])


@pytest.mark.parametrize("shape", ["", "[17]", "[1e999, 3]", "[-1, 3]", "-" * 100_000, "'ab'"])
def test_a_kpt_shape_that_is_none_is_an_error(tmp_path, shape):
    properties = NAMES | {"kpt_shape": shape}
    model = graph(tmp_path / "m.onnx", {"o": yolov8(CENTERD, PER_CLASS)}, properties=properties)
    with pytest.raises(ModelError, match=r"kpt_shape=.*: expected numbers such as \[17, 3\]"):
        OnnxDetector(model)


def test_scores_that_are_not_numbers_are_called_that(tmp_path):
    rows = padded(np.c_[XYXY, [np.nan, 0.9], [np.nan, 1e30]], 300)
    model = graph(tmp_path / "m.onnx", {"o": rows}, properties=NAMES)
    with pytest.raises(ModelError, match=r"expected scores in \[0,1\], got NaN"):
        OnnxDetector(model)


def test_boxes_with_other_numbers_are_rejected(tmp_path):
    outputs = {
        "num_dets": np.array([[2]], np.int32),
        "det_boxes": np.full((1, 9, 7), 50, np.float32),
        "det_scores": np.zeros((1, 9), np.float32),
        "det_classes": np.zeros((1, 9), np.int32),
    }
    model = graph(tmp_path / "m.onnx", outputs, properties=NAMES)
    with pytest.raises(ModelError, match=r"are not those of decode 'yolo-e2e': .* boxes \[2, 7\]"):
        OnnxDetector(model)
