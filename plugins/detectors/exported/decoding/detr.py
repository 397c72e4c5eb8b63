"""DETR and its successors: a set of boxes, one per object, nothing to suppress.

    logits      float [1,Q,C]   RT-DETR, Deformable DETR: a sigmoid for each class
                float [1,Q,C+1] DETR: softmax, the last class is "no object"
    pred_boxes  float [1,Q,4]   cx, cy, w, h in fractions of the input
    labels      float [1,Q,C+1] RF-DETR's own export: a sigmoid for each class; the last column is
                                not used, unless the metadata names it;
                                or the columns are COCO's ids
    dets        float [1,Q,4]   its boxes

Ultralytics exports one output with final scores: [1,Q,4+C], or in recent releases (8.4.190)
[1,Q,6], cx, cy, w, h, score, class from 0. Sources: Carion et al., "End-to-End
Object Detection with Transformers", arXiv 2005.12872; Zhao et al., "DETRs Beat YOLOs on
Real-time Object Detection", arXiv 2304.08069; huggingface.co/docs/transformers, `detr` and
`rt_detr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from vidan.errors import ModelError

from ...preprocess import Preprocessing
from .base import (
    IMAGENET,
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    best_class,
    class_ids,
    corners,
    in_px,
    shape_of,
    sigmoid,
    softmax,
)

EXPECTS = "outputs logits [1,Q,C] and pred_boxes [1,Q,4], cx, cy, w, h in fractions of the input"
COCO = {92: (True, 0), 91: (False, 0), 90: (False, 1), 80: (False, 1)}
"""Models for COCO by number of columns: whether the last is "no object"; label of the first."""

COCO_IDS = 91
"""Columns of a model whose columns are COCO's ids from 0."""

WITH_SIGMOID = Preprocessing(letterbox="stretch")


def decode_but_last(outputs: Outputs, size: Size) -> Candidates:
    """Boxes and scores of logits [1,Q,C+1], of which the last is not used, and boxes [1,Q,4]."""
    boxes, scores, _ = decode(outputs, size)
    return Candidates(boxes, scores[:, :-1])


def decode(outputs: Outputs, size: Size, *, no_object: bool = False) -> Candidates:
    """Boxes and scores of logits [1,Q,C] and boxes [1,Q,4].

    Args:
        outputs: these two.
        size: of the input.
        no_object: whether to use a softmax whose last class is "no object", not sigmoids.
    """
    logits, boxes = outputs[0][0], in_px(corners(outputs[1][0]), size)
    if no_object:
        return best_class(boxes, softmax(logits)[:, :-1])
    return Candidates(boxes, sigmoid(logits))


def decode_joined(outputs: Outputs, size: Size) -> Candidates:
    """Boxes and scores of one output [1,Q,4+C]."""
    rows = outputs[0][0]
    return Candidates(in_px(corners(rows[:, :4]), size), rows[:, 4:])


def decode_best(outputs: Outputs, size: Size) -> Candidates:
    """FloatArray, scores and classes of one output [1,Q,6]."""
    rows = outputs[0][0]
    return Candidates(in_px(corners(rows[:, :4]), size), rows[:, 4], class_ids(rows[:, 5]))


def is_joined(info: ModelInfo) -> bool:
    """Whether a model is an RT-DETR exported by Ultralytics, by its metadata."""
    return "detr" in info.properties.get("description", "").lower()


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize outputs of logits and boxes."""
    if info.takes_integers:
        return None
    if is_joined(info):
        return _joined(info)
    logits, boxes = info.find("logits", "pred_logits"), info.find("pred_boxes", "boxes")
    if logits is None or boxes is None:
        return _rf_detr(info)
    scores = info.outputs[logits]
    if scores.ndim != 3 or info.outputs[boxes].shape != (*scores.shape[:2], 4):
        return None
    columns = scores.shape[2]
    no_object, first = _meaning(columns, info.labels)
    kind = "softmax, the last class is no object" if no_object else "a sigmoid each"
    return OutputDecoding(
        reason=f"{shape_of(logits, scores)} ({kind}) and {shape_of(boxes, info.outputs[boxes])}",
        outputs=(logits, boxes),
        decode=partial(decode, no_object=no_object),
        preprocessing=IMAGENET if no_object else WITH_SIGMOID,
        max_label=columns - no_object - 1 + first,
        first_label=first,
        suppressed=True,
    )


def _rf_detr(info: ModelInfo) -> OutputDecoding | None:
    boxes, logits = info.find("dets"), info.find("labels")
    if boxes is None or logits is None or logits not in info.floats(3):
        return None
    array = info.outputs[logits]
    if info.outputs[boxes].shape != (*array.shape[:2], 4):
        return None
    columns = array.shape[2]
    own = None if info.own_labels is None else max(info.own_labels)
    ids = columns == COCO_IDS and info.max_label in (None, COCO_IDS - 1)
    unused = not ids and columns != own
    return OutputDecoding(
        reason=f"{shape_of(logits, array)} (a sigmoid each"
        f"{', by COCO ids' if ids else ', the last is not used' if unused else ''}) and "
        f"{shape_of(boxes, info.outputs[boxes])}, of RF-DETR",
        outputs=(logits, boxes),
        decode=decode_but_last if unused else decode,
        preprocessing=IMAGENET,
        max_label=columns - unused - ids,
        first_label=0 if ids else 1,
        suppressed=True,
    )


def _joined(info: ModelInfo) -> OutputDecoding | None:
    heads = info.floats(3)
    if len(heads) != 1 or info.outputs[heads[0]].shape[2] <= 4:
        return None
    array = info.outputs[heads[0]]
    # Whole numbers are classes. A sigmoid never yields them, so that two scores are not mistaken
    # for a score and a class.
    best = array.shape[2] == 6 and not (array[..., 5] % 1).any()
    rows = "cx, cy, w, h, score, class" if best else f"cx, cy, w, h, {array.shape[2] - 4} scores"
    return OutputDecoding(
        reason=f"{shape_of(heads[0], array)}: rows of {rows}, from an RT-DETR by Ultralytics",
        outputs=(heads[0],),
        decode=decode_best if best else decode_joined,
        preprocessing=WITH_SIGMOID,
        max_label=None if best else array.shape[2] - 4,
        suppressed=True,
    )


def _meaning(columns: int, labels: Mapping[int, str] | None) -> tuple[bool, int]:
    """Whether the last column is "no object", and the number of the first column's label.

    Labels with gaps between their numbers are COCO's: the columns are then the ids, from 0.

    Raises:
        ModelError: neither the labels nor COCO settle it.
    """
    if labels is None:
        known = COCO
    else:
        most = max(labels)
        known = {most + 1: (True, 1), most: (False, 1)}
        if len(labels) < most:
            known = {most + 2: (True, 0), most + 1: (False, 0), most: (False, 1)}
    if columns not in known:
        have = "no labels" if labels is None else f"{len(labels)} labels"
        raise ModelError(
            f"its logits have {columns} columns, the last of which may be a class or no object, "
            f"and there are {have}: set detector.labels=<its file>, whose length settles it"
        )
    return known[columns]


DECODE = Decode("detr", EXPECTS, match)
