"""Detections from the outputs of real exports equal those of their libraries: see `record.py`."""

import json
from pathlib import Path

import numpy as np
import pytest

from vidan.boxes import iou
from vidan_plugins.detectors.onnx import OnnxDetector

from ...models import plain
from .graphs import graph

RECORDED = sorted((Path(__file__).parent / "exports").glob("*.npz"))
DECODES = {
    "d_fine": "detr",
    "detr": "detr",
    "retinanet": "ssd",
    "rt_detr": "detr",
    "rt_detr_v2": "detr",
    "rtdetr_ultralytics": "detr",
    "ssdlite": "ssd",
    "yolo11": "yolo",
    "yolo11_nms": "yolo-e2e",
    "yolo26_e2e": "yolo-e2e",
    "yolos": "detr",
    "yolov10": "yolo",
    "yolov10_e2e": "yolo-e2e",
    "yolov5u": "yolo",
    "yolov8": "yolo",
}


def test_all_recordings_exist():
    assert [path.stem for path in RECORDED] == sorted(DECODES)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_detections_equal_those_of_the_library(path, tmp_path):
    with np.load(path) as file:
        about = json.loads(str(file["about"]))
        outputs = {k.removeprefix("output "): file[k] for k in file if k.startswith("output ")}
        expected = file["found"]
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    shape = about["shape"]
    model = graph(
        tmp_path / "m.onnx", outputs, about["image"], shape, properties=about["properties"]
    )
    labels = None if "names" in about["properties"] else str(tmp_path / "labels.txt")
    detector = OnnxDetector(model, labels=labels, **about["options"])
    assert detector.labels == ("red", "green", "blue")
    assert detector.summary.startswith(f"decode {DECODES[path.stem]}: ")
    # The image has the size of the input, so that nothing is scaled.
    (found,) = detector.detect([plain((90, 90, 90), width=shape[-1], height=shape[-2])])
    # Not all libraries clip boxes to the image, or drop those that are then empty.
    expected[:, :4] = expected[:, :4].clip(0, [shape[-1], shape[-2]] * 2)
    check(found, expected[(expected[:, 2:4] > expected[:, :2]).all(axis=1)])


def check(found, expected):
    """Each detection equals one of the rows (K,6), and vice versa."""
    assert len(found) == len(expected) > 2
    same = iou(found.boxes, expected[:, :4]) > 0.98
    same &= found.classes[:, None] == expected[:, 5]
    same &= np.abs(found.scores[:, None] - expected[:, 4]) < 1e-3
    assert same.any(axis=1).all()
    assert same.any(axis=0).all()
