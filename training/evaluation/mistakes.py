"""The worst mistakes of a detector, for visual inspection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidan.boxes import iou
from vidan.types import Detections

from ..arrays import FloatArray
from ..data.sample import Sample
from .confusion import Match, match_overlap

FALSE_ALARM, WRONG_LABEL, MISSED = (
    "false alarms, by score",
    "wrong labels, by score",
    "misses, by size",
)
NEARBY_IOU = 0.1
"""A false alarm with a lower IoU has no object nearby."""


@dataclass(frozen=True, slots=True, eq=False)
class Mistake:
    """One mistake.

    Attributes:
        sample: the sample.
        truth: (4,) box of the object; None for a false alarm.
        found: (4,) box of the detection; None for a miss.
        lines: short description, in a few lines.
        severity: comparable among mistakes of the same kind, highest is worst.
    """

    sample: Sample
    truth: FloatArray | None
    found: FloatArray | None
    lines: tuple[str, ...]
    severity: float


def worst_mistakes(
    samples: Sequence[Sample],
    detections: Sequence[Detections],
    matches: Sequence[Match],
    labels: Sequence[str],
    count: int,
    *,
    loose: bool = False,
) -> dict[str, list[Mistake]]:
    """Find the worst mistakes of each kind.

    Args:
        samples: ground truth.
        detections: detections in each sample, including those below the threshold.
        matches: of objects and detections at the threshold (`confusion.match_detections`).
        labels: labels of the classes.
        count: maximum number of mistakes of each kind.
        loose: whether the boxes of the ground truth are drawn loosely.
    """
    kinds: dict[str, list[Mistake]] = {FALSE_ALARM: [], WRONG_LABEL: [], MISSED: []}
    for match in matches:
        sample, found = samples[match.sample], detections[match.sample]
        if match.truth < 0:
            kinds[FALSE_ALARM].append(_false_alarm(sample, found, match.found, labels))
        elif match.found < 0:
            kinds[MISSED].append(_miss(sample, found, match.truth, labels, loose))
        elif sample.classes[match.truth] != found.classes[match.found]:
            kinds[WRONG_LABEL].append(_wrong_label(sample, found, match, labels))
    return {
        kind: sorted(mistakes, key=lambda m: -m.severity)[:count]
        for kind, mistakes in kinds.items()
    }


def _false_alarm(sample: Sample, found: Detections, row: int, labels: Sequence[str]) -> Mistake:
    box, score = found.boxes[row], float(found.scores[row])
    nearest = float(iou(box[None], sample.boxes).max(initial=0))
    overlap = "no object nearby" if nearest < NEARBY_IOU else f"IoU {nearest:.2f} at best"
    detected = f"{labels[found.classes[row]]} {score:.2f}"
    return Mistake(sample, None, box, (detected, overlap, sample.name), score)


def _wrong_label(sample: Sample, found: Detections, match: Match, labels: Sequence[str]) -> Mistake:
    score = float(found.scores[match.found])
    detected = f"{labels[found.classes[match.found]]} {score:.2f}"
    truth = f"is {labels[sample.classes[match.truth]]}"
    return Mistake(
        sample,
        sample.boxes[match.truth],
        found.boxes[match.found],
        (detected, truth, sample.name),
        score,
    )


def _miss(
    sample: Sample, found: Detections, row: int, labels: Sequence[str], loose: bool
) -> Mistake:
    box = sample.boxes[row]
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    fits = match_overlap(found, sample, loose=loose)[:, row] > 0
    best = np.where(fits, found.scores, 0).max(initial=0)
    below = f"at most {best:.2f}" if best > 0 else "no box fits"
    label = labels[sample.classes[row]]
    lines = (f"{label} {width:.0f}x{height:.0f}", below, sample.name)
    return Mistake(sample, box, None, lines, width * height)
