"""One run: from a configuration to outputs and a summary.

Nothing here prints, handles signals or ends the process, so a run can be executed from any thread
or process. The command line adds all of that in `vidan.cli.run`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from ..config.build import BuildContext
from ..errors import SinkError, SourceError, StageError, VidanError
from ..interfaces import Source
from ..journal import FILE as JOURNAL_FILE
from ..journal import RunStart
from ..registry.discovery import load_plugins
from ..registry.run import Run
from ..runtime.pipeline import Pipeline
from ..stats import Stats
from ..support.secrets import redacted_settings
from ..tracing.trace import Trace
from ..types import Result
from .assemble import SharedDetectors, build_source, workers
from .continuation import START_FILE
from .output_watch import OutputWatch
from .parts import with_trace
from .replay import FILE as REPLAY_FILE
from .settings import RunSettings
from .stream_run import StreamRun, build_stream
from .summary import (
    SUMMARY_FILE,
    TRACE_FILE,
    Ending,
    Summary,
    combine,
    summarize,
    write_summary,
)

log = logging.getLogger(__name__)

CONFIG_FILE = "config.yaml"
"""The configuration of one of several streams, in its folder."""


def execute(
    config: DictConfig,
    streams: Mapping[str, DictConfig] | None = None,
    *,
    require_display: bool = True,
    resumed: bool = False,
    progress: Callable[[Stats], None] | None = None,
) -> Summary:
    """Build the components, run them to the end, and write `summary.json`.

    Args:
        config: as `vidan.config.compose.compose` makes it, with `run_dir` set.
        streams: as `vidan.config.streams.stream_configs` makes them; None for one stream, that of
            `config`.
        require_display: whether a window sink without a display is an error; else it is left out.
        resumed: whether to continue an interrupted run, with the detections that it kept.
        progress: called about ten times a second, in the calling thread.

    Returns:
        The summary. `interrupted` is true if the run was stopped early by Ctrl-C.

    Raises:
        VidanError: a component cannot be built, or failed during the run.
    """
    run = prepare(config, streams, require_display=require_display, resumed=resumed)
    return run.run(progress)


def prepare(
    config: DictConfig,
    streams: Mapping[str, DictConfig] | None = None,
    *,
    require_display: bool = True,
    resumed: bool = False,
    start: RunStart | None = None,
    detectors: SharedDetectors | None = None,
) -> PreparedRun:
    """Build a run without starting it; see `execute` for the other arguments.

    Args:
        config: of the run.
        streams: of the run.
        require_display: whether a window sink without a display is an error.
        resumed: whether to continue an interrupted run.
        start: id and time of the run; None for one that starts now.
        detectors: that other runs have built; None to build them for this run.

    Raises:
        VidanError: a component cannot be built. Of several streams, those whose source cannot be
            opened are left out, unless it is all of them.
    """
    settings = RunSettings.from_config(config)
    by_name = _stream_settings(settings, streams) if streams else {"": settings}
    for each in by_name.values():
        _make_directory(each.run_dir)
    for plugin, why in load_plugins().failures.items():
        log.warning("plugin %r was left out: %s", plugin, why)
    start = start or (RunStart.read(settings.run_dir) if resumed else None) or RunStart.new()
    trace = Trace() if settings.trace else None
    wrap = partial(with_trace, trace=trace, shared={}) if trace else lambda parts: parts
    with ExitStack() as opened:
        sources, lost = _sources(by_name, opened)
        count = workers(settings, sources.values())
        live = any(source.live for source in sources.values())
        context = BuildContext(workers=count, live_source=live)
        detectors = detectors or SharedDetectors()
        runs = {}
        for name, source in sources.items():
            with _named(name):
                runs[name] = build_stream(
                    by_name[name],
                    source,
                    detectors.get(by_name[name].components["detector"], context, opened),
                    opened,
                    start,
                    name=name,
                    require_display=require_display,
                    resumable=_is_resumable(by_name[name], source),
                    resumed=resumed,
                    wrap=wrap,
                )
        pipeline = Pipeline(
            [run.stream for run in runs.values()],
            workers=count,
            max_batch=settings.pipeline.max_batch,
            detection_timeout=settings.pipeline.detection_timeout,
        )
        for name, stream in (streams or {}).items():
            _save(stream, by_name[name].run_dir / CONFIG_FILE)
        opened.pop_all()  # the pipeline closes them from now on
    return PreparedRun(config, settings, runs, lost, pipeline, trace)


@dataclass(slots=True)
class PreparedRun:
    """A run that can be started.

    Attributes:
        config: the composed configuration.
        settings: the validated settings.
        streams: the streams by name; one stream alone is called "".
        lost: why the source of a stream could not be opened, by the name of the stream.
        pipeline: the frame loop; `pipeline.interrupt` stops the run from another thread.
        trace: None if the run is not traced.
        summary: None until it has ended.
    """

    config: DictConfig
    settings: RunSettings
    streams: Mapping[str, StreamRun]
    lost: Mapping[str, VidanError]
    pipeline: Pipeline
    trace: Trace | None
    summary: Summary | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all detectors."""
        detectors = [run.parts.detector for run in self.streams.values()]
        return tuple(dict.fromkeys(label for each in detectors for label in each.labels))

    def run(self, progress: Callable[[Stats], None] | None = None) -> Summary:
        """Start the run and wait for its end; works once. See `execute`."""
        self._call_started()
        error: BaseException | None = None
        sinks = [sink for run in self.streams.values() for sink in run.parts.sinks.values()]
        outputs = OutputWatch(self.settings.run_dir, sinks, self.pipeline.stop)
        try:
            self.pipeline.run(outputs.then(progress))
            outputs.check()
            if self.lost:
                raise next(iter(self.lost.values()))
        except BaseException as raised:
            error = raised
            raise
        finally:
            summary = self.summary = self._finish(error)
            self._call_finished(summary, error)
        return summary

    def results(self) -> Iterator[Result]:
        """Start the run and yield its results; works once, instead of `run`.

        Leaving the loop ends the run.

        Raises:
            StageError: what a component raised, after the last result.
        """
        self._call_started()
        error: BaseException | None = None
        try:
            yield from self.pipeline
        except Exception as raised:
            error = raised
            raise
        finally:
            self.summary = self._finish(error)
            self._call_finished(self.summary, error)

    def _call_started(self) -> None:
        """Tell plugins that the run starts."""
        run = Run(self.settings.run_dir, self.config, self.pipeline)
        load_plugins().call("vidan_run_started", run=run)

    def _call_finished(self, summary: Summary, error: BaseException | None) -> None:
        """Tell plugins that the run has ended; their errors must not hide its own."""
        try:
            load_plugins().call("vidan_run_finished", summary=summary, error=error)
        except VidanError as raised:
            if error is None:
                raise
            log.error("%s", raised)

    def _finish(self, error: BaseException | None) -> Summary:
        """Write the trace and the summaries, and delete the files for resuming a complete run."""
        directory = self.settings.run_dir
        traced = self.trace is not None and self.trace.write(directory / TRACE_FILE)
        files = [TRACE_FILE, SUMMARY_FILE] if traced else [SUMMARY_FILE]
        failures = (*self.lost.values(), *self.pipeline.failures)
        interrupted = self.pipeline.interrupted is not None
        ending = Ending(error, failures, interrupted, [str(directory / file) for file in files])
        if alone := self.streams.get(""):
            summary = alone.finish(ending)
        else:
            summary = combine(self._stream_summaries(), self.pipeline.stats, ending)
        if directory.exists():
            write_summary(directory, summary)
        if error is None and not interrupted:
            for file in (REPLAY_FILE, JOURNAL_FILE, START_FILE):
                (directory / file).unlink(missing_ok=True)
        return summary

    def _stream_summaries(self) -> dict[str, Summary]:
        """The summary of each stream, which is written into its folder too."""
        found: dict[str, Summary] = {}
        interrupted = self.pipeline.interrupted is not None
        for name in (*self.streams, *self.lost):
            run = self.streams.get(name)
            failures = run.stream.failures if run else [self.lost[name]]
            directory = self.settings.run_dir / name
            error = next(iter(failures), None)
            ending = Ending(error, failures, interrupted, [str(directory / SUMMARY_FILE)])
            found[name] = run.finish(ending) if run else summarize(Stats(), ending)
            if directory.exists():
                write_summary(directory, found[name])
        return found


