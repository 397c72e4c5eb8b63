"""SSD, RetinaNet, Faster R-CNN and similar models whose graph decodes the boxes.

    torchvision   boxes float [K,4], labels int64 [K] (1 is the first class), scores float [K]
    model zoo     boxes float [1,K,4], labels int64 [1,K], scores float [1,K]
    RT-DETR, D-FINE as exported by their authors: the same with labels from 0, and a second input
                  `orig_target_sizes`
    raw           boxes float [1,N,4], scores float [1,N,C+1], the background first
    Caffe         float [1,1,K,7]: image id, class, score, x1, y1, x2, y2
    OpenVINO      boxes float [K,5], the last number being the score, labels int [K] (from 0)

Boxes are xyxy, in px of the input or in fractions of it. The largest number tells which: the
boxes of an image never all lie within its first two px. Sources: torchvision.models.detection;
github.com/onnx/models, ssd; DetectionOutput in Caffe's SSD branch.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from vidan.boxes import FloatArray

from ...preprocess import Preprocessing
from .base import Candidates, Decode, ModelInfo, OutputDecoding, Outputs, Size, in_px, shape_of

EXPECTS = (
    "outputs boxes [K,4], labels [K] (whole numbers) and scores [K], with or without a batch of "
    "one; or boxes [1,N,4] and scores [1,N,C+1]; or one [1,1,K,7]"
)
MAX_FRACTION = 2.0
"""Largest coordinate of boxes in fractions of the input; they may reach beyond it a little."""

PREPROCESSING = Preprocessing(letterbox="stretch")
OPENVINO = Preprocessing(letterbox="stretch", channels="bgr", scale=255.0)
ORIGINAL_SIZES = "orig_target_sizes"


def decode(outputs: Outputs, size: Size, *, background: bool) -> Candidates:
    """Candidates of boxes (K,4), labels (K,) and scores (K,), a batch of one or none.

    Args:
        outputs: these three.
        size: of the input.
        background: whether label 0 is the background, which is not an object.
    """
    boxes, labels, scores = outputs[0].reshape(-1, 4), outputs[1].reshape(-1), outputs[2]
    kept = labels >= int(background)
    ids = labels[kept].astype(np.int64)
    return Candidates(to_px(boxes, size)[kept], scores.reshape(-1)[kept], ids)


def decode_raw(outputs: Outputs, size: Size, *, background: bool) -> Candidates:
    """Candidates of boxes [1,N,4] and scores [1,N,C], with or without a background first."""
    boxes, scores = outputs[0][0], outputs[1][0]
    return Candidates(to_px(boxes, size), scores[:, int(background) :])


def decode_rows(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of Caffe's [1,1,K,7]; an image id of -1 ends them."""
    rows = outputs[0][0, 0]
    rows = rows[rows[:, 0] >= 0]
    return Candidates(to_px(rows[:, 3:], size), rows[:, 2], rows[:, 1].astype(np.int64))


def to_px(boxes: FloatArray, size: Size) -> FloatArray:
    """Boxes (K,4) in px of the input, converted if they are in fractions of it."""
    finite = boxes[np.isfinite(boxes)]
    relative = finite.size > 0 and np.abs(finite).max() <= MAX_FRACTION
    return in_px(boxes, size) if relative else boxes


def decode_scored(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of boxes [K,5] with their scores, and labels [K], a batch of one or none."""
    rows, labels = outputs[0].reshape(-1, 5), outputs[1].reshape(-1)
    kept = labels >= 0
    return Candidates(to_px(rows[:, :4], size)[kept], rows[kept, 4], labels[kept].astype(np.int64))


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize boxes with labels and scores, or with scores per class."""
    return _rows(info) or _scored(info) or _labeled(info) or _raw(info)


def _scored(info: ModelInfo) -> OutputDecoding | None:
    labels = [n for n, a in info.outputs.items() if a.ndim in (1, 2) and a.dtype.kind == "i"]
    if len(labels) != 1:
        return None
    shape = info.outputs[labels[0]].shape
    boxes = [n for n in info.floats(len(shape) + 1) if info.outputs[n].shape == (*shape, 5)]
    if len(boxes) != 1:
        return None
    return OutputDecoding(
        reason=f"boxes with scores {boxes[0]} and labels {labels[0]} (from 0): suppressed in the "
        "graph",
        outputs=(boxes[0], labels[0]),
        decode=decode_scored,
        preprocessing=OPENVINO,
        first_label=1,
        suppressed=True,
        batched=len(shape) == 2,
    )


def _labeled(info: ModelInfo) -> OutputDecoding | None:
    labels = [n for n, a in info.outputs.items() if a.ndim in (1, 2) and a.dtype.kind == "i"]
    if len(labels) != 1:
        return None
    shape = info.outputs[labels[0]].shape
    boxes = [n for n in info.floats(len(shape) + 1) if info.outputs[n].shape == (*shape, 4)]
    scores = [n for n in info.floats(len(shape)) if info.outputs[n].shape == shape]
    if len(boxes) != 1 or len(scores) != 1:
        return None
    from_zero = ORIGINAL_SIZES in info.signature.inputs
    return OutputDecoding(
        reason=f"boxes {boxes[0]}, labels {labels[0]} (from {0 if from_zero else 1}) and scores "
        f"{scores[0]}: suppressed in the graph",
        outputs=(boxes[0], labels[0], scores[0]),
        decode=partial(decode, background=not from_zero),
        preprocessing=PREPROCESSING,
        first_label=int(from_zero),
        suppressed=True,
    )


def _raw(info: ModelInfo) -> OutputDecoding | None:
    arrays = info.floats(3)
    boxes = [n for n in arrays if info.outputs[n].shape[2] == 4 and "score" not in n]
    others = any("logits" in name or "detection" in name for name in arrays)  # detr and tfod
    if len(arrays) != 2 or not boxes or others:
        return None
    scores = next((name for name in arrays if name != boxes[0]), boxes[0])
    if info.outputs[boxes[0]].shape[:2] != info.outputs[scores].shape[:2]:
        return None
    columns = info.outputs[scores].shape[2]
    background = columns > 1 and columns != info.max_label
    seen = "the background first" if background else "no background"
    return OutputDecoding(
        reason=f"{shape_of(boxes[0], info.outputs[boxes[0]])} and "
        f"{shape_of(scores, info.outputs[scores])}, {seen}",
        outputs=(boxes[0], scores),
        decode=partial(decode_raw, background=background),
        preprocessing=PREPROCESSING,
        max_label=columns - background,
    )


def _rows(info: ModelInfo) -> OutputDecoding | None:
    arrays = info.floats(4)
    if len(arrays) != 1 or len(info.outputs) != 1:
        return None
    shape = info.outputs[arrays[0]].shape
    if shape[:2] != (1, 1) or shape[3] != 7:
        return None
    return OutputDecoding(
        reason=f"{shape_of(arrays[0], info.outputs[arrays[0]])}: rows of image id, class, score, "
        "x1, y1, x2, y2",
        outputs=(arrays[0],),
        decode=decode_rows,
        preprocessing=PREPROCESSING,
        first_label=0,
        suppressed=True,
    )


DECODE = Decode("ssd", EXPECTS, match)
