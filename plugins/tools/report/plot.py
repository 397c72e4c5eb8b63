"""The answers of a report as a plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from vidan.errors import SinkError
from vidan.support.extras import import_extra
from vidan.support.text import one_line

from .questions import Answer
from .selection import Axis

COLORS = {
    "in": "#4477aa",
    "out": "#cc6677",
    "entered": "#228833",
    "left": "#aa7733",
    "flows": "#aa3377",
}
DAY_S, HOUR_S, MINUTE_S = 86_400.0, 3600.0, 60.0

MAX_BARS = 30
"""Bars with a name at most; the largest ones are drawn."""


def draw(path: Path, answers: Mapping[str, Answer], axis: Axis, length: float) -> None:
    """Draw the intervals, lines, zones and flows, as far as there are any.

    Raises:
        ConfigError, PluginError, SinkError: there is nothing to draw, matplotlib is not installed,
            or the file cannot be written.
    """
    panels: dict[str, Callable[[Any, Answer], None]] = {
        "hours": lambda axes, answer: _intervals(axes, answer, axis, length),
        "lines": _lines,
        "zones": _zones,
        "flows": _flows,
    }
    drawn = [name for name in panels if name in answers and answers[name].rows]
    if not drawn:
        raise SinkError("there is nothing to plot: hours, lines, zones and flows are empty")
    heights = [3.0 if name == "hours" else 1.2 + 0.28 * _bars(answers[name]) for name in drawn]
    figure = import_extra("matplotlib.figure", "report").Figure(
        figsize=(10, sum(heights)), layout="constrained"
    )
    every = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, name in zip(every, drawn, strict=True):
        panels[name](axes, answers[name])
        axes.set_title(answers[name].title, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:  # of a suffix that is no format
        raise SinkError(f"cannot write {str(path)!r}: {error}") from error


def _bars(answer: Answer) -> int:
    return min(len(answer.rows), MAX_BARS)


def _intervals(axes: Any, answer: Answer, axis: Axis, length: float) -> None:
    """A line of steps for each column."""
    starts = np.array([row[0] for row in answer.rows], float)
    unit, name = (DAY_S, "") if axis.clock else _unit(starts[-1] + length)
    edges = np.append(starts, starts[-1] + length) / unit
    for number, column in enumerate(answer.columns[1:], 1):
        values = [row[number] for row in answer.rows]
        axes.stairs(values, edges, color=COLORS[column], label=column, linewidth=2)
    axes.set_ylim(0)
    _legend(axes)
    if not axis.clock:
        axes.set_xlabel(f"stream time, {name}")
        return
    dates = import_extra("matplotlib.dates", "report")
    zone = axis.zone or datetime.now(UTC).astimezone().tzinfo
    locator = dates.AutoDateLocator(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))


def _unit(longest: float) -> tuple[float, str]:
    """A unit that suits times up to this one, in s, and its name."""
    if longest <= 10 * MINUTE_S:
        return 1.0, "s"
    return (MINUTE_S, "min") if longest <= 10 * HOUR_S else (HOUR_S, "h")


def _lines(axes: Any, answer: Answer) -> None:
    """For each line the crossings in both directions."""
    rows = answer.rows[:MAX_BARS]
    places = np.arange(len(rows))
    for shift, name in ((-0.2, "in"), (0.2, "out")):
        values = [row[answer.columns.index(name)] for row in rows]
        bars = axes.barh(places + shift, values, 0.4, color=COLORS[name], label=name)
        axes.bar_label(bars, padding=2, fontsize="small")
    _name(axes, [_title(row[:3]) for row in rows])
    _legend(axes)


def _zones(axes: Any, answer: Answer) -> None:
    """For each zone the median of the dwell times, and a line up to the 90th percentile."""
    rows = [row for row in answer.rows if row[6] is not None][:MAX_BARS]
    places = np.arange(len(rows))
    middle = [row[6] for row in rows]
    axes.barh(places, middle, 0.5, color=COLORS["entered"], label="median")
    axes.hlines(places, middle, [row[7] for row in rows], color="#666666", label="90th percentile")
    for place, row in zip(places, rows, strict=True):
        note = f"  {row[5]} visits" if row[5] != 1 else "  1 visit"
        axes.annotate(note, (row[7], place), va="center", fontsize="small")
    _name(axes, [_title(row[:3]) for row in rows])
    axes.set_xlabel("dwell, s")
    axes.margins(x=0.15)
    _legend(axes)


def _flows(axes: Any, answer: Answer) -> None:
    """For each origin and destination the number of flows."""
    rows = sorted(answer.rows, key=lambda row: -row[4])[:MAX_BARS]
    bars = axes.barh(np.arange(len(rows)), [row[4] for row in rows], 0.6, color=COLORS["flows"])
    axes.bar_label(bars, padding=2, fontsize="small")
    _name(axes, [f"{_title(row[:1])}: {row[1]} → {row[2]}, {row[3]}" for row in rows])


def _legend(axes: Any) -> None:
    """A legend beside the title, where it hides nothing."""
    axes.legend(frameon=False, ncols=5, loc="lower right", bbox_to_anchor=(1, 0.98), borderpad=0)


def _name(axes: Any, names: list[str]) -> None:
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()


def _title(parts: tuple[Any, ...]) -> str:
    # A dollar sign would begin a formula.
    return one_line(", ".join(str(part) for part in parts if part)).replace("$", r"\$")[:60]
