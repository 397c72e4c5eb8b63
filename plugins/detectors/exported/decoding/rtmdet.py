"""RTMDet, and other models of MMDetection through MMDeploy.

    end to end     dets float [1,K,5] x1, y1, x2, y2 in px, score; labels int [1,K] from 0
    heads only     float [1,C,h,w] logits and [1,4,h,w] distances in px, at strides 8, 16, 32

Sources: rtmdet_head.py in open-mmlab/mmdetection, whose configuration has the images; MMDeploy's
docs/en/06-custom-ops and configs/mmdet/detection.
"""

from __future__ import annotations

from dataclasses import replace

from .base import (
    IMAGENET_BGR,
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    shape_of,
    sigmoid,
)
from .grid import STRIDES, around, cells, grid_shape, joined, rows
from .ssd import decode_scored

EXPECTS = (
    "outputs dets [1,K,5] and labels [1,K] (whole numbers); or [1,C,h,w] and [1,4,h,w] at strides "
    "8, 16 and 32"
)
PREPROCESSING = replace(IMAGENET_BGR, letterbox="corner")
IMAGES = "images as RTMDet takes them; other models of MMDetection differ"


def decode_heads(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of logits of the three strides, then of distances."""
    logits, distances = joined([rows(each) for each in outputs])
    return Candidates(around(cells(size).corners, distances), sigmoid(logits))


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such outputs."""
    return None if info.takes_integers else _scored(info) or _heads(info)


def _scored(info: ModelInfo) -> OutputDecoding | None:
    boxes, labels = info.find("dets"), info.find("labels")
    if boxes is None or labels is None or labels not in info.integers():
        return None
    if info.outputs[boxes].shape != (*info.outputs[labels].shape, 5):
        return None
    return OutputDecoding(
        reason=f"{shape_of(boxes, info.outputs[boxes])} with scores, and labels from 0: suppressed "
        "in the graph",
        outputs=(boxes, labels),
        decode=decode_scored,
        preprocessing=PREPROCESSING,
        suppressed=True,
        guess=IMAGES,
    )


def _heads(info: ModelInfo) -> OutputDecoding | None:
    names = info.floats(4)
    if len(names) != 2 * len(STRIDES) or len(info.outputs) != len(names):
        return None
    boxes = [n for n in names if info.outputs[n].shape[1] == 4][-len(STRIDES) :]
    scores = [name for name in names if name not in boxes]
    sizes = [grid_shape(info.size, stride) for stride in STRIDES]
    for part in (boxes, scores):
        part.sort(key=lambda name: -info.outputs[name].shape[2])
        if [info.outputs[name].shape[2:] for name in part] != sizes:
            return None
    classes = info.outputs[scores[0]].shape[1]
    return OutputDecoding(
        reason=f"3 outputs of {classes} logits and 3 of distances, at strides 8, 16 and 32",
        outputs=(*scores, *boxes),
        decode=decode_heads,
        preprocessing=PREPROCESSING,
        max_label=classes,
    )


DECODE = Decode("rtmdet", EXPECTS, match)
