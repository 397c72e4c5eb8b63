"""The metrics that `vidan train` reports after an epoch."""

from __future__ import annotations

from collections.abc import Sequence

from vidan.types import Detections

from ..data.sample import Sample
from .coco import ALL, ANY, SIZES, coco_metrics
from .ranking import precision_recall, rank_detections


def evaluate(
    samples: Sequence[Sample], detections: Sequence[Detections], labels: Sequence[str]
) -> dict[str, float]:
    """Compute the metrics of a model, each in [0,1].

    Returns:
        `AP50`: of boxes whatever their class; `AP50/<label>`: of each class; `mAP50`: their
        mean; `mAP`: mean over IoU 0.50 to 0.95; `AP50/<size>`: by size of the box, whatever its
        class; `threshold`: the score with the best F1 over all classes; `F1`, `precision` and
        `recall` at this threshold.
    """
    rows = coco_metrics(samples, detections, labels)
    best = precision_recall(rank_detections(samples, detections, len(labels))).best()
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
