"""Confusion of labels, for boxes matched by IoU and for loosely drawn boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.boxes import area, iou
from vidan.types import Detections

from ..data.sample import IGNORED, Sample
from .overlap import fraction_inside
from .ranking import MATCH_IOU

Counts = npt.NDArray[np.int64]
NOTHING = -1

MIN_FRACTION_INSIDE = 0.5
MIN_AREA_RATIO = 0.02
"""A detection matches a loosely drawn object if its center and at least this fraction of it lie
inside the object's box, and if its area is at least this ratio of the box's: a face matches the
box of the head, or of the whole person, around it."""


class Match(NamedTuple):
    """An object and its detection; `NOTHING` in place of either.

    Attributes:
        sample: index of the sample.
        truth: row of the object.
        found: row of the detection.
    """

    sample: int
    truth: int
    found: int


def match_detections(
    samples: Sequence[Sample],
    detections: Sequence[Detections],
    threshold: float,
    *,
    loose: bool = False,
) -> list[Match]:
    """Match detections to objects, whatever their labels.

    Best score first, each detection takes the object that it overlaps most among those left:
    with an IoU of at least `MATCH_IOU`, or for loose boxes by `MIN_FRACTION_INSIDE` and
    `MIN_AREA_RATIO`. Every object and every detection is in one match, except for ignored
    objects and unmatched detections inside them.

    Args:
        samples: ground truth.
        detections: detections in each sample.
        threshold: minimum score of a detection that counts, in [0,1].
        loose: whether the boxes of the ground truth are drawn loosely.
    """
    pairs = enumerate(zip(samples, detections, strict=True))
    return [match for i, (s, d) in pairs for match in _match_sample(i, s, d, threshold, loose)]


def _match_sample(
    index: int, sample: Sample, found: Detections, threshold: float, loose: bool
) -> Iterator[Match]:
    fits = match_overlap(found, sample, loose=loose)
    free = sample.classes != IGNORED
    inside = fraction_inside(found.boxes, sample.boxes[~free]).max(axis=1, initial=0)
    for i in np.argsort(-found.scores, kind="stable"):
        if found.scores[i] < threshold:
            break
        candidates = np.where(free, fits[i], 0)
        if candidates.size and candidates.max() > 0:
            taken = int(candidates.argmax())
            free[taken] = False
            yield Match(index, taken, int(i))
        elif inside[i] < MATCH_IOU:
            yield Match(index, NOTHING, int(i))
    for missed in np.flatnonzero(free):
        yield Match(index, int(missed), NOTHING)


def match_overlap(
    found: Detections, sample: Sample, *, loose: bool = False
) -> npt.NDArray[np.floating]:
    """IoU (N,M) of detections with the objects that they may match; 0 for all others."""
    overlap = iou(found.boxes, sample.boxes)
    if not loose:
        return np.where(overlap >= MATCH_IOU, overlap, 0)
    centers = (found.boxes[:, None, :2] + found.boxes[:, None, 2:]) / 2
    within = ((centers >= sample.boxes[:, :2]) & (centers <= sample.boxes[:, 2:])).all(axis=2)
    large = area(found.boxes)[:, None] >= MIN_AREA_RATIO * area(sample.boxes)
    inside = fraction_inside(found.boxes, sample.boxes) >= MIN_FRACTION_INSIDE
    return np.where(within & large & inside, overlap, 0)


def confusion_matrix(
    samples: Sequence[Sample],
    detections: Sequence[Detections],
    matches: Sequence[Match],
    class_count: int,
) -> Counts:
    """Count matches, (C+1,C+1): true class by row, detected by column; nothing comes last."""
    counts = np.zeros((class_count + 1, class_count + 1), np.int64)
    for i, truth, found in matches:
        row = class_count if truth < 0 else int(samples[i].classes[truth])
        column = class_count if found < 0 else int(detections[i].classes[found])
        counts[row, column] += 1
    return counts
