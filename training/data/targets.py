"""Which anchor is responsible for which box."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vidan.boxes import area, iou

from ..arrays import BoolArray, FloatArray, IntArray
from ..model.anchors import encode
from .sample import BACKGROUND, IGNORED

# Anchors kept for a box that no anchor fits well. EfficientDet keeps one; faces smaller than the
# smallest anchor would then count a tenth of a large face.
AT_LEAST = 3
LOWEST_IOU = 0.2


class Matching(NamedTuple):
    """When an anchor is responsible for a box.

    Attributes:
        positive: IoU from which an anchor belongs to a box.
        negative: IoU below which an anchor is background; between the two it does not count.
        at_least: anchors of each box, if as many overlap it by `LOWEST_IOU`.
    """

    positive: float = 0.5
    negative: float = 0.4
    at_least: int = AT_LEAST


def assign(
    boxes: FloatArray,
    classes: IntArray,
    anchors: FloatArray,
    matching: Matching,
) -> tuple[FloatArray, FloatArray]:
    """Targets of one image.

    Args:
        boxes: (M,4) xyxy px.
        classes: (M,); `IGNORED` for boxes that are neither right nor wrong to find.
        anchors: (A,4) xyxy px.
        matching: when an anchor is responsible for a box.

    Returns:
        Class targets (A,1) and box targets (A,5) float32, as `losses` wants them.
    """
    class_targets = np.full((len(anchors), 1), BACKGROUND, np.float32)
    box_targets = np.zeros((len(anchors), 5), np.float32)
    ignored, boxes, classes = (
        boxes[classes == IGNORED],
        boxes[classes != IGNORED],
        classes[classes != IGNORED],
    )
    class_targets[covered(anchors, ignored)] = IGNORED
    if len(boxes) == 0:
        return class_targets, box_targets
    overlap = iou(anchors, boxes)  # (A,M)
    best, value = overlap.argmax(axis=1), overlap.max(axis=1)
    class_targets[value >= matching.negative] = IGNORED
    owner = np.where(value >= matching.positive, best, -1)  # (A,) index of the box, -1 none
    # Smallest boxes last: they have the fewest anchors to choose from, so they choose last word.
    for m in np.argsort(-area(boxes), kind="stable"):
        nearest = np.argsort(-overlap[:, m], kind="stable")[: matching.at_least]
        owner[nearest[overlap[nearest, m] >= LOWEST_IOU]] = m
        owner[nearest[0]] = m
    mine = owner >= 0
    class_targets[mine, 0] = classes[owner[mine]]
    box_targets[mine, :4] = encode(boxes[owner[mine]], anchors[mine])
    box_targets[mine, 4] = 1
    return class_targets, box_targets


def covered(anchors: FloatArray, boxes: FloatArray) -> BoolArray:
    """(A,): more than half of the anchor lies in one of the boxes (M,4)."""
    if len(boxes) == 0:
        return np.zeros(len(anchors), bool)
    size = np.minimum(anchors[:, None, 2:], boxes[None, :, 2:]) - np.maximum(
        anchors[:, None, :2], boxes[None, :, :2]
    )
    inside = np.maximum(size, 0).prod(axis=-1)  # (A,M)
    return np.asarray((inside > 0.5 * area(anchors)[:, None]).any(axis=1))
