"""Focal loss for classes, Huber or CIoU for boxes; each divided by the weight of the positives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ..arrays import FloatArray
from ..data.sample import IGNORED
from ..model.box_coder import decode

EPSILON = 1e-7


class FocalLoss(keras.losses.Loss):
    """Sigmoid focal loss (Lin et al. 2017, arXiv 1708.02002, equation 5).

    Targets are (N,A,2): a class index, `BACKGROUND` or `IGNORED`, and the weight of the anchor if
    it is positive; predictions are logits (N,A,C).

    Args:
        classes: number of classes, C.
        alpha: weight of positives; the default is EfficientDet's.
        gamma: focusing parameter; the default is EfficientDet's.
        class_weights: (C,) factors of the positives of each class.
    """

    def __init__(
        self,
        classes: int,
        alpha: float = 0.25,
        gamma: float = 1.5,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(name="focal", reduction="sum")
        self.classes, self.alpha, self.gamma = classes, alpha, gamma
        self.class_weights = [1.0] * classes if class_weights is None else list(class_weights)

    def call(self, targets: Any, logits: Any) -> Any:
        """The loss of the batch, a scalar."""
        index = ops.cast(targets[..., 0], "int32")  # (N,A)
        positive = ops.one_hot(ops.maximum(index, 0), self.classes, dtype="float32")
        weight = ops.cast(index >= 0, "float32") * targets[..., 1]  # (N,A), of positives
        positive = positive * ops.cast(index >= 0, "float32")[..., None]  # (N,A,C)
        # softplus, log(1 + e^x), computes the cross-entropy from logits without overflow.
        p = ops.sigmoid(logits)
        hit = self.alpha * (1 - p) ** self.gamma * ops.softplus(-logits)
        false_alarm = (1 - self.alpha) * p**self.gamma * ops.softplus(logits)
        factors = weight[..., None] * ops.array(self.class_weights, dtype="float32")
        loss = positive * factors * hit + (1 - positive) * false_alarm
        counted = ops.cast(index != IGNORED, "float32")[..., None]
        return ops.sum(loss * counted) / _at_least_one(ops.sum(weight))


class HuberLoss(keras.losses.Loss):
    """Huber loss, averaged over the four codes of a box.

    Targets are (N,A,5): codes, and the weight of a positive anchor, 0 for others; predictions are
    codes (N,A,4).

    Args:
        delta: error at which the loss becomes linear; the default is EfficientDet's.
    """

    def __init__(self, delta: float = 0.1) -> None:
        super().__init__(name="huber", reduction="sum")
        self.delta = delta

    def call(self, targets: Any, codes: Any) -> Any:
        """The loss of the batch, a scalar."""
        error = ops.abs(targets[..., :4] - codes)
        square, line = 0.5 * error**2, self.delta * (error - 0.5 * self.delta)
        loss = ops.mean(ops.where(error <= self.delta, square, line), axis=-1)  # (N,A)
        return _over_positives(loss, targets[..., 4])


class CIoULoss(keras.losses.Loss):
    """Complete IoU (Zheng et al. 2020, arXiv 1911.08287, equations 8 to 11).

    Targets and predictions are those of `HuberLoss`, and are decoded first.

    Args:
        anchors: (A,4) xyxy, px.
    """

    def __init__(self, anchors: FloatArray) -> None:
        super().__init__(name="ciou", reduction="sum")
        self.anchors = anchors

    def call(self, targets: Any, codes: Any) -> Any:
        """The loss of the batch, a scalar."""
        loss = 1 - ciou(decode(targets[..., :4], self.anchors), decode(codes, self.anchors))
        return _over_positives(loss, targets[..., 4])


def ciou(a: Any, b: Any) -> Any:
    """Complete IoU of corresponding boxes (...,4) xyxy px: (...), at most 1."""
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    inside = ops.maximum(
        ops.minimum(a[..., 2:], b[..., 2:]) - ops.maximum(a[..., :2], b[..., :2]), 0.0
    )
    intersection = inside[..., 0] * inside[..., 1]
    union = size_a[..., 0] * size_a[..., 1] + size_b[..., 0] * size_b[..., 1] - intersection
    iou = intersection / (union + EPSILON)
    hull = ops.maximum(a[..., 2:], b[..., 2:]) - ops.minimum(a[..., :2], b[..., :2])
    offset = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    distance = ops.sum(offset**2, -1) / (ops.sum(hull**2, -1) + EPSILON)
    angle_a = ops.arctan2(size_a[..., 0], size_a[..., 1])
    angle_b = ops.arctan2(size_b[..., 0], size_b[..., 1])
    shape = (4 / math.pi**2) * (angle_a - angle_b) ** 2
    weight = ops.stop_gradient(shape / (1 - iou + shape + EPSILON))
    return iou - distance - weight * shape


def _over_positives(loss: Any, weight: Any) -> Any:
    """Weighted mean of a loss (N,A); the weights (N,A) are 0 where an anchor is not positive."""
    # Not only a product: a loss that is not finite must not affect the sum where it does not count.
    loss = ops.where(weight > 0, loss * weight, 0.0)
    return ops.sum(loss) / _at_least_one(ops.sum(weight))


def _at_least_one(count: Any) -> Any:
    return ops.maximum(count, 1.0)
