"""One run: from a configuration to outputs and a summary.

Nothing here prints, handles signals or ends the process, so a run can be executed from any thread
or process. The command line adds all of that in `vidan.cli.run`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from ..errors import SinkError
from ..journal import FILE as JOURNAL_FILE
from ..journal import RunStart
from ..registry.discovery import load_plugins
from ..registry.run import Run
from ..runtime.pipeline import Pipeline
from ..runtime.stream import Stream
from ..stats import Stats
from ..tracing.trace import Trace
from ..types import Result
from .assemble import assemble, workers
from .continuation import START_FILE, with_counts
from .counts import CountsKeeper
from .inputs import identities
from .output_watch import OutputWatch
from .parts import Parts, with_replay, with_trace
from .replay import FILE as REPLAY_FILE
from .settings import RunSettings
from .summary import TRACE_FILE, Summary, summarize, write_summary

log = logging.getLogger(__name__)


def execute(
    config: DictConfig,
    *,
    require_display: bool = True,
    resumed: bool = False,
    progress: Callable[[Stats], None] | None = None,
) -> Summary:
    """Build the components, run them to the end, and write `summary.json`.

    Args:
        config: as `vidan.config.compose.compose` makes it, with `run_dir` set.
        require_display: whether a window sink without a display is an error; else it is left out.
        resumed: whether to continue an interrupted run, with the detections that it kept.
        progress: called about ten times a second, in the calling thread.

    Returns:
        The summary. `interrupted` is true if the run was stopped early by Ctrl-C.

    Raises:
        VidanError: a component cannot be built, or failed during the run.
    """
    return prepare(config, require_display=require_display, resumed=resumed).run(progress)


def prepare(
    config: DictConfig, *, require_display: bool = True, resumed: bool = False
) -> PreparedRun:
    """Build a run without starting it; see `execute` for the arguments.

    Raises:
        VidanError: a component cannot be built.
    """
    settings = RunSettings.from_config(config)
    _make_directory(settings.run_dir)
    for plugin, why in load_plugins().failures.items():
        log.warning("plugin %r was left out: %s", plugin, why)
    start = (RunStart.read(settings.run_dir) if resumed else None) or RunStart.new()
    with ExitStack() as opened:
        parts = assemble(settings, opened, start, require_display=require_display)
        resumable = _is_resumable(settings, parts)
        if resumable:
            inputs = identities(settings.components)
            parts = with_replay(parts, settings.run_dir, inputs, start, resumed=resumed)
        parts, keeper = with_counts(parts, settings, start, resumable=resumable, resumed=resumed)
        if keeper is not None:
            opened.callback(keeper.close)
        trace = Trace() if settings.trace else None
        if trace is not None:
            parts = with_trace(parts, trace)
        pipeline = _pipeline(settings, parts)
        opened.pop_all()  # the pipeline closes them from now on
    return PreparedRun(config, settings, parts, pipeline, trace, keeper)


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A run that can be started.

    Attributes:
        config: the composed configuration.
        settings: the validated settings.
        parts: the components.
        pipeline: the frame loop; `pipeline.interrupt` stops the run from another thread.
        trace: None if the run is not traced.
        keeper: saves the counts; None if they are not saved.
    """

    config: DictConfig
    settings: RunSettings
    parts: Parts
    pipeline: Pipeline
    trace: Trace | None
    keeper: CountsKeeper | None

    def run(self, progress: Callable[[Stats], None] | None = None) -> Summary:
        """Start the run and wait for its end; works once. See `execute`."""
        hook = load_plugins().manager.hook
        hook.vidan_run_started(run=Run(self.settings.run_dir, self.config, self.pipeline))
        error: BaseException | None = None
        outputs = OutputWatch(self.settings.run_dir, self.parts, self.pipeline.stop)
        try:
            self.pipeline.run(outputs.then(progress))
            outputs.check()
        except BaseException as raised:
            error = raised
            raise
        finally:
            summary = self._finish(error)
            hook.vidan_run_finished(summary=summary, error=error)
        return summary

    def results(self) -> Iterator[Result]:
        """Start the run and yield its results; works once, instead of `run`.

        Leaving the loop ends the run.

        Raises:
            StageError: what a component raised, after the last result.
        """
        hook = load_plugins().manager.hook
        hook.vidan_run_started(run=Run(self.settings.run_dir, self.config, self.pipeline))
        error: BaseException | None = None
        try:
            yield from self.pipeline
        except Exception as raised:
            error = raised
            raise
        finally:
            hook.vidan_run_finished(summary=self._finish(error), error=error)

    def _finish(self, error: BaseException | None) -> Summary:
        """Write the trace and the summary, and delete the files for resuming a complete run."""
        if self.keeper is not None:
            self.keeper.close()
        directory = self.settings.run_dir
        traced = self.trace is not None and self.trace.write(directory / TRACE_FILE)
        summary = summarize(self.pipeline, self.parts, directory, error, traced=traced)
        if directory.exists():
            write_summary(directory, summary)
        if error is None and self.pipeline.interrupted is None:
            for file in (REPLAY_FILE, JOURNAL_FILE, START_FILE):
                (directory / file).unlink(missing_ok=True)
        return summary


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write into {str(directory)!r}: {error.strerror}") from error


def _is_resumable(settings: RunSettings, parts: Parts) -> bool:
    """Whether `vidan resume` can continue it: not from a live source or without Hydra's files."""
    hydra = settings.run_dir / ".hydra/config.yaml"
    return settings.resumable and not parts.source.live and hydra.exists()


def _pipeline(settings: RunSettings, parts: Parts) -> Pipeline:
    stream = Stream(
        parts.source,
        parts.tracker,
        parts.sinks,
        parts.analyzers,
        max_frames=settings.max_frames,
        buffer=settings.pipeline.buffer,
        age_limit=settings.pipeline.age_limit,
        detect_every=settings.pipeline.detect_every,
        on_sink_error=settings.on_sink_error,
    )
    return Pipeline(
        stream,
        parts.detector,
        workers=workers(settings, parts.source),
        max_batch=settings.pipeline.max_batch,
        detection_timeout=settings.pipeline.detection_timeout,
    )
