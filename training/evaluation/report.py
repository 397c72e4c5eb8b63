"""Tables of an evaluation, and its content as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from vidan.support.score_scale import ScoreScale

from .coco import ALL, ANY, SIZES, MetricsRow
from .confusion import Counts
from .measure import (
    BEST,
    RUN,
    EvaluationResult,
    LooseResult,
    Points,
    SliceResult,
    label_fractions,
)
from .ranking import OperatingPoint

NOTHING, MISSED = "nothing", "missed"


def slice_table(slices: Mapping[str, SliceResult], labels: Sequence[str]) -> Table:
    """A row for each slice: mean over labels, each label, any label, and at the threshold."""
    table = _table("slice", ["AP", "AP50", "AP75", "AR", *(f"{label} AP50" for label in labels)])
    for title in ("any label AP50", *(f"{size} AP50" for size in SIZES), "P", "R", "F1"):
        table.add_column(title, justify="right")
    for name, result in slices.items():
        mean, every, point = result.rows[ALL], result.rows[ANY], result.point
        cells = [mean[key] for key in ("AP", "AP50", "AP75", "AR")]
        cells += [result.rows[label]["AP50"] for label in labels]
        cells += [every["AP50"], *(every[f"AP50/{size}"] for size in SIZES)]
        cells += [point.precision, point.recall, point.f1]
        table.add_row(name, *map(format_number, cells))
    return table


def label_table(rows: Mapping[str, MetricsRow], points: Mapping[str, Points], target: str) -> Table:
    """A row for each label: metrics, and thresholds for a precision and for the best F1.

    Args:
        rows: result of `coco_metrics`.
        points: the points `target`, `best F1` and `as run` for each row but the mean.
        target: name of the point with the target precision.
    """
    sizes = [*(f"AP50/{size}" for size in SIZES)]
    table = _table("label", ["objects", "AP", "AP50", "AP75", "AR", *SIZES])
    for title in ("P", "R", f"{target} from", "R there", "best F1 from", "F1 there"):
        table.add_column(title, justify="right")
    for label, row in rows.items():
        cells = [row[key] for key in ("AP", "AP50", "AP75", "AR", *sizes)]
        ends: list[float | None] = [None] * 6
        if label in points:
            run, precise, best = (points[label][kind] for kind in (RUN, target, BEST))
            assert run is not None  # only the target precision may be unreachable
            assert best is not None
            ends = [run.precision, run.recall, best.threshold, best.f1]
            ends[2:2] = (precise.threshold, precise.recall) if precise else (None, None)
        table.add_row(label, f"{row['objects']:.0f}", *map(format_number, [*cells, *ends]))
    return table


def confusion_table(counts: Counts, labels: Sequence[str]) -> Table:
    """True label by row, detected label by column; `nothing` are boxes without an object."""
    table = _table("truth \\ found", [*labels, MISSED])
    for name, row in zip([*labels, NOTHING], counts, strict=True):
        table.add_row(name, *map(str, row[:-1]), str(row[-1]) if name != NOTHING else "")
    return table


def loose_table(groups: Mapping[str, Counts], labels: Sequence[str]) -> Table:
    """A row for each group and true label: number of objects detected as each label."""
    table = _table("images", ["truth", "objects", *labels, MISSED, "wrong label"])
    for group, counts in groups.items():
        for name, row in zip(labels, counts, strict=False):
            objects = int(row.sum())
            if objects:
                wrong = objects - int(row[-1]) - int(row[labels.index(name)])
                cells = [name, str(objects), *map(str, row), f"{100 * wrong / objects:.1f} %"]
                table.add_row(group, *cells)
        if counts[-1].any():
            table.add_row(group, "no object", "", *map(str, counts[-1][:-1]), "", "")
    return table


def _table(first: str, others: Sequence[str]) -> Table:
    table = Table(first, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in others:
        table.add_column(title, justify="right")
    return table


def score_scale_line(scale: ScoreScale | None) -> str:
    """How trackers are to take the scores."""
    if scale is None:
        return "score scale: not measured, there are too few right or wrong detections"
    return (
        f"score scale: two of three detections with a score of {scale.level:g} are right; "
        f"detector.score_scale=[{scale.level:g},{scale.slope:g}]"
    )


def content(result: EvaluationResult, loose: LooseResult | None) -> dict[str, Any]:
    """All metrics and curves of an evaluation, for `metrics.json`."""
    values: dict[str, Any] = {
        "labels": result.labels,
        "threshold": result.threshold,
        "slices": {
            name: {**each.rows, "at threshold": _point(each.point)}
            for name, each in result.slices.items()
        },
        "points": {
            name: {kind: point and _point(point) for kind, point in points.items()}
            for name, points in result.points.items()
        },
        "confusion": result.confusion,
        "reliability": {
            "error": result.reliability.error,
            "scores": result.reliability.scores,
            "precision": result.reliability.precision,
            "counts": result.reliability.counts,
        },
        "score_scale": result.score_scale and [result.score_scale.level, result.score_scale.slope],
        "curves": {name: curve._asdict() for name, curve in result.curves.items()},
    }
    if loose is not None:
        values["confusion on loose boxes"] = {
            group: {"counts": counts, "fractions": label_fractions(counts, loose.labels)}
            for group, counts in loose.groups.items()
        }
    return values


def _point(point: OperatingPoint) -> dict[str, float]:
    return {**point._asdict(), "F1": point.f1}


def format_number(value: float | None) -> str:
    """A number with three decimals; a dash for None and NaN."""
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def to_json(value: Any) -> Any:
    """Convert a value for JSON: named tuples to objects, arrays to lists, NaN to null."""
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return to_json(value._asdict())
    if hasattr(value, "tolist"):
        return to_json(value.tolist())
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 5)
    return value
