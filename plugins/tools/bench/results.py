"""A result of a measurement: tables and plots for people, JSON for programs.

A result is a dictionary that JSON can hold. Whatever was measured, it has these keys, and
`benchmarks.report` needs no others to put it into the README:

    name         of the file, `<name>.json`
    title        for people
    command      that measures it again
    environment  of `environment.environment()`
    tables       list of `Table`s as dictionaries
    plots        names of the images beside the file

and what was measured, under keys of its own.
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

from vidan.cli.subcommands import write_json
from vidan.errors import ConfigError, SinkError

from .environment import environment, one_line

Cell = str | float | int | None
"""A cell of a table; None is empty."""


@dataclass(frozen=True)
class Table:
    """Rows for people: in a terminal, and in Markdown.

    Attributes:
        title: what the rows are.
        columns: their names; all but the first are numbers and stand to the right.
        rows: a cell for each column.
        note: a sentence below it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def shown(self) -> rich.table.Table:
        """The table for a terminal."""
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
    """A cell as people read it: numbers with three figures, or whole where they are large."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return str(cell)


def spread(values: Iterable[float]) -> dict[str, Any]:
    """Figures of several runs: `median`, `low`, `high`, and the `runs` themselves."""
    runs = [round(float(value), 4) for value in values]
    return {
        "median": statistics.median(runs),
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
    """A result, with the environment as of now; see the top of this module."""
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


def save(found: Mapping[str, Any], folder: Path) -> Path:
    """Write `<name>.json` into a folder, which is made if it is not there.

    Raises:
        SinkError: it cannot be written.
    """
    path = folder / f"{found['name']}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, found)
    except OSError as error:
        raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error
    return path


def load(path: Path) -> dict[str, Any]:
    """Read a result.

    Raises:
        ConfigError: there is none in the file.
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
