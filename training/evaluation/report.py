"""Tables of an evaluation, and its content as JSON."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.measure import Measurement
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

MAX_PAIRS = 20
"""Pairs of labels in `confusion_list`."""


def slice_table(slices: Mapping[str, SliceResult], labels: Sequence[str]) -> Table:
    """A column for each slice: mean over labels, each label, any label, and at the threshold."""
    columns = {name: _slice_metrics(each, labels) for name, each in slices.items()}
    table = _table("", list(columns))
    for title in next(iter(columns.values())):
        table.add_row(title, *(format_number(column[title]) for column in columns.values()))
    return table


def _slice_metrics(result: SliceResult, labels: Sequence[str]) -> dict[str, float]:
    """Metrics of a slice by title; parts of AP50 are indented."""
    mean, every, point = result.rows[ALL], result.rows[ANY], result.point
    return {
        **{key: mean[key] for key in ("AP", "AP75", "AR", "AP50")},
        **{f"  {label}": result.rows[label]["AP50"] for label in labels},
        f"  {ANY}": every["AP50"],
        **{f"  {ANY}, {size}": every[f"AP50/{size}"] for size in SIZES},
        "P": point.precision,
        "R": point.recall,
        "F1": point.f1,
    }


def label_table(rows: Mapping[str, MetricsRow]) -> Table:
    """A row for each label with its metrics: result of `coco_metrics`."""
    table = _table("label", ["objects", "AP", "AP50", "AP75", "AR", *SIZES])
    keys = ("AP", "AP50", "AP75", "AR", *(f"AP50/{size}" for size in SIZES))
    for label, row in rows.items():
        table.add_row(label, f"{row['objects']:.0f}", *(format_number(row[key]) for key in keys))
    return table


def threshold_table(points: Mapping[str, Points], target: str) -> Table:
    """A row for each label: precision and recall as run, and thresholds with what they reach.

    Args:
        points: the points `target`, `best F1` and `as run` for each label.
        target: name of the point with the target precision.
    """
    table = _table("label", ["P", "R", f"{target} from", "R there", f"{BEST} from", "F1 there"])
    for label, of_label in points.items():
        run, precise, best = (of_label[kind] for kind in (RUN, target, BEST))
        assert run is not None  # only the target precision may be unreachable
        assert best is not None
        reached = (precise.threshold, precise.recall) if precise else (None, None)
        cells = [run.precision, run.recall, *reached, best.threshold, best.f1]
        table.add_row(label, *map(format_number, cells))
    return table


def confusion_table(counts: Counts, labels: Sequence[str]) -> Table:
    """True label by row, detected label by column; `nothing` are boxes without an object."""
    table = _table("truth \\ found", [*labels, MISSED])
    for name, row in zip([*labels, NOTHING], counts, strict=True):
        table.add_row(name, *map(str, row[:-1]), str(row[-1]) if name != NOTHING else "")
    return table


def confusion_list(groups: Mapping[str, Counts], labels: Sequence[str]) -> Table:
    """A row for each pair of a true and a detected label, most frequent first.

    For data with many labels, whose `confusion_table` or `loose_table` is too wide.
    """
    table = _table("truth", [])
    for title in ("found", *(["images"] if len(groups) > 1 else [])):
        table.add_column(title, overflow="fold")
    table.add_column("boxes", justify="right")
    truths, found = [*labels, NOTHING], [*labels, MISSED]
    pairs = [
        (int(count), truths[t], found[f], group)
        for group, counts in groups.items()
        for (t, f), count in np.ndenumerate(counts)
        if count
    ]
    for count, truth, label, group in sorted(pairs, key=lambda pair: -pair[0])[:MAX_PAIRS]:
        table.add_row(truth, label, *([group] if len(groups) > 1 else []), str(count))
    if len(pairs) > MAX_PAIRS:
        table.caption = f"{len(pairs) - MAX_PAIRS} more pairs in metrics.json"
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


def confusion_choice(
    groups: Mapping[str, Counts], labels: Sequence[str], terminal: Console
) -> Table:
    """The table of the confusions in one or several groups, or a list if it is too wide."""
    table = confusion_table(groups[""], labels) if "" in groups else loose_table(groups, labels)
    needed = terminal.options.update(width=sys.maxsize)
    width = Measurement.get(terminal, needed, table).maximum
    return table if width <= terminal.width else confusion_list(groups, labels)


def _table(first: str, others: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
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
