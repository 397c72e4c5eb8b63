"""How good a detector is, in figures: what `vidan train` and `vidan eval detection` share."""

from __future__ import annotations

from collections.abc import Sequence

from vidan.types import Detections

from ..data.sample import Sample
from .coco import ALL, ANY, SIZES, coco
from .ranking import curve, rank


def evaluate(
    samples: Sequence[Sample], found: Sequence[Detections], labels: Sequence[str]
) -> dict[str, float]:
    """The figures that a training is followed by, each in [0,1].

    `AP50` is of boxes alone, whatever their class; `AP50/<label>` of each class, `mAP50` their
    mean and `mAP` the mean over IoU 0.50 to 0.95; `AP50/<size>` by the size of the box, whatever
    its class; `threshold` the score with the best F1 over all classes, `F1`, `precision`,
    `recall` there.
    """
    rows = coco(samples, found, labels)
    best = curve(rank(samples, found, len(labels))).best()
    return {
        "AP50": rows[ANY]["AP50"],
        **{f"AP50/{label}": rows[label]["AP50"] for label in labels},
        "mAP50": rows[ALL]["AP50"],
        "mAP": rows[ALL]["AP"],
        **{f"AP50/{size}": rows[ANY][f"AP50/{size}"] for size in SIZES},
        "threshold": best.threshold,
        "F1": best.f1,
        "precision": best.precision,
        "recall": best.recall,
    }
