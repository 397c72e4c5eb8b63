"""Detections sorted by score, each right or wrong: curves, thresholds, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.boxes import iou
from vidan.types import Detections

from ..arrays import BoolArray, FloatArray, IntArray
from ..data.sample import IGNORED, Sample
from .overlap import fraction_inside

MATCH_IOU = 0.5
"""A detection is right if it overlaps an object of its label by this IoU, as in AP50."""

BINS = 10
"""Bins of the reliability diagram, of equal width in score."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedDetections:
    """The D detections of all images, best score first.

    Attributes:
        scores: (D,) in [0,1], descending.
        classes: (D,) classes of the detections.
        right: (D,) whether a detection found an object of its label that no better one found.
        objects: (C,) number of objects of each class.
    """

    scores: FloatArray
    classes: IntArray
    right: BoolArray
    objects: npt.NDArray[np.int64]

    def of_class(self, label: int) -> RankedDetections:
        """The detections and objects of one class."""
        rows = self.classes == label
        only = np.zeros_like(self.objects)
        only[label] = self.objects[label]
        return RankedDetections(self.scores[rows], self.classes[rows], self.right[rows], only)


class OperatingPoint(NamedTuple):
    """Precision and recall of the detections with at least a threshold's score."""

    threshold: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def rank_detections(
    samples: Sequence[Sample], detections: Sequence[Detections], class_count: int
) -> RankedDetections:
    """Match detections to objects of their class, best score first, and sort them.

    Detections that lie in an ignored box and match nothing are left out.

    Args:
        samples: ground truth.
        detections: detections in each sample.
        class_count: number of classes, C.
    """
    scores, classes, right = [], [], []
    for sample, found in zip(samples, detections, strict=True):
        hits, counted = _hits(sample, found)
        scores.append(found.scores[counted])
        classes.append(found.classes[counted])
        right.append(hits[counted])
    true_classes = [np.empty(0, np.int64), *(s.classes[s.classes != IGNORED] for s in samples)]
    objects = np.bincount(np.concatenate(true_classes), minlength=class_count)
    if not scores:
        nothing = np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, bool)
        return RankedDetections(*nothing, objects)
    score, label, hit = np.concatenate(scores), np.concatenate(classes), np.concatenate(right)
    order = np.argsort(-score, kind="stable")
    return RankedDetections(score[order], label[order], hit[order], objects)


def _hits(sample: Sample, found: Detections) -> tuple[BoolArray, BoolArray]:
    """For each detection, whether it is right, and whether it counts."""
    overlap = iou(found.boxes, sample.boxes)
    free = sample.classes != IGNORED
    inside = fraction_inside(found.boxes, sample.boxes[~free]).max(axis=1, initial=0)
    right = np.zeros(len(found.boxes), bool)
    for i in np.argsort(-found.scores, kind="stable"):
        fits = free & (sample.classes == found.classes[i]) & (overlap[i] >= MATCH_IOU)
        if fits.any():
            free[np.where(fits, overlap[i], -1).argmax()] = False
            right[i] = True
    return right, right | (inside < MATCH_IOU)


class PrecisionRecallCurve(NamedTuple):
    """Precision and recall at every distinct score, (D,) each, best score first."""

    scores: FloatArray
    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]

    def at(self, threshold: float) -> OperatingPoint:
        """The point at a threshold; precision is NaN if no detection reaches it."""
        n = int((self.scores >= threshold).sum())
        if not n:
            return OperatingPoint(threshold, float("nan"), 0.0)
        return self._point(n - 1, threshold)

    def best(self) -> OperatingPoint:
        """The point with the highest F1."""
        if not len(self.scores):
            return OperatingPoint(0.5, 0.0, 0.0)
        total = np.maximum(self.precision + self.recall, 1e-9)
        return self._point(int((2 * self.precision * self.recall / total).argmax()))

    def with_precision(self, precision: float) -> OperatingPoint | None:
        """The lowest threshold with at least this precision; None if there is none."""
        good = np.flatnonzero(self.precision >= precision)
        return self._point(int(good[-1])) if good.size else None

    def _point(self, row: int, threshold: float | None = None) -> OperatingPoint:
        score = float(self.scores[row]) if threshold is None else threshold
        return OperatingPoint(score, float(self.precision[row]), float(self.recall[row]))


def precision_recall(ranking: RankedDetections) -> PrecisionRecallCurve:
    """Compute precision and recall over the threshold; equal scores are a single threshold."""
    hits = np.cumsum(ranking.right)
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / max(int(ranking.objects.sum()), 1)
    last = np.flatnonzero(np.append(np.diff(ranking.scores) != 0, True)[: len(hits)])
    return PrecisionRecallCurve(ranking.scores[last], precision[last], recall[last])


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How often detections of a certain score are right, (BINS,) each; NaN in an empty bin.

    Attributes:
        scores: mean score.
        precision: fraction that is right.
        counts: number of detections.
        error: expected calibration error in [0,1]: the mean difference of the two above,
            weighted by the number of detections (Küppers et al. 2020, arXiv 2004.13546, by
            score only).
    """

    scores: npt.NDArray[np.float64]
    precision: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    error: float


def reliability(ranking: RankedDetections, min_score: float = 0.0) -> Reliability:
    """Compute the reliability of the detections with at least a minimum score."""
    rows = ranking.scores >= min_score
    scores, right = ranking.scores[rows], ranking.right[rows]
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(bins, scores, BINS) / counts
        precision = np.bincount(bins, right, BINS) / counts
    total = counts.sum()
    difference = np.nansum(np.abs(mean - precision) * counts)
    error = float(difference / total) if total else float("nan")
    return Reliability(mean, precision, counts, error)
