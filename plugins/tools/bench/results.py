"""Results of measurements: tables and plots to read, JSON to process.

A result is a dictionary of JSON values. All results have these keys, which are all that
`benchmarks.report` needs to show one:

    name         of the file, `<name>.json`
    title        one line
    command      repeats the measurement
    environment  as returned by `environment.environment()`
    tables       list of `Table`s as dictionaries
    plots        names of the image files in the same folder

The measured figures have keys of their own: medians, ranges and percentiles, from which the plots
can be drawn again. Raw samples are not part of a result.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rich.table
from rich.console import Console

from vidan.errors import ConfigError, SinkError

from .environment import environment, one_line

MAX_LINE = 160
"""Longest JSON value that is kept on one line although it contains others."""

Cell = str | float | int | None
"""A cell of a table; None is shown as an empty cell."""


@dataclass(frozen=True)
class Table:
    """A table for the terminal and for Markdown.

    Attributes:
        title: above the table.
        columns: their names; all but the first hold numbers and are right-aligned.
        rows: one cell per column.
        note: a sentence below the table.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def shown(self) -> rich.table.Table:
        """The table for the terminal."""
        grid = rich.table.Table(title=self.title, title_justify="left", box=None)
        for n, column in enumerate(self.columns):
            grid.add_column(column, justify="right" if n else "left")
        for row in self.rows:
            grid.add_row(*map(text, row))
        return grid

    def markdown(self) -> str:
        """The table as Markdown."""
        rule = ["---"] + ["---:"] * (len(self.columns) - 1)
        cells = [list(self.columns), rule, *([text(c) for c in row] for row in self.rows)]
        lines = ["| " + " | ".join(row) + " |" for row in cells]
        return "\n".join([f"**{self.title}**", "", *lines, *(["", self.note] if self.note else [])])


def text(cell: Cell) -> str:
    """A cell as text: numbers with three significant digits, large ones as integers."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return str(cell)


def spread(values: Iterable[float]) -> dict[str, Any]:
    """Summary of several runs: `median`, `low`, `high`, and the value of each run in `runs`."""
    runs = [round(float(value), 4) for value in values]
    return {
        "median": round(statistics.median(runs), 4),
        "low": min(runs),
        "high": max(runs),
        "runs": runs,
    }


def result(
    name: str,
    title: str,
    command: str,
    tables: Sequence[Table],
    plots: Sequence[str] = (),
    **measured: Any,
) -> dict[str, Any]:
    """A result with the current environment; see the top of this module."""
    return {
        "name": name,
        "title": title,
        "command": command,
        "environment": environment(),
        "tables": [asdict(table) for table in tables],
        "plots": list(plots),
        **measured,
    }


def tables(found: Mapping[str, Any]) -> list[Table]:
    """The tables of a result."""
    return [Table(**table) for table in found["tables"]]


def show(found: Mapping[str, Any], console: Console) -> None:
    """Print a result."""
    for table in tables(found):
        console.print(table.shown())
        console.print(f"{table.note}\n", style="dim")
    console.print(one_line(found["environment"]), style="dim")


def layout(value: Any, indent: str = "") -> str:
    """JSON in which only long values that contain others are broken over several lines."""
    line = json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    if isinstance(value, Mapping):
        parts = [f"{json.dumps(key)}: {layout(item, inner)}" for key, item in value.items()]
        nested = any(isinstance(item, Mapping | list) for item in value.values())
    elif isinstance(value, list):
        parts = [layout(item, inner) for item in value]
        nested = any(isinstance(item, Mapping | list) for item in value)
    else:
        return line
    if len(line) <= MAX_LINE or not nested:
        return line
    return line[0] + ",".join(f"\n{inner}{part}" for part in parts) + f"\n{indent}{line[-1]}"


def save(found: Mapping[str, Any], folder: Path) -> Path:
    """Write `<name>.json` into a folder, which is created if needed.

    Raises:
        SinkError: the file cannot be written.
    """
    path = folder / f"{found['name']}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(layout(found) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error
    return path


def load(path: Path) -> dict[str, Any]:
    """Read a result.

    Raises:
        ConfigError: the file cannot be read or holds no result.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{str(path)!r}: not JSON: {error}") from error
    if not isinstance(found, dict) or not {"name", "environment", "tables"} <= found.keys():
        raise ConfigError(f"{str(path)!r}: not a result of vidan's benchmarks")
    return found
