"""Measures a detector on labeled images, and counts confusions on loose ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidan.types import Detections

from ..data.sample import Sample
from .coco import ALL, Row, coco
from .confusion import Table, confusion, pairs
from .dataset import Dataset
from .detector import BATCH, Subject, detect, differs, vocabulary
from .mistakes import Mistake, worst
from .ranking import Curve, Point, Ranking, Reliability, curve, rank, reliability
from .settings import Settings
from .slices import CLEAN

log = logging.getLogger(__name__)

Points = dict[str, Point | None]

LEAST_SCORE = 0.1
"""Of what reliability is asked: below are thousands, nearly all wrong as they should be."""

RUN, BEST = "as run", "best F1"
"""Points of a curve: at the threshold of a run, and where F1 is highest."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """The figures of one slice: COCO's rows, and what the threshold of a run gives."""

    rows: dict[str, Row]
    point: Point


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What was measured on labeled images.

    Attributes:
        labels: of the data.
        threshold: of a run.
        slices: the figures by slice.
        curves: precision and recall on the clean images, of all labels and of each.
        points: on each curve.
        reliable: of the scores on the clean images.
        counts: the confusions at the threshold of a run on the clean images.
        mistakes: the worst there, by kind.
    """

    labels: tuple[str, ...]
    threshold: float
    slices: dict[str, Slice]
    curves: dict[str, Curve]
    points: dict[str, Points]
    reliable: Reliability
    counts: Table
    mistakes: dict[str, list[Mistake]]


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """What was counted on images with loose boxes.

    Attributes:
        labels: of the data.
        groups: the confusions by group of images, and of all.
        mistakes: the worst, by kind.
    """

    labels: tuple[str, ...]
    groups: dict[str, Table]
    mistakes: dict[str, list[Mistake]]


def measure(subject: Subject, data: Dataset, settings: Settings) -> Outcome:
    """Measure a detector on every slice.

    Raises:
        ConfigError: the data have no label of the detector.
        VidanError: an image or the detector failed.
    """
    words = vocabulary(data.labels, subject.detector.labels, data.title)
    samples, labels = data.samples, words.labels
    clean = detect(subject, samples)
    if differs(subject, samples[:BATCH], clean[:BATCH]):
        log.warning("with a lower threshold the detector gives other boxes than in a run")
    clean = [words.translate(one) for one in clean]
    ranking = rank(samples, clean, len(labels))
    curves = _curves(ranking, labels)
    threshold = subject.threshold
    if threshold is None:
        threshold = curves[ALL].best().threshold
        log.warning("the detector names no threshold; taken is that of the best F1: %g", threshold)
    slices = {}
    for name in settings.slices:
        found = clean
        if name != CLEAN:
            found = [words.translate(f) for f in detect(subject, samples, name, settings.seed)]
        slices[name] = _slice(samples, found, labels, threshold)
        log.info("%s: AP50 %.3f", name, slices[name].rows[ALL]["AP50"])
    paired = pairs(samples, clean, threshold)
    return Outcome(
        labels,
        threshold,
        slices,
        curves,
        {name: _points(one, threshold, settings) for name, one in curves.items()},
        reliability(ranking, LEAST_SCORE),
        confusion(samples, clean, paired, len(labels)),
        worst(samples, clean, paired, labels, settings.worst),
    )


def _slice(
    samples: Sequence[Sample], found: Sequence[Detections], labels: Sequence[str], threshold: float
) -> Slice:
    ranking = rank(samples, found, len(labels))
    return Slice(coco(samples, found, labels), curve(ranking).at(threshold))


def _curves(ranking: Ranking, labels: Sequence[str]) -> dict[str, Curve]:
    """Of all labels together, and of each that there is an object of."""
    present = [(i, label) for i, label in enumerate(labels) if ranking.objects[i]]
    return {ALL: curve(ranking)} | {label: curve(ranking.of(i)) for i, label in present}


def _points(one: Curve, threshold: float, settings: Settings) -> Points:
    return {
        RUN: one.at(threshold),
        settings.sure: one.with_precision(settings.precision),
        BEST: one.best(),
    }


def count_heads(subject: Subject, data: Dataset, threshold: float, settings: Settings) -> Heads:
    """Count which label is taken for which, on boxes that are too loose for an IoU.

    Raises:
        ConfigError: the data have no label of the detector.
        VidanError: an image or the detector failed.
    """
    words = vocabulary(data.labels, subject.detector.labels, data.title)
    samples, labels = data.samples, words.labels
    found = [words.translate(one) for one in detect(subject, samples)]
    paired = pairs(samples, found, threshold, loose=True)
    members: dict[str, set[int]] = {}
    for i, sample in enumerate(samples):
        members.setdefault(settings.group_of(Path(sample.name).stem), set()).add(i)
    tables = {
        group: confusion(samples, found, [p for p in paired if p.sample in rows], len(labels))
        for group, rows in sorted(members.items())
    }
    groups = tables | {"all": np.sum(list(tables.values()), axis=0)}
    return Heads(labels, groups, worst(samples, found, paired, labels, settings.worst, loose=True))


def shares(counts: Table, labels: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """The share of each label's objects that was given each label; missed ones are the rest."""
    return {
        label: {other: float(n / row.sum()) for other, n in zip(labels, row, strict=False)}
        for label, row in zip(labels, counts, strict=False)
        if row.sum()
    }
