"""The report of an evaluation of counts: a table and a plot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

from vidan.support.extras import import_extra

from ..tracking.report import COMBINED
from ..tracking.sequences import DETECTOR_SUFFIX
from .scores import Scores
from .visit_scores import VisitScores


class Column(NamedTuple):
    """A column of the table: its title, its key in the summary, and the format of its values."""

    title: str
    key: str
    form: str


CROSSING_COLUMNS = (
    Column("true", "true", "{:d}"),
    Column("counted", "counted", "{:d}"),
    Column("prec", "precision", "{:.3f}"),
    Column("recall", "recall", "{:.3f}"),
    Column("F1", "f1", "{:.3f}"),
    Column("error", "count_error", "{:.3f}"),
    Column("time s", "time_error", "{:.2f}"),
    Column("OD", "origin_destination", "{:.2f}"),
)

VISIT_COLUMNS = (
    *CROSSING_COLUMNS[:5],
    Column("dwell", "dwell_error", "{:.3f}"),
    Column("seconds", "person_seconds_ratio", "{:.3f}"),
    Column("loiter", "loitering_f1", "{:.3f}"),
)


BAR = 0.27
"""Width of a bar of the plot; three are one unit apart from the next three."""


def table(rows: Mapping[str, Scores] | Mapping[str, VisitScores]) -> Table:
    """A table of scores, at most 80 characters wide."""
    is_visits = any(isinstance(scores, VisitScores) for scores in rows.values())
    columns = VISIT_COLUMNS if is_visits else CROSSING_COLUMNS
    grid = Table("sequence", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        grid.add_column(column.title, justify="right")
    for name, scores in rows.items():
        summary = scores.summary()
        cells = [
            "" if summary[column.key] is None else column.form.format(summary[column.key])
            for column in columns
        ]
        grid.add_row(name, *cells, style="bold" if name == COMBINED else None)
    return grid


def check() -> Any:
    """The module that draws.

    Raises:
        PluginError: matplotlib is not installed.
    """
    return import_extra("matplotlib.figure", "eval")


def plot(path: Path, rows: Mapping[str, Scores], title: str) -> None:
    """Draw F1 of each sequence, and counted over true crossings of each gate and direction.

    Args:
        path: of the image.
        rows: scores by sequence.
        title: of the plot.

    Raises:
        PluginError: matplotlib is not installed.
    """
    figure = check().Figure(figsize=(6.0 + 0.45 * len(rows), 4.8), layout="constrained")
    bars, points = figure.subplots(1, 2, width_ratios=(max(0.45 * len(rows), 2.0), 4.0))
    places = range(len(rows))
    for k, key in enumerate(("precision", "recall", "f1")):
        values = [scores.summary()[key] or 0.0 for scores in rows.values()]
        bars.bar([n + (k - 1) * BAR for n in places], values, BAR, label=key.replace("f1", "F1"))
    bars.set_xticks(places, list(rows), rotation=60, ha="right")
    bars.set(ylim=(0, 1.1), title=title)
    bars.legend(ncols=3, loc="upper center", frameon=False, fontsize="small")
    _plot_counts(points, rows)
    for axes in (bars, points):
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def _plot_counts(axes: Any, rows: Mapping[str, Scores]) -> None:
    """Counted over true crossings: a point for each sequence, gate and direction."""
    groups: dict[str, list[tuple[int, int]]] = {}
    for name, scores in rows.items():
        suffix = DETECTOR_SUFFIX.search(name)
        groups.setdefault(suffix[1] if suffix else "", []).extend(scores.gates.values())
    random = np.random.default_rng(0)
    largest = max((n for pairs in groups.values() for pair in pairs for n in pair), default=1) + 1
    axes.plot([0, largest], [0, largest], color="gray", linewidth=1)
    for name, pairs in sorted(groups.items()):
        spread = np.array(pairs, float).reshape(-1, 2) + random.uniform(-0.2, 0.2, (len(pairs), 2))
        axes.scatter(spread[:, 0], spread[:, 1], s=16, alpha=0.7, label=name or None)
    axes.set(xlabel="true crossings", ylabel="counted", title="each gate and direction")
    axes.set_aspect("equal")
    if any(groups):
        axes.legend(frameon=False, fontsize="small")
