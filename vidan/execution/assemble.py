"""Build the components of a run from its configuration."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..config.build import build
from ..errors import ConfigError, DisplayError
from ..interfaces import Resumable, Sink, Source, Tracker
from ..journal import RunJournal
from ..kinds import KINDS
from ..options import choice, number, whole
from ..outages import Outages
from ..runtime.pipeline import Pipeline
from ..runtime.tracker_reset import ResettingTracker
from .replay import FILE, ReplayDetector

log = logging.getLogger(__name__)


IN_FLIGHT = 2
"""Frames of a file that are detected at once, unless the configuration says otherwise."""


@contextmanager
def _whole(config: DictConfig) -> Iterator[None]:
    """Say in one line what a configuration lacks, as after `~pipeline.workers`."""
    try:
        for group in (*KINDS, "pipeline"):
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
        detector = ReplayDetector(pipeline.detector, directory / FILE, go_on=go_on)
        pipeline.detector = detector
        job = RunJournal(directory, go_on=go_on)
        for sink in pipeline.sinks.values():
            if isinstance(sink, Resumable):
                sink.resume_from(job)
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
            return ResettingTracker(make, outages, age)
    tracker: Tracker = make()
    return tracker
