"""How alike two boxes are, for a tracker that goes by motion alone."""

from __future__ import annotations

import numpy as np

from vidan.boxes import iou

from .motion import Array

MARGIN = 0.25
"""What boxes are grown by on each side before they are compared, in their sides."""


def likeness(a: Array, b: Array) -> Array:
    """How alike boxes (N,4) and (M,4) are, (N,M) in [0,1]: by where they are, and their heights.

    Overlap of the boxes, each grown by `MARGIN` so that those who moved unforeseen still meet
    (C-BIoU, arXiv 2211.14317, section 3.1), times that of their vertical extents to the power
    of 1.5: people who stand behind each other overlap much and differ in where head and feet
    are (Hybrid-SORT, arXiv 2308.00783, section 3.3).
    """
    shared = np.minimum(a[:, 3, None], b[:, 3]) - np.maximum(a[:, 1, None], b[:, 1])
    whole = np.maximum(a[:, 3, None], b[:, 3]) - np.minimum(a[:, 1, None], b[:, 1])
    ratio = np.divide(shared, whole, out=np.zeros_like(whole), where=whole > 0)
    np.maximum(ratio, 0.0, out=ratio)
    return np.asarray(iou(grown(a), grown(b)) * ratio * np.sqrt(ratio))


def grown(boxes: Array) -> Array:
    """Boxes (N,4) with `MARGIN` of their sides added on each side."""
    margin = MARGIN * (boxes[:, 2:] - boxes[:, :2])
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)
