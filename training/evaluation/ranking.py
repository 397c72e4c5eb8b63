"""Detections in the order of their scores, each right or wrong: curves, thresholds, reliability."""

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
from .overlap import inside

RIGHT_IOU = 0.5
"""A detection is right if it overlaps an object of its label at least so much, as in AP50."""

BINS = 10
"""Of the reliability diagram, of equal width in score."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """D detections of all images, best first.

    Attributes:
        scores: (D,) in [0,1], falling.
        classes: (D,) of the detections.
        right: (D,) whether it found an object of its label that no better one had found.
        objects: (C,) how many objects there are of each class.
    """

    scores: FloatArray
    classes: IntArray
    right: BoolArray
    objects: npt.NDArray[np.int64]

    def of(self, label: int) -> Ranking:
        """Those of one class."""
        rows = self.classes == label
        only = np.zeros_like(self.objects)
        only[label] = self.objects[label]
        return Ranking(self.scores[rows], self.classes[rows], self.right[rows], only)


class Point(NamedTuple):
    """What a threshold gives: all detections with at least that score."""

    threshold: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def rank(samples: Sequence[Sample], found: Sequence[Detections], count: int) -> Ranking:
    """Match detections to objects of their class, best score first, `count` classes.

    A detection that lies in an ignored box and finds nothing is left out.
    """
    scores, classes, right = [], [], []
    for sample, one in zip(samples, found, strict=True):
        hits, kept = _hits(sample, one)
        scores.append(one.scores[kept])
        classes.append(one.classes[kept])
        right.append(hits[kept])
    every = [np.empty(0, np.int64), *(s.classes[s.classes != IGNORED] for s in samples)]
    objects = np.bincount(np.concatenate(every), minlength=count)
    if not scores:
        return Ranking(np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, bool), objects)
    score, label, hit = np.concatenate(scores), np.concatenate(classes), np.concatenate(right)
    order = np.argsort(-score, kind="stable")
    return Ranking(score[order], label[order], hit[order], objects)


def _hits(sample: Sample, found: Detections) -> tuple[BoolArray, BoolArray]:
    """Of each detection: whether it is right, and whether it counts."""
    overlap = iou(found.boxes, sample.boxes)
    free = sample.classes != IGNORED
    excused = inside(found.boxes, sample.boxes[~free]).max(axis=1, initial=0) >= RIGHT_IOU
    right = np.zeros(len(found.boxes), bool)
    for i in np.argsort(-found.scores, kind="stable"):
        fits = free & (sample.classes == found.classes[i]) & (overlap[i] >= RIGHT_IOU)
        if fits.any():
            free[np.where(fits, overlap[i], -1).argmax()] = False
            right[i] = True
    return right, right | ~excused


class Curve(NamedTuple):
    """Precision and recall at every score, (D,) each, best score first."""

    scores: FloatArray
    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]

    def at(self, threshold: float) -> Point:
        """The detections with at least this score; precision is NaN if there are none."""
        n = int((self.scores >= threshold).sum())
        if not n:
            return Point(threshold, float("nan"), 0.0)
        return self._point(n - 1, threshold)

    def best(self) -> Point:
        """Where F1 is highest."""
        if not len(self.scores):
            return Point(0.5, 0.0, 0.0)
        total = np.maximum(self.precision + self.recall, 1e-9)
        return self._point(int((2 * self.precision * self.recall / total).argmax()))

    def with_precision(self, precision: float) -> Point | None:
        """The lowest threshold that still has this precision; None if none has."""
        good = np.flatnonzero(self.precision >= precision)
        return self._point(int(good[-1])) if good.size else None

    def _point(self, row: int, threshold: float | None = None) -> Point:
        score = float(self.scores[row]) if threshold is None else threshold
        return Point(score, float(self.precision[row]), float(self.recall[row]))


def curve(ranking: Ranking) -> Curve:
    """Precision and recall over the threshold. Of equal scores, only the last is a threshold."""
    hits = np.cumsum(ranking.right)
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / max(int(ranking.objects.sum()), 1)
    last = np.flatnonzero(np.append(np.diff(ranking.scores) != 0, True)[: len(hits)])
    return Curve(ranking.scores[last], precision[last], recall[last])


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How often detections of a score are right, (BINS,) each; NaN in an empty bin.

    Attributes:
        scores: mean score.
        precision: share that is right.
        counts: how many detections.
        error: the expected calibration error, in [0,1]: the mean distance of the two above,
            by how many detections there are (Küppers et al. 2020, arXiv 2004.13546, with boxes
            left aside).
    """

    scores: npt.NDArray[np.float64]
    precision: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    error: float


def reliability(ranking: Ranking, lowest: float = 0.0) -> Reliability:
    """Of the detections with a score of at least `lowest`."""
    rows = ranking.scores >= lowest
    scores, right = ranking.scores[rows], ranking.right[rows]
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(bins, scores, BINS) / counts
        precision = np.bincount(bins, right, BINS) / counts
    total = counts.sum()
    distance = np.nansum(np.abs(mean - precision) * counts)
    return Reliability(mean, precision, counts, float(distance / total) if total else float("nan"))
