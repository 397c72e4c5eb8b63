"""PicoDet and other models of PaddleDetection, through paddle2onnx.

    with NMS        float [K,6]: class from 0, score, x1, y1, x2, y2 in px; and int [1], how many
    without NMS     boxes float [1,N,4] xyxy in px, scores float [1,C,N]
    heads only      float [1,n,C] and [1,n,32] for each stride from 8 to 64: see `nanodet`

Boxes are in px of the original image, by the input `scale_factor`, which is 1 here. Sources:
ppdet/modeling/heads/pico_head.py and deploy/README.md in PaddlePaddle/PaddleDetection.
"""

from __future__ import annotations

from .base import (
    IMAGENET,
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    are_boxes,
    class_ids,
    shape_of,
)
from .grid import STRIDES_4
from .nanodet import match_separate

EXPECTS = (
    "outputs [K,6] (class, score, x1, y1, x2, y2 in px) and the number of rows; or boxes [1,N,4] "
    "and scores [1,C,N]; or [1,n,C] and [1,n,32] for each stride from 8 to 64"
)
FIELDS = 6
IMAGES = "images as PicoDet takes them; PP-YOLOE+ takes 0 to 1 with mean=0 std=1"


def decode_rows(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of rows [K,6] and their number [1]."""
    del size
    rows = outputs[0][: int(outputs[1].reshape(-1)[0])]
    rows = rows[rows[:, 0] >= 0]
    return Candidates(rows[:, 2:], rows[:, 1], class_ids(rows[:, 0]))


def decode_raw(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of boxes [1,N,4] and scores [1,C,N]."""
    del size
    return Candidates(outputs[0][0], outputs[1][0].T)


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such outputs."""
    if info.takes_integers:
        return None
    return _rows(info) or _raw(info) or match_separate(info, STRIDES_4, IMAGENET)


def _rows(info: ModelInfo) -> OutputDecoding | None:
    rows, counts = info.floats(2), info.integers()
    if len(rows) != 1 or len(counts) != 1 or len(info.outputs) != 2:
        return None
    if info.outputs[rows[0]].shape[1] != FIELDS or info.outputs[counts[0]].size != 1:
        return None
    return OutputDecoding(
        reason=f"{shape_of(rows[0], info.outputs[rows[0]])}: rows of class, score, x1, y1, x2, y2",
        outputs=(rows[0], counts[0]),
        decode=decode_rows,
        preprocessing=IMAGENET,
        suppressed=True,
        batched=False,
        guess=IMAGES,
    )


def _raw(info: ModelInfo) -> OutputDecoding | None:
    names = info.floats(3)
    if len(names) != 2 or len(info.outputs) != 2:
        return None
    boxes = [n for n in names if info.outputs[n].shape[2] == 4 and are_boxes(info.outputs[n][0])]
    scores = [name for name in names if name not in boxes]
    if len(boxes) != 1 or info.outputs[scores[0]].shape[2] != info.outputs[boxes[0]].shape[1]:
        return None
    array = info.outputs[scores[0]]
    return OutputDecoding(
        reason=f"{shape_of(boxes[0], info.outputs[boxes[0]])} and {shape_of(scores[0], array)}",
        outputs=(boxes[0], scores[0]),
        decode=decode_raw,
        preprocessing=IMAGENET,
        max_label=array.shape[1],
        guess=IMAGES,
    )


DECODE = Decode("picodet", EXPECTS, match)
