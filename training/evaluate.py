"""How good a detector is: average precision by COCO's rules, and the threshold of the best F1.

`python -m vidan_training.evaluate onnx=<file> [recipe=<name>] [key=value ...]` prints the
figures of an exported model on the validation split of a recipe.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidan.boxes import iou

from .data import FloatArray, Sample
from .predict import Found, onnx_run, predict

SIZES = {"small": (0.0, 16.0), "medium": (16.0, 48.0), "large": (48.0, 1e5)}  # sqrt of area, px


def evaluate(
    samples: Sequence[Sample], found: Sequence[Found], labels: Sequence[str]
) -> dict[str, float]:
    """Figures by name, each in [0,1].

    `AP50` is of boxes alone, whatever their class; `AP50/<label>` of each class, `mAP50` their
    mean and `mAP` the mean over IoU 0.50 to 0.95; `AP50/<size>` by the size of the box;
    `threshold` the score with the best F1 over all classes, `F1`, `precision`, `recall` there.
    """
    figures = {"AP50": _average_precision(samples, found, agnostic=True)[0]}
    per_class, everything = _average_precision(samples, found, count=len(labels))
    for label, value in zip(labels, per_class, strict=True):
        figures[f"AP50/{label}"] = float(value)
    figures["mAP50"] = float(np.nanmean(per_class))
    figures["mAP"] = everything
    for name, limits in SIZES.items():
        figures[f"AP50/{name}"] = _average_precision(samples, found, True, limits=limits)[0]
    return figures | best_threshold(samples, found)


def _average_precision(
    samples: Sequence[Sample],
    found: Sequence[Found],
    agnostic: bool = False,
    count: int = 1,
    limits: tuple[float, float] = (0.0, 1e5),
) -> Any:
    """AP50 and AP by faster-coco-eval: floats if agnostic, else an array over classes first."""
    from faster_coco_eval import COCO, COCOeval_faster

    truth: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for i, (sample, result) in enumerate(zip(samples, found, strict=True), start=1):
        for box, label in zip(_xywh(sample.boxes), sample.classes, strict=True):
            truth.append(
                {"id": len(truth) + 1, "image_id": i, "category_id": 1 if agnostic else label + 1,
                 "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            )  # fmt: skip
        for box, score, label in zip(
            _xywh(result.boxes), result.scores, result.classes, strict=True
        ):
            results.append(
                {"image_id": i, "category_id": 1 if agnostic else int(label) + 1,
                 "bbox": box, "score": float(score)}
            )  # fmt: skip
    if not results:
        return (0.0, 0.0) if agnostic else (np.zeros(count), 0.0)
    dataset = {
        "images": [{"id": i + 1, "width": 1, "height": 1} for i in range(len(samples))],
        "annotations": [{**t, "category_id": int(t["category_id"])} for t in truth],
        "categories": [{"id": c + 1, "name": str(c)} for c in range(count)],
    }
    with contextlib.redirect_stdout(io.StringIO()):  # the library prints as it works
        coco = COCO(dataset)
        run = COCOeval_faster(coco, coco.loadRes(results), "bbox")
        run.params.areaRng = [[limits[0] ** 2, limits[1] ** 2]]
        run.params.areaRngLbl = ["all"]
        run.params.maxDets = [1, 10, 100]
        run.evaluate()
        run.accumulate()
    precision = np.asarray(run.eval["precision"])[..., 0, -1]  # (IoU, recall, class), -1 unknown
    precision = np.where(precision < 0, np.nan, precision)
    if np.isnan(precision).all():
        return (float("nan"),) * 2
    if agnostic:
        return float(np.nanmean(precision[0])), float(np.nanmean(precision))
    return np.array([_mean(precision[0, :, c]) for c in range(count)]), float(np.nanmean(precision))


def _mean(values: FloatArray) -> float:
    return float("nan") if np.isnan(values).all() else float(np.nanmean(values))


def _xywh(boxes: FloatArray) -> list[list[float]]:
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()


def best_threshold(samples: Sequence[Sample], found: Sequence[Found]) -> dict[str, float]:
    """The score above which right boxes of the right class give the best F1."""
    scores, right, total = [], [], 0
    for sample, result in zip(samples, found, strict=True):
        total += len(sample.boxes)
        free = np.ones(len(sample.boxes), bool)
        overlap = iou(result.boxes, sample.boxes)
        for i in np.argsort(-result.scores, kind="stable"):
            candidates = np.where(
                free & (sample.classes == result.classes[i]) & (overlap[i] >= 0.5), overlap[i], -1
            )
            hit = candidates.size > 0 and candidates.max() >= 0
            if hit:
                free[candidates.argmax()] = False
            scores.append(result.scores[i])
            right.append(hit)
    if not scores or total == 0:
        return {"threshold": 0.5, "F1": 0.0, "precision": 0.0, "recall": 0.0}
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.cumsum(np.array(right)[order])
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / total
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1.argmax())
    return {
        "threshold": float(np.array(scores)[order][best]),
        "F1": float(f1[best]),
        "precision": float(precision[best]),
        "recall": float(recall[best]),
    }


def main(argv: list[str]) -> int:
    """Print the figures of `onnx=` (the one that ships without it) on a validation split."""
    from . import recipe
    from .weights import shipped

    given = recipe.overrides(
        "python -m vidan_training.evaluate",
        "Print how well an exported model, onnx=<file>, does on the validation split of a recipe.",
        argv,
        recipe.about_recipes(),
    )
    models = [a.removeprefix("onnx=") for a in given if a.startswith("onnx=")]
    path = Path(models[-1]) if models else shipped().with_suffix(".onnx")
    config = recipe.load_recipe([a for a in given if not a.startswith("onnx=")])
    labels, _, validation = recipe.read_data(config)
    found = predict(onnx_run(path), validation, *config.size)
    for name, value in evaluate(validation, found, labels).items():
        print(f"{name:32s} {value:.3f}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
