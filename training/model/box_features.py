"""What the network saw inside a box, as a vector: an appearance that costs no second network.

How well it tells people apart: docs/tracking.md.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

STRIPES, ACROSS = 8, 4
"""A box is looked at in as many stripes from top to bottom, at as many points in each."""


def pool(level: Any, boxes: Any, stride: int) -> Any:
    """Features of boxes: the mean of each stripe, one after the other, at length 1.

    The map is read by bilinear interpolation at the middle of each of `STRIPES` x `ACROSS` cells
    of the box, as RoIAlign does (He et al. 2017, arXiv 1703.06870, section 3).

    Args:
        level: (N,h,w,C) float32, a map of the input.
        boxes: (N,K,4) float32 xyxy, px of the input.
        stride: px of the input from one place of the map to the next.

    Returns:
        (N,K,STRIPES*C) float32; 0 where the map is.
    """
    x = _points(boxes[..., 0], boxes[..., 2], ACROSS, stride, level.shape[2])  # (N,K,ACROSS)
    y = _points(boxes[..., 1], boxes[..., 3], STRIPES, stride, level.shape[1])  # (N,K,STRIPES)
    x, y = x[:, :, None, :], y[:, :, :, None]
    left, top = tf.floor(x), tf.floor(y)
    right = tf.minimum(left + 1, level.shape[2] - 1.0)
    bottom = tf.minimum(top + 1, level.shape[1] - 1.0)
    flat = tf.reshape(level, [-1, level.shape[1] * level.shape[2], level.shape[3]])
    seen = 0.0
    for row, down in ((top, 1 - (y - top)), (bottom, y - top)):
        for column, along in ((left, 1 - (x - left)), (right, x - left)):
            places = tf.cast(row * level.shape[2] + column, tf.int32)
            seen += take(flat, places) * (down * along)[..., None]
    stripes = tf.reduce_mean(seen, axis=3)  # (N,K,STRIPES,C)
    vectors = tf.reshape(stripes, [-1, boxes.shape[1], STRIPES * level.shape[3]])
    return vectors * tf.math.rsqrt(tf.reduce_sum(vectors**2, -1, keepdims=True) + 1e-12)


def take(values: Any, rows: Any) -> Any:
    """Rows (N,...) of values (N,A,V), in each image its own: (N,...,V).

    By one plain Gather: `tf.gather` with batch dimensions becomes a dozen ONNX operations.
    """
    first = tf.range(tf.shape(values)[0]) * values.shape[1]
    rows += tf.reshape(first, [-1, *[1] * (len(rows.shape) - 1)])
    return tf.gather(tf.reshape(values, [-1, values.shape[2]]), rows)


def _points(low: Any, high: Any, count: int, stride: int, size: int) -> Any:
    """Middles of `count` parts of each (N,K) stretch, in places of the map, inside it."""
    part = (tf.range(count, dtype=tf.float32) + 0.5) / count
    px = low[..., None] + (high - low)[..., None] * part
    return tf.clip_by_value(px / stride - 0.5, 0.0, size - 1.0)
