"""The report of an evaluation: a table and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from vidan.support.extras import import_extra

from .metrics import COLUMNS

COMBINED = "combined"
"""Name of the row of all sequences scored as one."""

PLOTTED = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
"""Metrics that the plot shows for each sequence."""


def table(rows: Sequence[tuple[str, Mapping[str, float]]], first: str = "sequence") -> Table:
    """A table of metrics.

    Args:
        rows: name and metrics (`metrics.summarize`) of each row, with `ms` if it was timed.
        first: title of the first column.
    """
    grid = Table(first, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    titles = [c.title for c in COLUMNS]
    if any("ms" in row for _, row in rows):
        titles.append("ms")
    for title in titles:
        grid.add_column(title, justify="right")
    for name, row in rows:
        cells = [_cell(title, row.get(title)) for title in titles]
        grid.add_row(name, *cells, style="bold" if name.startswith(COMBINED) else None)
    return grid


def _cell(title: str, value: float | None) -> str:
    if value is None:
        return ""
    percent = any(c.percent for c in COLUMNS if c.title == title)
    return f"{value:.1f}" if percent else f"{value:.2f}" if title == "ms" else f"{value:.0f}"


def plot(
    path: Path,
    rows: Mapping[str, Mapping[str, float]],
    curve: Mapping[str, list[float]],
    title: str,
) -> None:
    """Draw the metrics of each sequence as bars, and HOTA over its threshold.

    Raises:
        PluginError: matplotlib is not installed.
    """
    figure = import_extra("matplotlib.figure", "eval").Figure(
        figsize=(6.0 + 0.75 * len(rows), 4.8), layout="constrained"
    )
    bars, line = figure.subplots(1, 2, width_ratios=(max(len(rows) * 0.75, 2.0), 3.0))
    width = 0.8 / len(PLOTTED)
    for k, key in enumerate(PLOTTED):
        places = [n + (k - (len(PLOTTED) - 1) / 2) * width for n in range(len(rows))]
        bars.bar(places, [row[key] for row in rows.values()], width, label=key)
    bars.set_xticks(range(len(rows)), list(rows), rotation=35, ha="right")
    lowest = min(row[key] for row in rows.values() for key in PLOTTED)
    bars.set(ylabel="%", ylim=(max(min(0.0, lowest), -100.0), 100), title=title)
    bars.legend(ncols=len(PLOTTED), loc="upper center", frameon=False, fontsize="small")
    for key in ("HOTA", "DetA", "AssA"):
        line.plot(curve["alpha"], curve[key], marker=".", label=key)
    line.set(xlabel="localization threshold alpha", ylim=(0, 100), xlim=(0, 1), title=COMBINED)
    line.legend(frameon=False, fontsize="small")
    for axes in (bars, line):
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
