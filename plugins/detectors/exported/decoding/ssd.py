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

from ....formats.openvino_ir import BACKGROUND_KEY
from ...preprocess import Preprocessing
from .base import (
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    are_boxes,
    class_ids,
    shape_of,
    to_px,
)

EXPECTS = (
    "outputs boxes [K,4], labels [K] (whole numbers) and scores [K], with or without a batch of "
    "one; or boxes [1,N,4] and scores [1,N,C+1]; or one [1,1,K,7]"
)
PREPROCESSING = Preprocessing(letterbox="stretch")
OPENVINO = Preprocessing(letterbox="stretch", channels="bgr", scale=255.0)
ORIGINAL_SIZES = "orig_target_sizes"
DETECTRON = "pred_classes"
"""Name of the labels in Detectron2, which counts from 0."""


def decode(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of boxes (K,4), labels (K,) and scores (K,), a batch of one or none."""
    boxes, labels, scores = outputs[0].reshape(-1, 4), outputs[1].reshape(-1), outputs[2]
    kept = labels >= 0
    ids = class_ids(labels[kept])
    return Candidates(to_px(boxes, size)[kept], scores.reshape(-1)[kept], ids)


def decode_raw(outputs: Outputs, size: Size, *, background: bool) -> Candidates:
    """Candidates of boxes [1,N,4] and scores [1,N,C], with or without a background first."""
    boxes, scores = outputs[0][0], outputs[1][0]
    return Candidates(to_px(boxes, size), scores[:, int(background) :])


def decode_rows(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of Caffe's [1,1,K,7]; an image id of -1 ends them."""
    rows = outputs[0][0, 0]
    rows = rows[rows[:, 0] >= 0]
    return Candidates(to_px(rows[:, 3:], size), rows[:, 2], class_ids(rows[:, 1]))


def decode_scored(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of boxes [K,5] with their scores, and labels [K], a batch of one or none."""
    rows = outputs[0].reshape(-1, 5)
    return decode((rows[:, :4], outputs[1], rows[:, 4]), size)


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize boxes with labels and scores, or with scores per class."""
    return _rows(info) or _scored(info) or _labeled(info) or _raw(info)


def _scored(info: ModelInfo) -> OutputDecoding | None:
    labels = [name for name in info.integers() if info.outputs[name].ndim in (1, 2)]
    if len(labels) != 1:
        return None
    shape = info.outputs[labels[0]].shape
    boxes = [n for n in info.floats(len(shape) + 1) if info.outputs[n].shape == (*shape, 5)]
    if len(boxes) != 1 or info.find("dets") is not None:  # of MMDeploy: see `rtmdet`
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
    labels = [name for name in info.integers() if info.outputs[name].ndim in (1, 2)]
    if len(labels) != 1:
        return None
    shape = info.outputs[labels[0]].shape
    boxes = [n for n in info.floats(len(shape) + 1) if info.outputs[n].shape == (*shape, 4)]
    scores = [n for n in info.floats(len(shape)) if info.outputs[n].shape == shape]
    if len(boxes) != 1 or len(scores) != 1:
        return None
    from_zero, guess = _from_zero(info, labels[0])
    return OutputDecoding(
        reason=f"boxes {boxes[0]}, labels {labels[0]} (from {0 if from_zero else 1}) and scores "
        f"{scores[0]}: suppressed in the graph",
        outputs=(boxes[0], labels[0], scores[0]),
        decode=decode,
        preprocessing=PREPROCESSING,
        first_label=int(from_zero),
        suppressed=True,
        guess=guess,
    )


def _from_zero(info: ModelInfo, labels: str) -> tuple[bool, str]:
    """Whether label 0 is the first class, not the background; what that assumes, if anything."""
    if ORIGINAL_SIZES in info.signature.inputs or labels == DETECTRON:
        return True, ""
    if info.outputs[labels].ndim == 1 or info.find("bboxes") is not None:  # torchvision, MLPerf
        return False, ""
    first = next(iter(info.outputs)) == labels  # as RT-DETR and its kin order them
    return first, f"labels from {int(not first)}; if they are shifted by one: first_id={int(first)}"


def _raw(info: ModelInfo) -> OutputDecoding | None:
    arrays = info.floats(3)
    boxes = [n for n in arrays if info.outputs[n].shape[2] == 4 and "score" not in n]
    others = any(  # detr, tfod and RF-DETR
        "logits" in name or "detection" in name or name == "dets" for name in arrays
    )
    if len(arrays) != 2 or not boxes or others or not are_boxes(info.outputs[boxes[0]][0]):
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
    name = info.only(4)
    if name is None:
        return None
    shape = info.outputs[name].shape
    if shape[:2] != (1, 1) or shape[3] != 7:
        return None
    background = info.properties.get(BACKGROUND_KEY)  # of an OpenVINO IR
    first = 1 if background in (None, "0") else 0
    return OutputDecoding(
        reason=f"{shape_of(name, info.outputs[name])}: rows of image id, class (from {first}), "
        "score, x1, y1, x2, y2",
        outputs=(name,),
        decode=decode_rows,
        preprocessing=PREPROCESSING if background is None else OPENVINO,
        first_label=1 - first,
        suppressed=True,
    )


DECODE = Decode("ssd", EXPECTS, match)
