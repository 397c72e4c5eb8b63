"""Decoding of a network's box codes: the inverse of `anchors.encode`, on tensors."""

from __future__ import annotations

from typing import Any

from keras import ops

from ..arrays import FloatArray

MAX_LOG_SIZE = 4.0
"""Sides are at most e^4 = 55 times that of the anchor; keeps exp() finite in early steps."""


def decode(codes: Any, anchors: FloatArray) -> Any:
    """Decode codes (...,A,4) of anchors (A,4) xyxy px to boxes (...,A,4) xyxy px."""
    size = anchors[:, 2:] - anchors[:, :2]  # (A,2) width, height
    center = (anchors[:, :2] + anchors[:, 2:]) / 2
    y = codes[..., 0:1] * size[:, 1:] + center[:, 1:]
    x = codes[..., 1:2] * size[:, :1] + center[:, :1]
    half_height = ops.exp(ops.minimum(codes[..., 2:3], MAX_LOG_SIZE)) * (size[:, 1:] / 2)
    half_width = ops.exp(ops.minimum(codes[..., 3:4], MAX_LOG_SIZE)) * (size[:, :1] / 2)
    return ops.concatenate(
        [x - half_width, y - half_height, x + half_width, y + half_height], axis=-1
    )
