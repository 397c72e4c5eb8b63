"""Output for people: a progress bar in a terminal, log lines elsewhere, a table at the end."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ..stats import Stats
from ..support.secrets import SecretsFilter
from ..support.text import one_line, printable
from .counts import count_tables

log = logging.getLogger(__name__)

Item = TypeVar("Item")

NO_TERMINAL_COLUMNS = 500
"""Width of the output where there is no terminal, so that nothing is cut off."""

LOG_INTERVAL_S = 5.0
"""Time between two lines of progress where there is no terminal, s."""

MAX_LISTED_OUTAGES = 5
"""Latest outages that are listed in the table; summary.json has all of them."""


MAX_LISTED_LABELS = 8
"""Labels that are named where a detector found nothing."""

OTHER_MODELS = "vidan models list has others, detector.threshold=0.1 finds more"


class PlainConsole(Console):
    """A console that shows text as it is: nothing in it is markup, an emoji code or an escape."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """See `rich.console.Console.render_str`."""
        return super().render_str(printable(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """See `rich.console.Console.print`; where there is no terminal, lines are not padded."""
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as printed:
            super().print(*objects, **options)
        lines = printed.get().split("\n")
        self.file.write("\n".join([*(line.rstrip() for line in lines[:-1]), lines[-1]]))


class PrintableFormatter(logging.Formatter):
    """Formats each record as one line that a terminal does not act on, and then its traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """See `logging.Formatter`."""
        return one_line(super().formatMessage(record))


class Display(Protocol):
    """Shows the progress of a run."""

    def __call__(self, stats: Stats) -> None:
        """Show the current statistics."""
        ...

    def close(self) -> None:
        """End the display."""
        ...


