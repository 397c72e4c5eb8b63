"""End-to-end YOLO: YOLOv10, or any model of Ultralytics exported with `nms=True`.

    float [1,K,6]   x1, y1, x2, y2 in px of the input, score, class from 0; unused rows score 0

Source: docs.ultralytics.com/modes/export and the exports of github.com/THU-MIG/yolov10.
"""

from __future__ import annotations

import numpy as np

from ...preprocess import Preprocessing
from .base import Candidates, Decode, ModelInfo, OutputDecoding, Outputs, Size, shape_of
from .detr import is_joined
from .yolo import count_cells, is_end_to_end

EXPECTS = "one output [1,K,6]: x1, y1, x2, y2 in px, score, class from 0"
PREPROCESSING = Preprocessing(letterbox="center")


def decode(outputs: Outputs, size: Size) -> Candidates:
    """FloatArray, scores and classes of one output [1,K,6]."""
    del size
    rows = outputs[0][0]
    return Candidates(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64))


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such rows."""
    heads = info.floats(3)
    if len(heads) != 1 or info.takes_uint8 or is_joined(info):
        return None
    array = info.outputs[heads[0]]
    _, count, fields = array.shape
    if not is_end_to_end(fields, count, count_cells(info.size), across=False):
        return None
    return OutputDecoding(
        reason=f"{shape_of(heads[0], array)}: rows of x1, y1, x2, y2, score, class",
        outputs=(heads[0],),
        decode=decode,
        preprocessing=PREPROCESSING,
        suppressed=True,
    )


DECODE = Decode("yolo-e2e", EXPECTS, match)
