"""Average precision and recall by COCO's rules, computed by faster-coco-eval."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from vidan.boxes import xyxy_to_xywh
from vidan.support.extras import import_extra
from vidan.types import Detections

from ..arrays import AnyArray
from ..data.sample import IGNORED, Sample

SIZES = {"small": (0.0, 16.0), "medium": (16.0, 48.0), "large": (48.0, 1e5)}
"""Ranges of box sizes: the square root of the area, px of the image."""

MAX_DETECTIONS = 100
"""Only the best detections of an image count, as in COCO."""

ANY, ALL = "any label", "all labels"
"""Rows for boxes whatever their label, and for the mean over the labels."""

IOU_75 = 5  # index of IoU 0.75 among 0.50, 0.55 ... 0.95

MetricsRow = dict[str, float]


def coco_metrics(
    samples: Sequence[Sample], detections: Sequence[Detections], labels: Sequence[str]
) -> dict[str, MetricsRow]:
    """Compute COCO's metrics for `ANY`, `ALL` and each label.

    Args:
        samples: ground truth; boxes of class `IGNORED` are neither right nor wrong to find.
        detections: detections in each sample.
        labels: labels of the classes.

    Returns:
        For each row `objects` (their number), `AP` (mean over IoU 0.50 to 0.95), `AP50`, `AP75`,
        `AR` (recall with at most `MAX_DETECTIONS` detections, mean over the same IoUs), and
        `AP50/<size>` for each of `SIZES`; in [0,1], NaN where there is no object.
    """
    classes = _rows(samples, detections, range(len(labels)))
    rows = {ANY: _rows(samples, detections, None)[0], ALL: _mean_row(classes)}
    return rows | dict(zip(labels, classes, strict=True))


def _rows(
    samples: Sequence[Sample], detections: Sequence[Detections], classes: range | None
) -> list[MetricsRow]:
    """A row for each class; a single one for all boxes if `classes` is None."""
    count = 1 if classes is None else len(classes)
    truth = _annotations(samples, classes)
    results = _results(detections, classes)
    objects = np.bincount(
        [t["category_id"] - 1 for t in truth if not t["iscrowd"]], minlength=count
    )
    if not results:
        return [_row(int(n), None, None) for n in objects]
    precision, recall = _evaluate(len(samples), truth, results, count)
    return [_row(int(n), precision[:, :, c], recall[:, c]) for c, n in enumerate(objects)]


def _row(objects: int, precision: AnyArray | None, recall: AnyArray | None) -> MetricsRow:
    """A row from precision (IoU, recall, size) and recall (IoU, size); None: no detections."""
    if precision is None or recall is None:
        value = 0.0 if objects else float("nan")
        names = ("AP", "AP50", "AP75", "AR", *(f"AP50/{size}" for size in SIZES))
        return {"objects": objects, **dict.fromkeys(names, value)}
    return {
        "objects": objects,
        "AP": _mean(precision[..., 0]),
        "AP50": _mean(precision[0, :, 0]),
        "AP75": _mean(precision[IOU_75, :, 0]),
        "AR": _mean(recall[:, 0]),
        **{f"AP50/{size}": _mean(precision[0, :, k]) for k, size in enumerate(SIZES, start=1)},
    }


def _mean_row(rows: Sequence[MetricsRow]) -> MetricsRow:
    """The mean over the rows that have a value; objects are added up."""
    names = [name for name in rows[0] if name != "objects"]
    return {
        "objects": sum(row["objects"] for row in rows),
        **{name: _mean(np.array([row[name] for row in rows])) for name in names},
    }


def _mean(values: AnyArray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def _annotations(samples: Sequence[Sample], classes: range | None) -> list[dict[str, Any]]:
    """Ground truth as COCO annotations; an ignored box becomes a crowd of every class."""
    annotations: list[dict[str, Any]] = []
    for i, sample in enumerate(samples, start=1):
        boxes = xyxy_to_xywh(sample.boxes).tolist()
        for box, label in zip(boxes, sample.classes.tolist(), strict=True):
            crowd = label == IGNORED
            for category in (classes or (0,)) if crowd or classes is None else (label,):
                annotations.append(
                    {"id": len(annotations) + 1, "image_id": i, "category_id": category + 1,
                     "bbox": box, "area": box[2] * box[3], "iscrowd": int(crowd)}
                )  # fmt: skip
    return annotations


def _results(detections: Sequence[Detections], classes: range | None) -> list[dict[str, Any]]:
    return [
        {"image_id": i, "category_id": 1 if classes is None else label + 1,
         "bbox": box, "score": score}
        for i, found in enumerate(detections, start=1)
        for box, score, label in zip(
            xyxy_to_xywh(found.boxes).tolist(), found.scores.tolist(), found.classes.tolist(),
            strict=True,
        )
    ]  # fmt: skip


def _evaluate(
    image_count: int, truth: list[dict[str, Any]], results: list[dict[str, Any]], count: int
) -> tuple[AnyArray, AnyArray]:
    """Precision (IoU, recall, class, size) and recall (IoU, class, size); NaN without objects."""
    library = import_extra("faster_coco_eval", "eval")
    dataset = {
        "images": [{"id": i + 1, "width": 1, "height": 1} for i in range(image_count)],
        "annotations": truth,
        "categories": [{"id": c + 1, "name": str(c)} for c in range(count)],
    }
    logging.getLogger(library.__name__).setLevel(logging.ERROR)  # it logs every step
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        coco = library.COCO(dataset)
        run = library.COCOeval_faster(coco, coco.loadRes(results), "bbox")
        run.params.areaRng = [[low**2, high**2] for low, high in ((0.0, 1e5), *SIZES.values())]
        run.params.areaRngLbl = ["all", *SIZES]
        run.params.maxDets = [1, 10, MAX_DETECTIONS]
        run.evaluate()
        run.accumulate()
    precision = np.asarray(run.eval["precision"], float)[..., -1]
    recall = np.asarray(run.eval["recall"], float)[..., -1]
    return np.where(precision < 0, np.nan, precision), np.where(recall < 0, np.nan, recall)
