"""End-to-end YOLO: the graph ends with detections.

    YOLOv10, 26, or `nms=True`   float [1,K,6]: x1, y1, x2, y2 in px, score, class; segmentation and
                                 pose append numbers; unused rows score 0
    YOLOv7, `--end2end`          float [K,7]: image, x1, y1, x2, y2 in px, class, score
    for TensorRT, and MMYOLO     num_dets int [1,1], det_boxes float [1,K,4] xyxy in px,
                                 det_scores float [1,K], det_classes int [1,K]

Classes are counted from 0. Sources: docs.ultralytics.com/modes/export; the exports of
github.com/THU-MIG/yolov10; export.py in github.com/WongKinYiu/yolov7; TensorRT's EfficientNMS.
"""

from __future__ import annotations

from ...preprocess import Preprocessing
from .base import (
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    class_ids,
    shape_of,
    to_px,
)
from .centernet import POINTS as CENTERNET_ROWS
from .centernet import match as match_centernet
from .detr import is_joined
from .ultralytics import check_task, head, is_end_to_end
from .yolo import has_rows_of_six

EXPECTS = (
    "one output [1,K,6] (x1, y1, x2, y2 in px, score, class from 0) or [K,7] (image, x1, y1, x2, "
    "y2, class, score); or num_dets, det_boxes, det_scores and det_classes"
)
PREPROCESSING = Preprocessing(letterbox="center")
YOLOV7_FIELDS = 7


def decode(outputs: Outputs, size: Size) -> Candidates:
    """Boxes, scores and classes of one output [1,K,6+...]."""
    rows = outputs[0][0]
    return Candidates(to_px(rows[:, :4], size), rows[:, 4], class_ids(rows[:, 5]))


def decode_yolov7(outputs: Outputs, size: Size) -> Candidates:
    """Boxes, scores and classes of one output [K,7]."""
    rows = outputs[0]
    return Candidates(to_px(rows[:, 1:5], size), rows[:, 6], class_ids(rows[:, 5]))


def decode_counted(outputs: Outputs, size: Size) -> Candidates:
    """Boxes, scores and classes of four outputs, the first of which is their number."""
    count = int(outputs[0].reshape(-1)[0])
    boxes, scores, classes = (each[0][:count] for each in outputs[1:])
    return Candidates(to_px(boxes, size), scores, class_ids(classes))


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such outputs."""
    if info.takes_integers or is_joined(info):
        return None
    return _six(info) or _yolov7(info) or _counted(info)


def _six(info: ModelInfo) -> OutputDecoding | None:
    name = head(info)
    if name is None or match_centernet(info) is not None:
        return None
    _, count, fields = info.outputs[name].shape
    check_task(info)
    if not has_rows_of_six(info, fields, count):
        return None
    return OutputDecoding(
        reason=f"{shape_of(name, info.outputs[name])}: rows of x1, y1, x2, y2, score, class",
        outputs=(name,),
        decode=decode,
        preprocessing=PREPROCESSING,
        suppressed=True,
        guess=_assumed(info, name),
    )


def _assumed(info: ModelInfo, name: str) -> str:
    """What is assumed about rows of six numbers that are all zero, unless the metadata tells."""
    if info.outputs[name].any() or info.own_labels is not None or is_end_to_end(info) is not None:
        return ""
    zeros = "a blank image gives only zeros, which do not tell what the numbers in a row are"
    if info.outputs[name].shape[1] != CENTERNET_ROWS:
        return zeros
    return f"{zeros}; CenterNet has as many rows: detector.decode=centernet"


def _yolov7(info: ModelInfo) -> OutputDecoding | None:
    name = info.only(2)
    if name is None or info.outputs[name].shape[1] != YOLOV7_FIELDS:
        return None
    if len(info.outputs[name]) == 1 and info.outputs[name][0, 0] != 0:  # scores of seven classes
        return None
    return OutputDecoding(
        reason=f"{shape_of(name, info.outputs[name])}: rows of image, x1, y1, x2, y2, class, score",
        outputs=(name,),
        decode=decode_yolov7,
        preprocessing=PREPROCESSING,
        suppressed=True,
        batched=False,
    )


def _counted(info: ModelInfo) -> OutputDecoding | None:
    names = [
        info.find("num_dets"),
        info.find("det_boxes", "boxes"),
        info.find("det_scores", "scores"),
        info.find("det_classes", "labels"),
    ]
    outputs = tuple(name for name in names if name is not None)
    if len(outputs) != len(names) or info.outputs[outputs[1]].ndim != 3:
        return None
    return OutputDecoding(
        reason=f"outputs {', '.join(outputs)}: suppressed in the graph",
        outputs=outputs,
        decode=decode_counted,
        preprocessing=PREPROCESSING,
        suppressed=True,
    )


DECODE = Decode("yolo-e2e", EXPECTS, match)
