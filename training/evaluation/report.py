"""What an evaluation prints, and what it keeps as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from .coco import ALL, ANY, SIZES, Row
from .confusion import Table as Counts
from .measure import BEST, RUN, Heads, Outcome, Points, Slice, shares
from .ranking import Point

NOTHING, MISSED = "nothing", "missed"


def slice_table(slices: Mapping[str, Slice], labels: Sequence[str]) -> Table:
    """A row for each slice: means over the labels, each label, all boxes, and the threshold's."""
    grid = _grid("slice", ["AP", "AP50", "AP75", "AR", *(f"{label} AP50" for label in labels)])
    for title in ("any label AP50", *(f"{size} AP50" for size in SIZES), "P", "R", "F1"):
        grid.add_column(title, justify="right")
    for name, one in slices.items():
        mean, every, point = one.rows[ALL], one.rows[ANY], one.point
        cells = [mean[key] for key in ("AP", "AP50", "AP75", "AR")]
        cells += [one.rows[label]["AP50"] for label in labels]
        cells += [every["AP50"], *(every[f"AP50/{size}"] for size in SIZES)]
        grid.add_row(name, *map(number, [*cells, point.precision, point.recall, point.f1]))
    return grid


def label_table(rows: Mapping[str, Row], points: Mapping[str, Points], wanted: str) -> Table:
    """A row for each label: its figures, and the thresholds for precision and for the best F1.

    Args:
        rows: of `coco`.
        points: for each row but the mean the points `wanted`, `best F1` and `as run`.
        wanted: the name of the point with the precision that was asked for.
    """
    names = [*(f"AP50/{size}" for size in SIZES)]
    grid = _grid("label", ["objects", "AP", "AP50", "AP75", "AR", *SIZES])
    for title in ("P", "R", f"{wanted} from", "R there", "best F1 from", "F1 there"):
        grid.add_column(title, justify="right")
    for label, row in rows.items():
        cells = [row[key] for key in ("AP", "AP50", "AP75", "AR", *names)]
        ends: list[float | None] = [None] * 6
        if label in points:
            run, sure, best = (points[label][kind] for kind in (RUN, wanted, BEST))
            assert run is not None  # only a precision may not be reached
            assert best is not None
            ends = [run.precision, run.recall, best.threshold, best.f1]
            ends[2:2] = (sure.threshold, sure.recall) if sure else (None, None)
        grid.add_row(label, f"{row['objects']:.0f}", *map(number, [*cells, *ends]))
    return grid


def confusion_table(counts: Counts, labels: Sequence[str]) -> Table:
    """Truth by row, found by column; `nothing` are boxes without an object."""
    grid = _grid("truth \\ found", [*labels, MISSED])
    for name, row in zip([*labels, NOTHING], counts, strict=True):
        grid.add_row(name, *_cells(row[:-1]), str(row[-1]) if name != NOTHING else "")
    return grid


def loose_table(groups: Mapping[str, Counts], labels: Sequence[str]) -> Table:
    """A row for each group and true label: how many heads were given which label."""
    grid = _grid("pictures", ["truth", "heads", *labels, MISSED, "wrong label"])
    for group, counts in groups.items():
        for name, row in zip(labels, counts, strict=False):
            heads = int(row.sum())
            if heads:
                wrong = heads - int(row[-1]) - int(row[labels.index(name)])
                cells = [name, str(heads), *_cells(row), f"{100 * wrong / heads:.1f} %"]
                grid.add_row(group, *cells)
        if counts[-1].any():
            grid.add_row(group, "no head", "", *_cells(counts[-1][:-1]), "", "")
    return grid


def _grid(first: str, others: Sequence[str]) -> Table:
    grid = Table(first, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in others:
        grid.add_column(title, justify="right")
    return grid


def _cells(counts: Sequence[int]) -> list[str]:
    return [str(n) for n in counts]


def content(outcome: Outcome, heads: Heads | None) -> dict[str, Any]:
    """What is kept of an evaluation: all figures, and the curves."""
    kept: dict[str, Any] = {
        "labels": outcome.labels,
        "threshold": outcome.threshold,
        "slices": {
            name: {**one.rows, "at threshold": _point(one.point)}
            for name, one in outcome.slices.items()
        },
        "points": {
            name: {kind: point and _point(point) for kind, point in points.items()}
            for name, points in outcome.points.items()
        },
        "confusion": outcome.counts,
        "reliability": {
            "error": outcome.reliable.error,
            "scores": outcome.reliable.scores,
            "precision": outcome.reliable.precision,
            "counts": outcome.reliable.counts,
        },
        "curves": {name: one._asdict() for name, one in outcome.curves.items()},
    }
    if heads is not None:
        kept["confusions on loose boxes"] = {
            group: {"counts": counts, "shares": shares(counts, heads.labels)}
            for group, counts in heads.groups.items()
        }
    return kept


def _point(point: Point) -> dict[str, float]:
    return {**point._asdict(), "F1": point.f1}


def number(value: float | None) -> str:
    """A figure with three places; a dash for none."""
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def plain(value: Any) -> Any:
    """A value as JSON has it: named tuples by their fields, arrays as lists, NaN as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 5)
    return value
