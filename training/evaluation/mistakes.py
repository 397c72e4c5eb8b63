"""The worst mistakes of a detector, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidan.boxes import iou
from vidan.types import Detections

from ..arrays import FloatArray
from ..data.sample import Sample
from .confusion import Pair, fit

FALSE_ALARM, CONFUSED, MISSED = (
    "false alarms, by score",
    "wrong labels, by score",
    "misses, by size",
)


@dataclass(frozen=True, slots=True, eq=False)
class Mistake:
    """One mistake.

    Attributes:
        sample: the image.
        truth: (4,) box of the object, None for a false alarm.
        found: (4,) box of the detection, None for a miss.
        lines: what was wrong, in a few short lines.
        weight: the worse the higher, among those of its kind.
    """

    sample: Sample
    truth: FloatArray | None
    found: FloatArray | None
    lines: tuple[str, ...]
    weight: float


def worst(
    samples: Sequence[Sample],
    found: Sequence[Detections],
    paired: Sequence[Pair],
    labels: Sequence[str],
    most: int,
    *,
    loose: bool = False,
) -> dict[str, list[Mistake]]:
    """The worst mistakes of each kind, at most so many.

    Args:
        samples: the truth.
        found: the detections, also those under the threshold.
        paired: objects and detections at the threshold (`confusion.pairs`).
        labels: of the classes.
        most: of each kind.
        loose: whether the boxes of the truth are drawn loosely.
    """
    kinds: dict[str, list[Mistake]] = {FALSE_ALARM: [], CONFUSED: [], MISSED: []}
    for pair in paired:
        sample, one = samples[pair.sample], found[pair.sample]
        if pair.truth < 0:
            kinds[FALSE_ALARM].append(_false_alarm(sample, one, pair.found, labels))
        elif pair.found < 0:
            kinds[MISSED].append(_miss(sample, one, pair.truth, labels, loose))
        elif sample.classes[pair.truth] != one.classes[pair.found]:
            kinds[CONFUSED].append(_confused(sample, one, pair, labels))
    return {
        kind: sorted(mistakes, key=lambda m: -m.weight)[:most] for kind, mistakes in kinds.items()
    }


def _false_alarm(sample: Sample, found: Detections, row: int, labels: Sequence[str]) -> Mistake:
    box, score = found.boxes[row], float(found.scores[row])
    nearest = float(iou(box[None], sample.boxes).max(initial=0))
    what = "nothing there" if nearest < 0.1 else f"IoU {nearest:.2f} at best"
    said = f"{labels[found.classes[row]]} {score:.2f}"
    return Mistake(sample, None, box, (said, what, sample.name), score)


def _confused(sample: Sample, found: Detections, pair: Pair, labels: Sequence[str]) -> Mistake:
    score = float(found.scores[pair.found])
    said = f"{labels[found.classes[pair.found]]} {score:.2f}"
    is_ = f"is {labels[sample.classes[pair.truth]]}"
    return Mistake(
        sample,
        sample.boxes[pair.truth],
        found.boxes[pair.found],
        (said, is_, sample.name),
        score,
    )


def _miss(
    sample: Sample, found: Detections, row: int, labels: Sequence[str], loose: bool
) -> Mistake:
    box = sample.boxes[row]
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    fits = fit(found, sample, loose=loose)[:, row] > 0
    best = np.where(fits, found.scores, 0).max(initial=0)
    under = f"at most {best:.2f}" if best > 0 else "no box fits"
    label = labels[sample.classes[row]]
    lines = (f"{label} {width:.0f}x{height:.0f}", under, sample.name)
    return Mistake(sample, box, None, lines, width * height)
