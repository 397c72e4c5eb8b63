"""What a person sees of a run: a bar in a terminal, plain lines elsewhere, a table at the end."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..stats import Stats

log = logging.getLogger(__name__)

Item = TypeVar("Item")

WIDE = 500
"""Columns where there is no terminal."""

LINE_EVERY = 5.0
"""How often a plain line is printed, s."""


SHOWN_OUTAGES = 5
"""The table tells of so many of the latest outages; summary.json of all."""


class Display(Protocol):
    """Shows how far a run is."""

    def __call__(self, stats: Stats) -> None:
        """Show the figures as of now."""
        ...

    def close(self) -> None:
        """Show no more."""
        ...


class Bar:
    """A progress bar: frames, of how many, fps, dropped, time left.

    Args:
        console: the terminal.
        total: how many frames there will be; None if that is not known.
    """

    def __init__(self, console: Console, total: int | None) -> None:
        self._progress = Progress(
            TextColumn("vidan"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[fps]:.1f} fps  {task.fields[dropped]} dropped"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("frames", total=total, fps=0.0, dropped=0)
        self._progress.start()

    def __call__(self, stats: Stats) -> None:
        """Move the bar."""
        self._progress.update(
            self._task, completed=stats.frames, fps=stats.fps, dropped=stats.dropped
        )

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()


class Lines:
    """A plain line every LINE_EVERY s, where there is no terminal."""

    def __init__(self, total: int | None) -> None:
        self._of = "" if total is None else f" of {total}"
        self._due = time.monotonic() + LINE_EVERY

    def __call__(self, stats: Stats) -> None:
        """Print a line if one is due."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + LINE_EVERY
        log.info(
            "%d%s frames, %.1f fps, %d dropped", stats.frames, self._of, stats.fps, stats.dropped
        )

    def close(self) -> None:
        """Nothing to take away."""


def console(*, stderr: bool = False) -> Console:
    """What people look at: as wide as their terminal; nothing is cut where there is none."""
    terminal = Console(stderr=stderr, highlight=False)
    return terminal if terminal.is_terminal else Console(stderr=stderr, highlight=False, width=WIDE)


def display(total: int | None, terminal: Console) -> Display:
    """A bar where there is a terminal, else plain lines."""
    return Bar(terminal, total) if terminal.is_terminal else Lines(total)


def log_handler(terminal: Console) -> logging.Handler:
    """A handler for stderr that does not tear the progress bar."""
    if terminal.is_terminal:
        return RichHandler(console=terminal, show_time=False, show_path=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("vidan: %(message)s"))
    return handler


def table(summary: Mapping[str, Any]) -> Table:
    """The end of a run as a table: what `summary.json` says, for people."""
    grid = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    dropped = f"{summary['dropped']} dropped, {summary['skipped']} skipped"
    grid.add_row("frames", f"{summary['frames']} ({dropped})")
    objects = ", ".join(f"{count} {label}" for label, count in summary["objects"].items())
    grid.add_row("objects", objects or f"none followed, {summary['detections']} detections")
    grid.add_row("speed", f"{summary['fps']:.1f} fps")
    for stage, ms in summary["stages_ms"].items():
        grid.add_row(f"{stage}, ms", _percentiles(ms))
    for sink, ms in summary["age_ms"].items():
        grid.add_row(f"age at {sink}, ms", _percentiles(ms))
    for title, text in _outages(summary.get("outages", ())):
        grid.add_row(title, text)
    for path in summary["outputs"]:
        grid.add_row("output", path)
    return grid


def _outages(outages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """How often and for how long there were no images, and the latest such times."""
    if not outages:
        return
    lengths = [outage["length"] for outage in outages if outage["length"] is not None]
    yield "outages", f"{len(outages)}, {sum(lengths):.1f} s in all"
    for outage in outages[-SHOWN_OUTAGES:]:
        length = outage["length"]
        how_long = "not over" if length is None else f"{length:.1f} s"
        what = f"{how_long}, attempts: {outage['attempts']}: {outage['reason']}"
        yield f"  {outage['began']}", what


def _percentiles(ms: Mapping[str, float]) -> str:
    return f"p50 {ms['p50']:.1f}   p95 {ms['p95']:.1f}   p99 {ms['p99']:.1f}"


def setup_logging() -> None:
    """Log to stderr for people, unless somebody listens already: for commands without a run."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(log_handler(console(stderr=True)))
        root.setLevel(logging.INFO)


def track(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Pass items on and show how far it is: a bar in a terminal, now and then a line elsewhere."""
    terminal = console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    due = time.monotonic() + LINE_EVERY
    with Progress(
        *columns, console=terminal, transient=True, disable=not terminal.is_terminal
    ) as bar:
        for number, item in enumerate(bar.track(items, total=len(items)), 1):
            yield item
            if not terminal.is_terminal and time.monotonic() >= due:
                due = time.monotonic() + LINE_EVERY
                log.info("%s: %d of %d", what, number, len(items))
