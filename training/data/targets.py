"""Training targets: which anchor is responsible for which box."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vidan.boxes import area, iou

from ..arrays import BoolArray, FloatArray
from ..model.anchors import encode
from .sample import BACKGROUND, IGNORED, Objects

# EfficientDet gives a box that no anchor fits well a single anchor. Faces smaller than the
# smallest anchor would then contribute a tenth of what a large face contributes.
DEFAULT_MIN_ANCHORS = 3
MIN_FORCED_IOU = 0.2
"""IoU that an anchor beyond the best one needs to be assigned to a box despite a poor fit."""


class Matching(NamedTuple):
    """Rules that assign anchors to boxes.

    Attributes:
        positive: IoU from which an anchor belongs to a box, in [0,1].
        negative: IoU below which an anchor is background, in [0,1]; anchors in between are
            ignored.
        min_anchors: every box gets this many anchors if as many reach `MIN_FORCED_IOU`, and
            always its best one.
    """

    positive: float = 0.5
    negative: float = 0.4
    min_anchors: int = DEFAULT_MIN_ANCHORS


def assign_targets(
    objects: Objects, anchors: FloatArray, matching: Matching
) -> tuple[FloatArray, FloatArray]:
    """Compute the targets of one image.

    Args:
        objects: the boxes of the image; `IGNORED` ones are neither right nor wrong to find.
        anchors: (A,4) xyxy, px.
        matching: rules of the assignment.

    Returns:
        Class targets (A,2) and box targets (A,5), float32, as `fit.losses` expects them.
    """
    class_targets = np.full((len(anchors), 2), (BACKGROUND, 1), np.float32)
    box_targets = np.zeros((len(anchors), 5), np.float32)
    ignored = objects.classes == IGNORED
    class_targets[mostly_covered(anchors, objects.boxes[ignored]), 0] = IGNORED
    boxes, classes, weights = (values[~ignored] for values in objects)
    if len(boxes) == 0:
        return class_targets, box_targets
    overlap = iou(anchors, boxes)  # (A,M)
    best, value = overlap.argmax(axis=1), overlap.max(axis=1)
    class_targets[value >= matching.negative, 0] = IGNORED
    owner = np.where(value >= matching.positive, best, -1)  # (A,) row of the box, -1 for none
    # Smallest boxes last: with the fewest anchors to choose from, they override the others.
    for m in np.argsort(-area(boxes), kind="stable"):
        nearest = np.argsort(-overlap[:, m], kind="stable")[: matching.min_anchors]
        owner[nearest[overlap[nearest, m] >= MIN_FORCED_IOU]] = m
        owner[nearest[0]] = m
    positive = owner >= 0
    class_targets[positive, 0] = classes[owner[positive]]
    class_targets[positive, 1] = weights[owner[positive]]
    box_targets[positive, :4] = encode(boxes[owner[positive]], anchors[positive])
    box_targets[positive, 4] = weights[owner[positive]]
    return class_targets, box_targets


def mostly_covered(anchors: FloatArray, boxes: FloatArray) -> BoolArray:
    """(A,): whether more than half of an anchor lies in one of the boxes (M,4)."""
    if len(boxes) == 0:
        return np.zeros(len(anchors), bool)
    size = np.minimum(anchors[:, None, 2:], boxes[None, :, 2:]) - np.maximum(
        anchors[:, None, :2], boxes[None, :, :2]
    )
    inside = np.maximum(size, 0).prod(axis=-1)  # (A,M)
    return np.asarray((inside > 0.5 * area(anchors)[:, None]).any(axis=1))