def _stream_settings(
    settings: RunSettings, streams: Mapping[str, DictConfig]
) -> dict[str, RunSettings]:
    """The settings of each stream, whose outputs are in a folder of its name."""
    found = {}
    for name, config in streams.items():
        config.run_dir = str(settings.run_dir / name)
        with _named(name):
            found[name] = RunSettings.from_config(config)
    return found


def _save(config: DictConfig, path: Path) -> None:
    saved = redacted_settings(OmegaConf.to_container(config))
    try:
        path.write_text(OmegaConf.to_yaml(saved), encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Let errors name one of several streams."""
    try:
        yield
    except StageError:
        raise
    except VidanError as error:
        if not name:
            raise
        raise type(error)(f"stream {name!r}: {error}") from error


def _sources(
    settings: Mapping[str, RunSettings], opened: ExitStack
) -> tuple[dict[str, Source], dict[str, VidanError]]:
    """The sources of the streams, and why those of others cannot be opened."""
    sources: dict[str, Source] = {}
    lost: dict[str, VidanError] = {}
    for name, each in settings.items():
        try:
            with _named(name):
                sources[name] = build_source(each, opened, len(settings))
        except SourceError as error:
            if name:
                log.error("%s", error)
            lost[name] = error
    if not sources:
        raise next(iter(lost.values()))
    return sources, lost


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write into {str(directory)!r}: {error.strerror}") from error


def _is_resumable(settings: RunSettings, source: Source) -> bool:
    """Whether `vidan resume` can continue it: not from a live source or without Hydra's files."""
    hydra = settings.run_dir / ".hydra/config.yaml"
    return settings.resumable and not source.live and hydra.exists()
