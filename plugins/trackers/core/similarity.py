"""Which boxes overlap, and how alike they are, for a tracker that goes by motion alone.

By pairs that touch, which are few where boxes are many.
"""

from __future__ import annotations

import numpy as np

from vidan.boxes import area

from .kalman import Rows
from .motion import Array

MARGIN = 0.25
"""What boxes are grown by on each side before they are compared, in their sides."""


def likeness(a: Array, b: Array) -> tuple[Rows, Rows, Array]:
    """Of boxes (N,4) and (M,4), the pairs that are alike.

    That is the overlap of the boxes, each grown by `MARGIN` so that those who moved unforeseen
    still meet (C-BIoU, arXiv 2211.14317, section 3.1), times that of their vertical extents to
    the power of 1.5: people who stand behind each other overlap much and differ in where head
    and feet are (Hybrid-SORT, arXiv 2308.00783, section 3.3).

    Returns:
        Rows of `a` (K,), rising, rows of `b` (K,), and how alike they are (K,), in [0,1].
    """
    wide, broad = grown(a), grown(b)
    rows, columns = touching(wide, broad)
    a, b = a[rows], b[columns]
    shared = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    whole = np.maximum(a[:, 3], b[:, 3]) - np.minimum(a[:, 1], b[:, 1])
    ratio = np.divide(shared, whole, out=np.zeros_like(whole), where=whole > 0)
    np.maximum(ratio, 0.0, out=ratio)
    return rows, columns, overlap(wide[rows], broad[columns]) * ratio * np.sqrt(ratio)


def touching(a: Array, b: Array) -> tuple[Rows, Rows]:
    """Of boxes (N,4) and (M,4), the pairs (K,) and (K,) that share some area, by rising row."""
    near = (a[:, 0, None] < b[:, 2]) & (a[:, 2, None] > b[:, 0])
    near &= (a[:, 1, None] < b[:, 3]) & (a[:, 3, None] > b[:, 1])
    rows, columns = np.divmod(near.ravel().nonzero()[0], max(len(b), 1))
    return rows, columns


def overlap(a: Array, b: Array) -> Array:
    """IoU (K,) of boxes (K,4) and (K,4), pair by pair."""
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    inside = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    whole = area(a) + area(b) - inside
    return np.asarray(np.divide(inside, whole, out=np.zeros_like(inside), where=whole > 0))


def grown(boxes: Array) -> Array:
    """Boxes (N,4) with `MARGIN` of their sides added on each side."""
    margin = MARGIN * (boxes[:, 2:] - boxes[:, :2])
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)
