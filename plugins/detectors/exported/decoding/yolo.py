"""YOLO's raw heads, as Ultralytics exports them: nothing is suppressed yet.

    YOLOv5, v7   float [1,N,5+C]   cx, cy, w, h in px; objectness; a score for each class
    YOLOv8, 11   float [1,4+C,N]   cx, cy, w, h in px; a score for each class

Source: docs.ultralytics.com/modes/export, and `metadata_props` of its exports: `names`, `imgsz`,
`task`. Segmentation adds numbers behind the scores, which are left alone.
"""

from __future__ import annotations

from functools import partial

from vidan.errors import ModelError

from ...preprocess import Preprocessing
from .base import (
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    best_class,
    corners,
    shape_of,
)
from .detr import is_joined

EXPECTS = "one output [1,N,5+C] (YOLOv5) or [1,4+C,N] (YOLOv8, 11), cx, cy, w, h in px"
STRIDES = (8, 16, 32)
PREPROCESSING = Preprocessing(letterbox="center")
SMALLEST = 4  # columns before the scores


def decode(
    outputs: Outputs, size: Size, *, across: bool, objectness: bool, classes: int
) -> Candidates:
    """FloatArray, and the score and the class of the best one: as Ultralytics reads raw heads.

    Args:
        outputs: one, [1,N,F] or, if `across`, [1,F,N].
        size: of the input; the boxes are in px of it already.
        across: whether each column is a box, rather than each row.
        objectness: whether the fifth number says how likely there is an object at all. The
            scores are its product with those of the classes.
        classes: how many scores follow.
    """
    del size
    rows = outputs[0][0].T if across else outputs[0][0]
    first = SMALLEST + objectness
    scores = rows[:, first : first + classes]
    if objectness:
        scores = scores * rows[:, SMALLEST : SMALLEST + 1]
    return best_class(corners(rows[:, :SMALLEST]), scores)


def match(info: ModelInfo) -> OutputDecoding | None:
    """Whether a model has such a head, and which."""
    heads = info.floats(3)
    if len(heads) != 1 or info.takes_uint8 or is_joined(info):
        return None
    name = heads[0]
    _, rows, columns = info.outputs[name].shape
    across = columns > rows
    fields, count = (rows, columns) if across else (columns, rows)
    cells = _cells(info.size)
    if fields <= SMALLEST or is_end_to_end(fields, count, cells, across):
        return None
    if info.properties.get("task") == "obb":
        raise ModelError("it finds rotated boxes (task='obb'), which vidan does not have")
    classes = info.max_label
    objectness = not across if classes is None else fields == classes + 5
    if objectness and count == cells:
        raise ModelError(
            f"{shape_of(name, info.outputs[name])} has one box in each cell, and objectness: "
            "YOLOX, whose boxes vidan cannot decode; or YOLOv6: export that end to end"
        )
    if classes is None:
        classes = fields - SMALLEST - objectness
    if classes < 1 or fields < SMALLEST + objectness + classes:
        return None
    return OutputDecoding(
        reason=f"{shape_of(name, info.outputs[name])}: {count} boxes of cx, cy, w, h, "
        f"{'objectness, ' if objectness else ''}{classes} scores",
        outputs=(name,),
        decode=partial(decode, across=across, objectness=objectness, classes=classes),
        preprocessing=PREPROCESSING,
        max_label=classes,
    )


def is_end_to_end(fields: int, count: int, cells: int, across: bool) -> bool:
    """Whether rows of six are xyxy, score, class of few boxes: see `yolo_e2e`."""
    return not across and fields == 6 and count <= 1000 and count not in (cells, 3 * cells)


def _cells(size: Size) -> int:
    """How many cells there are at YOLO's strides."""
    return sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)


DECODE = Decode("yolo", EXPECTS, match)
