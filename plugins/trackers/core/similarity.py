"""Overlap and similarity of boxes, for trackers that use motion alone.

Computed only for pairs that touch, which are few even among many boxes.
"""

from __future__ import annotations

import numpy as np

from vidan.boxes import area

from .kalman import Rows
from .motion import Array

BOX_EXPANSION = 0.25
"""Margin added on each side of a box before comparison, as a fraction of that side."""


def similarity(a: Array, b: Array) -> tuple[Rows, Rows, Array]:
    """Similarity of boxes (N,4) and (M,4), for all pairs that touch.

    It is the IoU of the boxes, each expanded by `BOX_EXPANSION` so that boxes still meet after
    an unexpected move (C-BIoU, arXiv 2211.14317, section 3.1), times the IoU of their vertical
    extents to the power of 1.5: people who stand behind each other overlap strongly but differ
    in where head and feet are (Hybrid-SORT, arXiv 2308.00783, section 3.3).

    Returns:
        Rows of `a` (K,), ascending, rows of `b` (K,), and similarities (K,) in [0,1].
    """
    wide_a, wide_b = expanded(a), expanded(b)
    rows, columns = touching_pairs(wide_a, wide_b)
    a, b = a[rows], b[columns]
    shared = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    total = np.maximum(a[:, 3], b[:, 3]) - np.minimum(a[:, 1], b[:, 1])
    ratio = np.divide(shared, total, out=np.zeros_like(total), where=total > 0)
    np.maximum(ratio, 0.0, out=ratio)
    return rows, columns, paired_iou(wide_a[rows], wide_b[columns]) * ratio * np.sqrt(ratio)


def touching_pairs(a: Array, b: Array) -> tuple[Rows, Rows]:
    """Pairs of boxes (N,4) and (M,4) that share some area: rows (K,) ascending, and (K,)."""
    touching = (a[:, 0, None] < b[:, 2]) & (a[:, 2, None] > b[:, 0])
    touching &= (a[:, 1, None] < b[:, 3]) & (a[:, 3, None] > b[:, 1])
    rows, columns = np.divmod(touching.ravel().nonzero()[0], max(len(b), 1))
    return rows, columns


def paired_iou(a: Array, b: Array) -> Array:
    """IoU (K,) of boxes (K,4) and (K,4), row by row."""
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    intersection = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    union = area(a) + area(b) - intersection
    out = np.zeros_like(intersection)
    return np.asarray(np.divide(intersection, union, out=out, where=union > 0))


def expanded(boxes: Array) -> Array:
    """Boxes (N,4) with `BOX_EXPANSION` of their sides added on each side."""
    margin = BOX_EXPANSION * (boxes[:, 2:] - boxes[:, :2])
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)
