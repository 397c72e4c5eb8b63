"""Evaluation of a detector on labeled images, and label confusion on loosely labeled ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidan.support.score_scale import ScoreScale
from vidan.types import Detections

from ..data.sample import Sample
from .calibration import fit_score_scale
from .coco import ALL, MetricsRow, coco_metrics
from .confusion import Counts, confusion_matrix, match_detections
from .dataset import EvaluationData
from .detector import BATCH_SIZE, DetectorUnderTest, depends_on_threshold, detect, match_labels
from .mistakes import Mistake, worst_mistakes
from .ranking import (
    OperatingPoint,
    PrecisionRecallCurve,
    RankedDetections,
    Reliability,
    precision_recall,
    rank_detections,
    reliability,
)
from .settings import EvaluationSettings
from .slices import CLEAN

log = logging.getLogger(__name__)

Points = dict[str, OperatingPoint | None]

MIN_RELIABILITY_SCORE = 0.1
"""Minimum score in the reliability diagram; below are thousands of rightly rejected boxes."""

RUN, BEST = "as run", "best F1"
"""Operating points: at the threshold of a run, and where F1 is highest."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceResult:
    """COCO's metrics on a slice, and the operating point at the threshold of a run."""

    rows: dict[str, MetricsRow]
    point: OperatingPoint


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationResult:
    """Result of `measure`.

    Attributes:
        labels: labels of the data.
        threshold: threshold of a run.
        slices: metrics by slice.
        curves: precision and recall on the clean images, for all labels and for each.
        points: operating points on each curve.
        reliability: of the scores on the clean images.
        score_scale: of the scores on the clean images; None if there are too few detections.
        confusion: confusion matrix on the clean images at the threshold of a run.
        mistakes: the worst mistakes there, by kind.
    """

    labels: tuple[str, ...]
    threshold: float
    slices: dict[str, SliceResult]
    curves: dict[str, PrecisionRecallCurve]
    points: dict[str, Points]
    reliability: Reliability
    score_scale: ScoreScale | None
    confusion: Counts
    mistakes: dict[str, list[Mistake]]


@dataclass(frozen=True, slots=True, eq=False)
class LooseResult:
    """Result of `measure_loose`.

    Attributes:
        labels: labels of the data.
        groups: confusion matrices by group of images, and of all.
        mistakes: the worst mistakes, by kind.
    """

    labels: tuple[str, ...]
    groups: dict[str, Counts]
    mistakes: dict[str, list[Mistake]]


def measure(
    subject: DetectorUnderTest, data: EvaluationData, settings: EvaluationSettings
) -> EvaluationResult:
    """Evaluate a detector on every slice.

    Raises:
        ConfigError: data and detector have no label in common.
        VidanError: an image or the detector failed.
    """
    mapping = match_labels(data.labels, subject.detector.labels, data.title)
    samples, labels = data.samples, mapping.labels
    clean = detect(subject, samples)
    if depends_on_threshold(subject, samples[:BATCH_SIZE], clean[:BATCH_SIZE]):
        log.warning("with a lower threshold the detector returns other boxes than in a run")
    clean = [mapping.translate(found) for found in clean]
    ranking = rank_detections(samples, clean, len(labels))
    curves = _curves(ranking, labels)
    threshold = subject.threshold
    if threshold is None:
        threshold = curves[ALL].best().threshold
        log.warning("the detector exposes no threshold; using that of the best F1: %g", threshold)
    slices = {}
    for name in settings.slices:
        found = clean
        if name != CLEAN:
            raw = detect(subject, samples, name, settings.seed)
            found = [mapping.translate(each) for each in raw]
        slices[name] = _measure_slice(samples, found, labels, threshold)
        log.info("%s: AP50 %.3f", name, slices[name].rows[ALL]["AP50"])
    matches = match_detections(samples, clean, threshold)
    return EvaluationResult(
        labels,
        threshold,
        slices,
        curves,
        {name: _points(curve, threshold, settings) for name, curve in curves.items()},
        reliability(ranking, MIN_RELIABILITY_SCORE),
        fit_score_scale(ranking),
        confusion_matrix(samples, clean, matches, len(labels)),
        worst_mistakes(samples, clean, matches, labels, settings.worst),
    )


def _measure_slice(
    samples: Sequence[Sample],
    detections: Sequence[Detections],
    labels: Sequence[str],
    threshold: float,
) -> SliceResult:
    curve = precision_recall(rank_detections(samples, detections, len(labels)))
    return SliceResult(coco_metrics(samples, detections, labels), curve.at(threshold))


def _curves(ranking: RankedDetections, labels: Sequence[str]) -> dict[str, PrecisionRecallCurve]:
    """Curves of all labels together, and of each label that has objects."""
    present = [(i, label) for i, label in enumerate(labels) if ranking.objects[i]]
    by_label = {label: precision_recall(ranking.of_class(i)) for i, label in present}
    return {ALL: precision_recall(ranking)} | by_label


def _points(curve: PrecisionRecallCurve, threshold: float, settings: EvaluationSettings) -> Points:
    return {
        RUN: curve.at(threshold),
        settings.target_name: curve.with_precision(settings.target_precision),
        BEST: curve.best(),
    }


def measure_loose(
    subject: DetectorUnderTest,
    data: EvaluationData,
    threshold: float,
    settings: EvaluationSettings,
) -> LooseResult:
    """Count label confusions on boxes that are too loose for an IoU.

    Raises:
        ConfigError: data and detector have no label in common.
        VidanError: an image or the detector failed.
    """
    mapping = match_labels(data.labels, subject.detector.labels, data.title)
    samples, labels = data.samples, mapping.labels
    found = [mapping.translate(each) for each in detect(subject, samples)]
    matches = match_detections(samples, found, threshold, loose=True)
    members: dict[str, set[int]] = {}
    for i, sample in enumerate(samples):
        members.setdefault(settings.group_of(Path(sample.name).stem), set()).add(i)
    counts = {
        group: confusion_matrix(
            samples, found, [m for m in matches if m.sample in rows], len(labels)
        )
        for group, rows in sorted(members.items())
    }
    groups = counts | {"all": np.sum(list(counts.values()), axis=0)}
    mistakes = worst_mistakes(samples, found, matches, labels, settings.worst, loose=True)
    return LooseResult(labels, groups, mistakes)


def label_fractions(counts: Counts, labels: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """Fraction of each label's objects that was detected as each label; the rest was missed."""
    return {
        label: {other: float(n / row.sum()) for other, n in zip(labels, row, strict=False)}
        for label, row in zip(labels, counts, strict=False)
        if row.sum()
    }
