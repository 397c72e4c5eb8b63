"""Fusion of the detections of several detectors.

Boxes: Solovyev et al. 2021, Weighted boxes fusion, arXiv 1910.13302, section 3. Scores are combined
as those of independent detectors, `1 - (1 - a)(1 - b)`, not averaged: a detector with a low
resolution says nothing about the objects that it is too coarse to see.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vidan.boxes import iou
from vidan.types import Detections

from ..arrays import FloatArray, IntArray


def fuse(found: Sequence[Detections], iou_threshold: float) -> Detections:
    """Fuse the detections of an image.

    Args:
        found: the detections of each detector, with common classes.
        iou_threshold: IoU from which two boxes of a class are the same object, in [0,1].

    Returns:
        One detection for each object, best first: the mean of its boxes, weighted by their scores,
        and the combined score of the detectors that found it.
    """
    boxes = np.concatenate([d.boxes for d in found])
    scores = np.concatenate([d.scores for d in found])
    classes = np.concatenate([d.classes for d in found])
    detectors = np.repeat(np.arange(len(found), dtype=np.int32), [len(d) for d in found])
    fused = []
    for class_ in np.unique(classes):
        rows = np.flatnonzero(classes == class_)
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        for members in _groups(boxes, scores, rows, iou_threshold):
            box = np.average(boxes[members], axis=0, weights=scores[members])
            fused.append((box, _combined(scores[members], detectors[members]), class_))
    fused.sort(key=lambda row: -row[1])
    return Detections(
        np.array([box for box, _, _ in fused], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in fused], np.float32),
        np.array([class_ for _, _, class_ in fused], np.int32),
    )


def _groups(
    boxes: FloatArray, scores: FloatArray, rows: npt.NDArray[np.intp], iou_threshold: float
) -> list[list[int]]:
    """Rows of the same object, for boxes of one class in `rows`, best first."""
    groups: list[list[int]] = []
    means: list[FloatArray] = []
    for row in rows.tolist():
        overlap = iou(boxes[row : row + 1], np.array(means, np.float32).reshape(-1, 4))[0]
        best = int(overlap.argmax()) if len(overlap) else -1
        if best < 0 or overlap[best] < iou_threshold:
            groups.append([row])
            means.append(boxes[row])
            continue
        groups[best].append(row)
        members = groups[best]
        means[best] = np.average(boxes[members], axis=0, weights=scores[members])
    return groups


def _combined(scores: FloatArray, detectors: IntArray) -> float:
    """The score of an object from the best score that each detector gave it."""
    best = [scores[detectors == detector].max() for detector in np.unique(detectors)]
    return float(1 - np.prod(1 - np.array(best)))