class Bar:
    """A progress bar with frames, total, frame rate, dropped frames and remaining time.

    Args:
        console: the terminal.
        total: number of frames of the run; None if unknown.
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
        """Update the bar."""
        self._progress.update(
            self._task, completed=stats.frames, fps=stats.fps, dropped=stats.dropped
        )

    def close(self) -> None:
        """Remove the bar."""
        self._progress.stop()


class Lines:
    """A log line every LOG_INTERVAL_S, where there is no terminal."""

    def __init__(self, total: int | None) -> None:
        self._of = "" if total is None else f" of {total}"
        self._due = time.monotonic() + LOG_INTERVAL_S

    def __call__(self, stats: Stats) -> None:
        """Log a line if one is due."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + LOG_INTERVAL_S
        log.info(
            "%d%s frames, %.1f fps, %d dropped", stats.frames, self._of, stats.fps, stats.dropped
        )

    def close(self) -> None:
        """Nothing to remove."""


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or NO_TERMINAL_COLUMNS wide."""
    terminal = PlainConsole(stderr=stderr)
    if terminal.is_terminal:
        return terminal
    return PlainConsole(stderr=stderr, width=NO_TERMINAL_COLUMNS)


def display(total: int | None, terminal: Console, *, quiet: bool = False) -> Display:
    """A progress bar in a terminal, else log lines, which are not shown with `quiet`."""
    if quiet:
        return Lines(total)
    return Bar(terminal, total) if terminal.is_terminal else Lines(total)


def log_handler(terminal: Console) -> logging.Handler:
    """A log handler for stderr that leaves the progress bar intact."""
    if terminal.is_terminal:
        rich = RichHandler(console=terminal, show_time=False, show_path=False)
        rich.setFormatter(PrintableFormatter("%(message)s"))
        rich.addFilter(SecretsFilter())
        return rich
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("vidan: %(message)s"))
    handler.addFilter(SecretsFilter())
    return handler


def table(summary: Mapping[str, Any], labels: Sequence[str] = ()) -> Table:
    """The summary of a run as a table.

    Args:
        summary: of the run.
        labels: of the detector, which are named if it found nothing.
    """
    grid = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    dropped = f"{summary['dropped']} dropped, {summary['skipped']} skipped"
    grid.add_row("frames", f"{summary['frames']} ({dropped})")
    if still := summary.get("still"):
        grid.add_row("", f"{summary['detected']} detected, {still} not: nothing moved")
    objects = ", ".join(f"{count} {one_line(label)}" for label, count in summary["objects"].items())
    grid.add_row("tracks", objects or f"none, {summary['detections']} detections")
    if summary["frames"] and not summary["detections"] and labels:
        grid.add_row("", f"the model detects {_listed(labels)} only: {OTHER_MODELS}")
    grid.add_row("speed", f"{summary['fps']:.1f} fps")
    for stage, ms in summary["stages_ms"].items():
        grid.add_row(f"{stage}, ms", _percentiles(ms))
    for sink, ms in summary["age_ms"].items():
        grid.add_row(f"age at {sink}, ms", _percentiles(ms))
    for name, stream in summary.get("streams", {}).items():
        grid.add_row(f"stream {one_line(name)}", _stream_line(stream))
    for title, text in _outages(summary.get("outages", ())):
        grid.add_row(title, text)
    for path in summary["outputs"]:
        grid.add_row("output", path)
    return grid


def print_summary(
    summary: Mapping[str, Any], terminal: Console, labels: Sequence[str] = ()
) -> None:
    """Print the summary of a run and its counts; see `table`."""
    terminal.print(table(summary, labels))
    for name, stream in summary.get("streams", {"": summary}).items():
        for counts in count_tables(stream["measures"], name):
            terminal.print(counts)


def _stream_line(summary: Mapping[str, Any]) -> str:
    """One of several streams: its error, or else its frames and the oldest of its results."""
    if summary["error"] is not None:
        return f"{summary['frames']} frames, failed: {one_line(summary['error'])}"
    ages = [ms["p95"] for ms in summary["age_ms"].values()]
    age = f", age p95 {max(ages):.0f} ms" if ages else ""
    tracks = sum(summary["objects"].values())
    return (
        f"{summary['frames']} frames, {summary['dropped']} dropped, {summary['fps']:.1f} fps{age}, "
        f"{tracks} tracks, {len(summary['outages'])} outages"
    )


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(map(one_line, labels[:MAX_LISTED_LABELS]))
    more = len(labels) - MAX_LISTED_LABELS
    return f"{shown} and {more} more" if more > 0 else shown


def _outages(outages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Number and total duration of the outages, and the latest ones."""
    if not outages:
        return
    lengths = [outage["length"] for outage in outages if outage["length"] is not None]
    yield "outages", f"{len(outages)}, {sum(lengths):.1f} s in total"
    for outage in outages[-MAX_LISTED_OUTAGES:]:
        length = outage["length"]
        duration = "ongoing" if length is None else f"{length:.1f} s"
        what = f"{duration}, attempts: {outage['attempts']}: {outage['reason']}"
        yield f"  {outage['began']}", what


def _percentiles(ms: Mapping[str, float]) -> str:
    return f"p50 {ms['p50']:.1f}   p95 {ms['p95']:.1f}   p99 {ms['p99']:.1f}"


def setup_logging() -> None:
    """Log to stderr, unless logging is set up already; for commands without a run."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(log_handler(console(stderr=True)))
        root.setLevel(logging.INFO)


def track(
    items: Iterable[Item], what: str, total: int | None = None, *, quiet: bool = False
) -> Iterator[Item]:
    """Yield the items and show the progress: a bar in a terminal, log lines elsewhere.

    Args:
        items: that are done when the next one is asked for.
        what: they are.
        total: number of items; None for that of a sequence.
        quiet: whether to show nothing.
    """
    terminal = console(stderr=True)
    if total is None:
        total = len(items) if isinstance(items, Sized) else 0
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
    )
    started = time.monotonic()
    due = started + LOG_INTERVAL_S
    shown = terminal.is_terminal and not quiet
    with Progress(*columns, console=terminal, transient=True, disable=not shown) as bar:
        for number, item in enumerate(bar.track(items, total=total), 1):
            yield item
            now = time.monotonic()
            if not terminal.is_terminal and now >= due:
                due = now + LOG_INTERVAL_S
                rate = number / (now - started)
                left = timedelta(seconds=round((total - number) / rate))
                log.info("%s: %d of %d, %.1f/s, %s left", what, number, total, rate, left)


class RateColumn(ProgressColumn):
    """How many items are done per second."""

    def render(self, task: Task) -> Text:
        """See `rich.progress.ProgressColumn`."""
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")
