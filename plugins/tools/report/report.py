"""`vidan report`: answers questions about the events of runs."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from omegaconf import OmegaConf
from rich.table import Table

from vidan import options
from vidan.cli.terminal import console
from vidan.config.compose import compose
from vidan.errors import ConfigError, SinkError
from vidan.support.text import csv_cell, one_line

from .loading import load
from .places import find_places, is_url
from .questions import QUESTIONS, Answer
from .selection import Axis, length_of, select

log = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Report on the place that the arguments name; the others are keys of `conf/report.yaml`."""
    source, overrides = _divided(arguments)
    config = compose(overrides, "report")
    length, asked = length_of(config.every), _questions(config.questions)
    places = find_places(source)
    connection = load(places)
    axis = select(connection, config)
    answers = {name: QUESTIONS[name](connection, axis, length) for name in asked}
    _show(connection, axis, answers, config.questions is not None)
    if config.csv is not None:
        _write_csv(options.path("csv", config.csv), answers, axis)
    if config.plot is not None:
        from .plot import draw

        path = options.path("plot", config.plot)
        draw(path, answers, axis, length)
        console().print(f"output  {path}")
    return 0


def _divided(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The place to report on, and the overrides.

    Raises:
        ConfigError: there is no place, or more than one.
    """
    places = [a for a in arguments if is_url(a) or "=" not in a or Path(a).exists()]
    if len(places) != 1:
        raise ConfigError(
            "expected one run, folder, file or database: vidan report <place> [key=value] ..."
        )
    return places[0], [argument for argument in arguments if argument != places[0]]


def _questions(value: Any) -> Sequence[str]:
    if value is None:
        return list(QUESTIONS)
    plain = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
    return [options.choice("questions", n, QUESTIONS) for n in options.names("questions", plain)]


def _show(connection: Any, axis: Axis, answers: Mapping[str, Answer], asked: bool) -> None:
    """Print what the report is about, and each answer; an empty one only if it was asked for."""
    terminal = console()
    terminal.print(_head(connection, axis))
    shown = [answer for answer in answers.values() if answer.rows or asked]
    for answer in shown:
        terminal.print()
        terminal.print(_table(answer, axis) if answer.rows else f"{answer.title}: none")


def _head(connection: Any, axis: Axis) -> str:
    """How many runs and streams, and from when to when."""
    runs, streams, count, first, last, unclear = connection.execute(
        "SELECT count(DISTINCT run), count(DISTINCT stream), count(*), min(t), max(t), "
        "count(*) - count(t) FROM events"
    ).fetchone()
    if not count:
        return "no crossings, visits or flows: check the scene, and the options of the report"
    if unclear:
        log.warning("%d events have no date and time, and are in no interval", unclear)
    times = f"{axis.shown(int(first))} to {axis.shown(int(last))}"
    kind = "" if axis.clock else ", stream time"
    return f"{_number(runs, 'run')}, {_number(streams, 'stream')}, {times}{kind}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _table(answer: Answer, axis: Axis) -> Table:
    table = Table(title=answer.title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name, values in zip(answer.columns, zip(*answer.rows, strict=True), strict=True):
        is_name = any(isinstance(value, str) for value in values)
        # Long names go on in the next line where the terminal is too narrow; numbers never do.
        justify: Literal["left", "right"] = "left" if is_name or name in answer.times else "right"
        table.add_column(name, justify=justify, no_wrap=not is_name, overflow="fold")
    offset = axis.changes(_times(answer))
    for row in answer.rows:
        table.add_row(*_texts(answer, axis, row, offset))
    return table


def _times(answer: Answer) -> list[float]:
    places = [answer.columns.index(name) for name in answer.times]
    return sorted(row[place] for row in answer.rows for place in places)


def _texts(answer: Answer, axis: Axis, row: Sequence[Any], offset: bool) -> Iterator[str]:
    for name, value in zip(answer.columns, row, strict=True):
        yield axis.shown(value, offset=offset) if name in answer.times else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    return "-" if value is None else one_line(str(value))


def _write_csv(folder: Path, answers: Mapping[str, Answer], axis: Axis) -> None:
    """Write one file per answer; times have their UTC offset, or are in s.

    Raises:
        SinkError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, answer in answers.items():
            path = folder / f"{name}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(answer.columns)
                writer.writerows(_csv_row(answer, axis, row) for row in answer.rows)
            console().print(f"output  {path}")
    except OSError as error:
        raise SinkError(f"cannot write into {str(folder)!r}: {error.strerror}") from error


def _csv_row(answer: Answer, axis: Axis, row: Sequence[Any]) -> list[Any]:
    def value(name: str, each: Any) -> Any:
        if name in answer.times and axis.clock:
            return axis.shown(each, offset=True)
        return round(each, 3) if isinstance(each, float) else csv_cell(each)

    return [value(name, each) for name, each in zip(answer.columns, row, strict=True)]
