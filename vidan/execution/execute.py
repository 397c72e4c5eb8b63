"""One run: from a configuration to outputs and a summary."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from ..cli import terminal as progress
from ..journal import FILE as JOB_FILE
from ..options import boolean
from ..registry.discovery import load_plugins
from ..registry.hookspecs import Run
from ..runtime.pipeline import Pipeline
from ..tracing.wrap import watch
from .assemble import _whole, build_pipeline, remember
from .replay import FILE
from .signals import _signals
from .summary import TRACE, _summary, _write_summary

log = logging.getLogger(__name__)


def execute(
    config: DictConfig, *, explicit_sinks: bool = True, resumed: bool = False
) -> dict[str, Any]:
    """Build the components, run them to the end, and write `summary.json`.

    Args:
        config: as `vidan.config.compose.compose` makes it, with `run_dir` set.
        explicit_sinks: False if nobody chose the sinks: a window that has no display
            is then left out with a note instead of being an error.
        resumed: whether it was interrupted before, and goes by what was detected then.

    Returns:
        The summary.

    Raises:
        VidanError: what could not be built or what failed in mid-run.
        SystemExit: a signal ended the run; 130 after Ctrl-C, 143 after SIGTERM.
    """
    directory = Path(config.run_dir)
    directory.mkdir(parents=True, exist_ok=True)
    for plugin, why in load_plugins().failures.items():
        log.warning("plugin %r was left out: %s", plugin, why)
    with _whole(config):
        traced = boolean("trace", config.trace)
        boolean("resumable", config.resumable)
        pipeline = build_pipeline(config, explicit_sinks=explicit_sinks)
    remember(pipeline, config, go_on=resumed)
    trace = watch(pipeline) if traced else None
    hook = load_plugins().manager.hook
    hook.vidan_run_started(run=Run(directory, config, pipeline))
    error: BaseException | None = None
    try:
        _run(pipeline)
    except BaseException as raised:
        error = raised
        raise
    finally:
        if trace is not None:
            trace.write(directory / TRACE)
        summary = _summary(pipeline, config, error)
        _write_summary(directory, summary)
        if error is None and pipeline.interrupted is None:
            for file in (FILE, JOB_FILE):
                (directory / file).unlink(missing_ok=True)
        hook.vidan_run_finished(summary=summary, error=error)
    progress.console().print(progress.table(summary))
    if pipeline.interrupted is not None:
        raise SystemExit(128 + pipeline.interrupted)
    return summary


def _run(pipeline: Pipeline) -> None:
    terminal = progress.console(stderr=True)
    shown = progress.display(pipeline.total, terminal)
    try:
        with _signals(pipeline):
            pipeline.run(shown)
    finally:
        shown.close()
