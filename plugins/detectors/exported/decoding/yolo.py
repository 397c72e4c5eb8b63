"""YOLO's raw heads, as exported by Ultralytics, before suppression.

    YOLOv5, v7   float [1,N,5+C]   cx, cy, w, h in px; objectness; a score per class
    YOLOv8, 11   float [1,4+C,N]   cx, cy, w, h in px; a score per class

Source: docs.ultralytics.com/modes/export, and `metadata_props` of its exports: `names`, `imgsz`,
`task`. Segmentation appends numbers to the scores, which are ignored.
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
BOX_FIELDS = 4
"""Numbers of a box, before objectness and scores."""


def decode(
    outputs: Outputs, size: Size, *, across: bool, objectness: bool, classes: int
) -> Candidates:
    """FloatArray, and the score and the class of the best one: as Ultralytics reads raw heads.

    Args:
        outputs: one, [1,N,F] or, if `across`, [1,F,N].
        size: of the input; not used, the boxes are in px of it.
        across: whether each column is a box, rather than each row.
        objectness: whether the fifth number is the probability of an object, with which the
            scores of the classes are multiplied.
        classes: number of scores that follow.
    """
    del size
    rows = outputs[0][0].T if across else outputs[0][0]
    first = BOX_FIELDS + objectness
    scores = rows[:, first : first + classes]
    if objectness:
        scores = scores * rows[:, BOX_FIELDS : BOX_FIELDS + 1]
    return best_class(corners(rows[:, :BOX_FIELDS]), scores)


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such a head by its shape."""
    heads = info.floats(3)
    if len(heads) != 1 or info.takes_uint8 or is_joined(info):
        return None
    name = heads[0]
    _, rows, columns = info.outputs[name].shape
    across = columns > rows
    fields, count = (rows, columns) if across else (columns, rows)
    cells = count_cells(info.size)
    if fields <= BOX_FIELDS or is_end_to_end(fields, count, cells, across):
        return None
    if info.properties.get("task") == "obb":
        raise ModelError("it finds rotated boxes (task='obb'), which vidan does not support")
    classes = info.max_label
    objectness = not across if classes is None else fields == classes + 5
    if objectness and count == cells:
        raise ModelError(
            f"{shape_of(name, info.outputs[name])} has one box per cell, and objectness: "
            "YOLOX, whose boxes vidan cannot decode; or YOLOv6: export that end to end"
        )
    if classes is None:
        classes = fields - BOX_FIELDS - objectness
    if classes < 1 or fields < BOX_FIELDS + objectness + classes:
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
    """Whether rows of six numbers are xyxy, score and class: see `yolo_e2e`."""
    return not across and fields == 6 and count <= 1000 and count not in (cells, 3 * cells)


def count_cells(size: Size) -> int:
    """Number of grid cells at YOLO's strides."""
    return sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)


DECODE = Decode("yolo", EXPECTS, match)
