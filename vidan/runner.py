"""One run: from a configuration to outputs and a summary."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from . import progress
from .config import build
from .errors import ConfigError, DisplayError
from .interfaces import Repeatable, Sink, Source, Tracker
from .job import FILE as JOB_FILE
from .job import Job
from .options import boolean, choice, number, whole
from .outages import Forgetful, Outages
from .pipeline import Pipeline
from .plugins import load_plugins
from .remember import FILE, Remembering
from .watch import watch

log = logging.getLogger(__name__)

TRACE = "trace.json"
"""What a traced run leaves in its folder."""

IN_FLIGHT = 2
"""Frames of a file that are detected at once, unless the configuration says otherwise."""

FORCED_EXIT = 3
"""The interrupt that ends the process whatever hangs."""


@dataclass(frozen=True)
class Run:
    """What the hooks learn of a run: where it writes, what it was configured with, its parts."""

    directory: Path
    config: DictConfig
    pipeline: Pipeline


def execute(
    config: DictConfig, *, explicit_sinks: bool = True, resumed: bool = False
) -> dict[str, Any]:
    """Build the components, run them to the end, and write `summary.json`.

    Args:
        config: as `vidan.config.compose` makes it, with `run_dir` set.
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


@contextmanager
def _whole(config: DictConfig) -> Iterator[None]:
    """Say in one line what a configuration lacks, as after `~pipeline.workers`."""
    try:
        for group in ("source", "detector", "tracker", "pipeline", "sink"):
            if not isinstance(config.get(group, {}), Mapping | DictConfig):
                raise ConfigError(f"{group}={config[group]!r}: expected a group of options")
        yield
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or "the configuration"
        raise ConfigError(f"{key}: {str(error).splitlines()[0]}") from error


def build_pipeline(config: DictConfig, *, explicit_sinks: bool = True) -> Pipeline:
    """The pipeline that a configuration describes; see `execute` for the arguments."""
    settings: dict[str, Any] = {
        "max_frames": None
        if config.max_frames is None
        else whole("max_frames", config.max_frames, 1),
        "buffer": whole("pipeline.buffer", config.pipeline.buffer, 1),
        "age_limit": None
        if config.pipeline.age_limit is None
        else number("pipeline.age_limit", config.pipeline.age_limit, 1.0),
        "sink_errors_end_it": choice("on_sink_error", config.on_sink_error, ("stop", "continue"))
        == "stop",
    }
    with ExitStack() as built:
        source = build("source", config.source)
        built.callback(source.close)
        settings["workers"] = _workers(config, source)
        detector = build("detector", config.detector)
        built.callback(detector.close)
        tracker = _tracker(config, source)
        sinks: dict[str, Sink] = {}
        for name, options in config.get("sink", {}).items():
            try:
                sinks[name] = build("sink", options, f"sink.{name}")
            except DisplayError as error:
                if explicit_sinks:
                    raise
                log.info("going on without a window: %s", error)
            else:
                built.callback(sinks[name].close)
        pipeline = Pipeline(source, detector, tracker, sinks, **settings)
        built.pop_all()  # from here on the pipeline closes them
        return pipeline


def remember(pipeline: Pipeline, config: DictConfig, *, go_on: bool) -> None:
    """Keep what a file job detects and makes, so that `vidan resume` can go on with it.

    Only where that is asked for and can be resumed: not of a live source, and not of a run that
    Hydra left no configuration of.
    """
    directory = Path(config.run_dir)
    if (
        config.resumable
        and not pipeline.source.live
        and (directory / ".hydra/config.yaml").exists()
    ):
        detector = Remembering(pipeline.detector, directory / FILE, go_on=go_on)
        pipeline.detector = detector
        job = Job(directory, go_on=go_on)
        for sink in pipeline.sinks.values():
            if isinstance(sink, Repeatable):
                sink.begin_job(job)
        if go_on:
            log.info("%d frames need not be detected again", detector.count)


def _workers(config: DictConfig, source: Source) -> int:
    """How many threads detect; written into the configuration, since detectors go by it.

    Of a file two frames are under way, so that no core waits while the other finishes a
    frame's last bit; of a live source one, which then has all of them and is done sooner.
    """
    workers = config.pipeline.workers
    if workers is None:
        workers = 1 if source.live else min(IN_FLIGHT, os.cpu_count() or 1)
        OmegaConf.update(config, "pipeline.workers", workers)
    return whole("pipeline.workers", workers, 1)


def _tracker(config: DictConfig, source: Source) -> Tracker:
    """The tracker; over a source that comes and goes, one that may forget."""
    make = partial(build, "tracker", config.tracker)
    age = config.pipeline.forget_after
    if age is not None:
        number("pipeline.forget_after", age, 0.0)
        outages = getattr(source, "outages", None)
        if isinstance(outages, Outages):
            return Forgetful(make, outages, age)
    tracker: Tracker = make()
    return tracker


def _run(pipeline: Pipeline) -> None:
    terminal = progress.console(stderr=True)
    shown = progress.display(pipeline.total, terminal)
    try:
        with _signals(pipeline):
            pipeline.run(shown)
    finally:
        shown.close()


@contextmanager
def _signals(pipeline: Pipeline) -> Iterator[None]:
    """Ctrl-C and SIGTERM: stop, then discard, then leave whatever hangs."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    count = 0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count >= FORCED_EXIT:
            os._exit(128 + number)
        pipeline.interrupt(number)

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summary(pipeline: Pipeline, config: DictConfig, error: BaseException | None) -> dict[str, Any]:
    directory = Path(config.run_dir)
    notes = [directory / TRACE] if config.trace and (directory / TRACE).exists() else []
    outputs = [
        path for name, sink in pipeline.sinks.items() for path in _outputs(name, sink, config)
    ]
    outages = getattr(pipeline.source, "outages", ())
    return pipeline.stats.summary() | {
        "outages": [outage.summary() for outage in outages],
        "interrupted": pipeline.interrupted is not None,
        "error": None if error is None else str(error),
        "failures": [str(failure) for failure in pipeline.failures],
        "outputs": [*outputs, *map(str, notes), str(directory / "summary.json")],
    }


def _outputs(name: str, sink: Sink, config: DictConfig) -> Sequence[str]:
    """What a sink wrote: as it says by `outputs`, or else the file at its `path`."""
    said: Sequence[str] | None = getattr(sink, "outputs", None)
    if said is not None:
        return said
    path = OmegaConf.select(config, f"sink.{name}.path")
    return [path] if isinstance(path, str) and Path(path).exists() else []


def _write_summary(directory: Path, summary: dict[str, Any]) -> None:
    try:
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        (directory / "summary.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:  # the run itself is over; what it wrote must not be lost by this
        log.error("cannot write %s: %s", directory / "summary.json", error)
