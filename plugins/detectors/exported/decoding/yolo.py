"""YOLO's raw heads, as exported by Ultralytics, before suppression.

    YOLOv5, v7   float [1,N,5+C]   cx, cy, w, h in px; objectness; a score per class
    YOLOv8, 11   float [1,4+C,N]   cx, cy, w, h in px; a score per class

Source: docs.ultralytics.com/modes/export, and `metadata_props` of its exports: `names`, `imgsz`,
`task`. Segmentation and pose append numbers to the scores, which are ignored; how many follows from
the metadata and the other outputs, never from the labels that the user gives. TFLite files have
the boxes in fractions of the input.
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
    to_px,
)
from .detr import is_joined
from .grid import STRIDES_4, count_cells
from .ultralytics import extra_fields, head, is_end_to_end
from .yolox import has_constant_objectness

EXPECTS = "one output [1,N,5+C] (YOLOv5) or [1,4+C,N] (YOLOv8, 11), cx, cy, w, h in px"
PREPROCESSING = Preprocessing(letterbox="center")
BOX_FIELDS = 4
"""Numbers of a box, before objectness and scores."""


def decode(
    outputs: Outputs, size: Size, *, across: bool, objectness: bool, classes: int
) -> Candidates:
    """Boxes, and the score and the class of the best one: as Ultralytics reads raw heads.

    Args:
        outputs: one, [1,N,F] or, if `across`, [1,F,N].
        size: of the input.
        across: whether each column is a box, rather than each row.
        objectness: whether the fifth number is the probability of an object, with which the
            scores of the classes are multiplied.
        classes: number of scores that follow.
    """
    rows = outputs[0][0].T if across else outputs[0][0]
    first = BOX_FIELDS + objectness
    scores = rows[:, first : first + classes]
    if objectness:
        scores = scores * rows[:, BOX_FIELDS : BOX_FIELDS + 1]
    return best_class(corners(to_px(rows[:, :BOX_FIELDS], size)), scores)


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such a head by its shape, its metadata and the other outputs."""
    name = head(info)
    if name is None or info.takes_integers or is_joined(info) or is_end_to_end(info):
        return None
    _, rows, columns = info.outputs[name].shape
    across = columns > rows
    fields, count = (rows, columns) if across else (columns, rows)
    if fields <= BOX_FIELDS or (not across and has_rows_of_six(info, fields, count)):
        return None
    numbers = fields - BOX_FIELDS - extra_fields(info)
    own = None if info.own_labels is None else max(info.own_labels)
    if own is not None and numbers < own:
        raise ModelError(
            f"{shape_of(name, info.outputs[name])} has {numbers} scores, but its metadata names "
            f"{own} classes: export it again"
        )
    # Numbers beyond the classes in the metadata belong to something else, such as keypoints.
    objectness = not across and numbers != own
    classes = numbers - objectness if own is None else own
    if classes < 1 or not _is_yolo(info, name, across, objectness):
        return None
    surplus = numbers - objectness - classes
    last = "number of each box is" if surplus == 1 else f"{surplus} numbers of each box are"
    return OutputDecoding(
        guess=f"the last {last} no scores" if surplus else "",
        reason=f"{shape_of(name, info.outputs[name])}: {count} boxes of cx, cy, w, h, "
        f"{'objectness, ' if objectness else ''}{classes} scores",
        outputs=(name,),
        decode=partial(decode, across=across, objectness=objectness, classes=classes),
        preprocessing=PREPROCESSING,
        max_label=classes,
    )


def _is_yolo(info: ModelInfo, name: str, across: bool, objectness: bool) -> bool:
    """Whether the numbers of boxes and the scores are those of YOLO, not of a similar head."""
    if across:
        return True
    rows = info.outputs[name][0]
    if len(rows) == count_cells(info.size, STRIDES_4):  # of NanoDet
        return False
    one_per_cell = len(rows) == count_cells(info.size)
    return not (one_per_cell and objectness) or has_constant_objectness(rows)  # or YOLOX


def has_rows_of_six(info: ModelInfo, fields: int, count: int) -> bool:
    """Whether rows are xyxy, score and class: see `yolo_e2e`."""
    told = is_end_to_end(info)
    if told is not None:
        return told
    cells = count_cells(info.size)
    return fields - extra_fields(info) == 6 and count <= 1000 and count not in (cells, 3 * cells)


DECODE = Decode("yolo", EXPECTS, match)
