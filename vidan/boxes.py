"""Geometry of boxes in pure NumPy.

A box is `(x1, y1, x2, y2)` in pixels, `x1 <= x2`, `y1 <= y2`; its area is
`(x2 - x1) * (y2 - y1)`, without the `+ 1` of some older code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]

MIN_UNION = float(np.finfo(np.float32).tiny)
"""Smallest area of a union, px²; avoids a division by zero."""

NMS_BLOCK_SIZE = 256
"""Boxes whose overlaps are computed together."""


def area(boxes: FloatArray) -> FloatArray:
    """Areas of boxes (N,4) xyxy: (N,), px²."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(size[:, 0] * size[:, 1])


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of every pair of boxes.

    Args:
        a: (N,4) xyxy, px.
        b: (M,4) xyxy, px.

    Returns:
        (N,M) in [0,1], also when N or M is 0; 0 where both boxes have no area.

    >>> iou(np.array([[0., 0., 10., 10.]]), np.array([[5., 0., 15., 10.], [20., 0., 30., 10.]]))
    array([[0.33333333, 0.        ]])
    """
    # One (N,M) array per side: several times as fast as one of corners (N,M,2).
    left, top, right, bottom = a.T[:, :, None]
    x1, y1, x2, y2 = b.T
    # In place: allocating memory costs more than the arithmetic if there are many boxes.
    shared, height = np.minimum(right, x2), np.minimum(bottom, y2)
    shared -= np.maximum(left, x1)
    height -= np.maximum(top, y1)
    np.maximum(shared, 0, out=shared)
    shared *= np.maximum(height, 0, out=height)
    union = (right - left) * (bottom - top) + (x2 - x1) * (y2 - y1)
    union -= shared
    shared /= np.maximum(union, MIN_UNION, out=union)
    return np.asarray(shared)


def nms(
    boxes: FloatArray,
    scores: FloatArray,
    threshold: float,
    classes: IntArray | None = None,
) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Args:
        boxes: (N,4) xyxy, px.
        scores: (N,).
        threshold: a box whose IoU with a better one is above this is removed, in [0,1].
        classes: (N,); boxes of different classes then never suppress each other.

    Returns:
        Indices of the remaining boxes, best score first; ties keep their order.
    """
    order = np.argsort(-scores, kind="stable")
    kept = order[:0]
    # In blocks, best first: one matrix of overlaps for many boxes, but never a large one.
    for start in range(0, len(order), NMS_BLOCK_SIZE):
        block = order[start : start + NMS_BLOCK_SIZE]
        block = block[~_overlap(boxes, classes, block, kept, threshold).any(axis=1)]
        suppresses = _overlap(boxes, classes, block, block, threshold)
        stays = np.ones(len(block), bool)
        for i in range(len(block)):
            if stays[i]:
                stays[i + 1 :] &= ~suppresses[i, i + 1 :]
        kept = np.concatenate([kept, block[stays]])
    return kept


def _overlap(
    boxes: FloatArray,
    classes: IntArray | None,
    a: npt.NDArray[np.intp],
    b: npt.NDArray[np.intp],
    threshold: float,
) -> npt.NDArray[np.bool_]:
    """Pairs of boxes `a` (N,) and `b` (M,), by index, that overlap and share a class: (N,M)."""
    overlap = iou(boxes[a], boxes[b]) > threshold
    if classes is not None:
        overlap &= classes[a][:, None] == classes[b]
    return np.asarray(overlap)


def xyxy_to_xywh(boxes: FloatArray) -> FloatArray:
    """Boxes (N,4) as top-left corner, width and height (N,4), px: MOTChallenge's format."""
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def xywh_to_xyxy(boxes: FloatArray) -> FloatArray:
    """Boxes (N,4) given as top-left corner, width and height, as xyxy (N,4), px."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def clip(boxes: FloatArray, width: int, height: int) -> FloatArray:
    """Boxes (N,4) xyxy clipped to the border of an image of width x height px."""
    limits = np.array([width, height, width, height], dtype=boxes.dtype)
    return np.clip(boxes, 0, limits)
