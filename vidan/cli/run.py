"""A run in a terminal: progress, signals, the summary as a table, and the exit code."""

from __future__ import annotations

from contextlib import closing

from omegaconf import DictConfig

from ..execution.execute import prepare
from ..execution.signals import forwarded_signals
from .counts import count_tables
from .terminal import console, display, table


def run(config: DictConfig, *, require_display: bool, resumed: bool = False) -> None:
    """Execute a run; see `vidan.execution.execute.execute` for the arguments.

    Raises:
        VidanError: a component cannot be built, or failed during the run.
        SystemExit: a signal stopped the run; 130 after Ctrl-C, 143 after SIGTERM.
    """
    prepared = prepare(config, require_display=require_display, resumed=resumed)
    pipeline = prepared.pipeline
    with (
        closing(display(pipeline.total, console(stderr=True))) as progress,
        forwarded_signals(pipeline.interrupt),
    ):
        summary = prepared.run(progress)
    terminal = console()
    terminal.print(table(summary))
    for counts in count_tables(summary["measures"]):
        terminal.print(counts)
    if pipeline.interrupted is not None:
        raise SystemExit(128 + pipeline.interrupted)
