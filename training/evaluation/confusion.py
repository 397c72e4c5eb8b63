"""Which label is taken for which: on boxes that fit, and on heads whose boxes are loose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.boxes import area, iou
from vidan.types import Detections

from ..data.sample import IGNORED, Sample
from .overlap import inside
from .ranking import RIGHT_IOU

Table = npt.NDArray[np.int64]
NOTHING = -1

LEAST_INSIDE, LEAST_SHARE = 0.5, 0.02
"""A detection is of a loosely drawn object if its center and at least half of it lie in the
object's box, and if it has a fiftieth of its area or more: a face is that of the head, or of the
whole person, around it."""


class Pair(NamedTuple):
    """An object and the detection of it; `NOTHING` in place of either.

    Attributes:
        sample: index of the image.
        truth: row of its object.
        found: row of its detection.
    """

    sample: int
    truth: int
    found: int


def pairs(
    samples: Sequence[Sample], found: Sequence[Detections], threshold: float, *, loose: bool = False
) -> list[Pair]:
    """Which detections are of which objects, whatever the labels.

    Best score first, each detection takes the object that it overlaps most among those left:
    by IoU of at least `RIGHT_IOU`, or for loose boxes as `LEAST_INSIDE` says. Every object and
    every detection is in one pair, but for ignored objects and what lies in them.

    Args:
        samples: the truth.
        found: the detections.
        threshold: least score of a detection that counts, in [0,1].
        loose: whether the boxes of the truth are drawn loosely.
    """
    every = enumerate(zip(samples, found, strict=True))
    return [pair for i, (s, f) in every for pair in _pairs(i, s, f, threshold, loose)]


def _pairs(
    index: int, sample: Sample, found: Detections, threshold: float, loose: bool
) -> Iterator[Pair]:
    fits = fit(found, sample, loose=loose)
    free = sample.classes != IGNORED
    excused = inside(found.boxes, sample.boxes[~free]).max(axis=1, initial=0) >= RIGHT_IOU
    for i in np.argsort(-found.scores, kind="stable"):
        if found.scores[i] < threshold:
            break
        candidates = np.where(free, fits[i], 0)
        if candidates.size and candidates.max() > 0:
            taken = int(candidates.argmax())
            free[taken] = False
            yield Pair(index, taken, int(i))
        elif not excused[i]:
            yield Pair(index, NOTHING, int(i))
    for missed in np.flatnonzero(free):
        yield Pair(index, int(missed), NOTHING)


def fit(found: Detections, sample: Sample, *, loose: bool = False) -> npt.NDArray[np.floating]:
    """IoU (N,M) of each detection with each object that it may be of; 0 for all others."""
    overlap = iou(found.boxes, sample.boxes)
    if not loose:
        return np.where(overlap >= RIGHT_IOU, overlap, 0)
    centers = (found.boxes[:, None, :2] + found.boxes[:, None, 2:]) / 2
    within = ((centers >= sample.boxes[:, :2]) & (centers <= sample.boxes[:, 2:])).all(axis=2)
    covers = area(found.boxes)[:, None] >= LEAST_SHARE * area(sample.boxes)
    fits = within & covers & (inside(found.boxes, sample.boxes) >= LEAST_INSIDE)
    return np.where(fits, overlap, 0)


def confusion(
    samples: Sequence[Sample], found: Sequence[Detections], paired: Sequence[Pair], count: int
) -> Table:
    """Counts (C+1,C+1): truth by row, found by column; the last row and column are nothing."""
    table = np.zeros((count + 1, count + 1), np.int64)
    for pair in paired:
        row = count if pair.truth < 0 else int(samples[pair.sample].classes[pair.truth])
        column = count if pair.found < 0 else int(found[pair.sample].classes[pair.found])
        table[row, column] += 1
    return table
