"""Appearance vectors of boxes from the detector's feature map, without a second network.

How well they distinguish people: docs/tracking.md.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

STRIPES, POINTS_PER_STRIPE = 8, 4
"""A box is divided into horizontal stripes, each sampled at some points."""


def pool_box_features(level: Any, boxes: Any, stride: int) -> Any:
    """Concatenate the mean features of each stripe of a box and normalize them to length 1.

    The map is sampled by bilinear interpolation at the centers of `STRIPES` x
    `POINTS_PER_STRIPE` cells of the box, as in RoIAlign (He et al. 2017, arXiv 1703.06870,
    section 3).

    Args:
        level: (N,h,w,C) float32 feature map.
        boxes: (N,K,4) float32 xyxy, px of the input.
        stride: distance between neighboring cells of the map, px of the input.

    Returns:
        (N,K,STRIPES*C) float32; 0 where the map is 0.
    """
    x = _points(boxes[..., 0], boxes[..., 2], POINTS_PER_STRIPE, stride, level.shape[2])
    y = _points(boxes[..., 1], boxes[..., 3], STRIPES, stride, level.shape[1])
    x, y = x[:, :, None, :], y[:, :, :, None]
    left, top = tf.floor(x), tf.floor(y)
    right = tf.minimum(left + 1, level.shape[2] - 1.0)
    bottom = tf.minimum(top + 1, level.shape[1] - 1.0)
    flat = tf.reshape(level, [-1, level.shape[1] * level.shape[2], level.shape[3]])
    samples = 0.0
    for row, down in ((top, 1 - (y - top)), (bottom, y - top)):
        for column, along in ((left, 1 - (x - left)), (right, x - left)):
            cells = tf.cast(row * level.shape[2] + column, tf.int32)
            samples += gather_rows(flat, cells) * (down * along)[..., None]
    stripes = tf.reduce_mean(samples, axis=3)  # (N,K,STRIPES,C)
    vectors = tf.reshape(stripes, [-1, boxes.shape[1], STRIPES * level.shape[3]])
    return vectors * tf.math.rsqrt(tf.reduce_sum(vectors**2, -1, keepdims=True) + 1e-12)


def gather_rows(values: Any, rows: Any) -> Any:
    """Gather rows (N,...) of values (N,A,V), separately for each image: (N,...,V).

    Uses a single plain Gather; `tf.gather` with batch dimensions becomes a dozen ONNX operations.
    """
    first = tf.range(tf.shape(values)[0]) * values.shape[1]
    rows += tf.reshape(first, [-1, *[1] * (len(rows.shape) - 1)])
    return tf.gather(tf.reshape(values, [-1, values.shape[2]]), rows)


def _points(low: Any, high: Any, count: int, stride: int, size: int) -> Any:
    """Centers of `count` equal parts of intervals (N,K), in cells of the map: (N,K,count)."""
    part = (tf.range(count, dtype=tf.float32) + 0.5) / count
    px = low[..., None] + (high - low)[..., None] * part
    return tf.clip_by_value(px / stride - 0.5, 0.0, size - 1.0)
