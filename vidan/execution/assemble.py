"""Build the components of a stream from its settings, and the detectors that streams share."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from ..config.build import BuildContext, RunContext, build
from ..errors import DisplayError
from ..interfaces import (
    Analyzer,
    Detector,
    EventSink,
    HasImageSize,
    ReportsOutages,
    Sink,
    Source,
    Tracker,
)
from ..journal import RunStart
from ..kinds import KINDS
from ..runtime.detector_layer import DetectorLayer
from ..runtime.tracker_reset import ResettingTracker
from ..scene import SceneContext
from .parts import Parts
from .settings import RunSettings
from .stream_name import stream_name

log = logging.getLogger(__name__)

FILE_WORKERS = 2
"""Frames of a file that are detected at once, so that no core idles at the end of a frame."""

PRESENCE = "presence"
"""The analyzer that every run has."""


class SharedDetectors:
    """Builds one detector for each distinct configuration.

    Args:
        keep: whether the detectors stay open at the end of a run, for the next one.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self._built: list[tuple[Mapping[str, Any], BuildContext, Detector]] = []

    def get(self, options: Mapping[str, Any], context: BuildContext, opened: ExitStack) -> Detector:
        """The detector with these options.

        Args:
            options: of the detector.
            context: of the run.
            opened: takes over closing the detector, unless it is kept.

        Raises:
            VidanError: it cannot be built.
        """
        for known, of, built in self._built:
            if (known, of) == (options, context):
                return built
        detector: Detector = build("detector", options, context=context)
        if self._keep:
            detector = KeptDetector(detector)
        else:
            opened.callback(detector.close)
        self._built.append((options, context, detector))
        return detector

    def forget(self) -> None:
        """Build new detectors from now on, as after a failure."""
        self._built.clear()


class KeptDetector(DetectorLayer):
    """A detector that a run does not close, since the next one uses it."""

    def close(self) -> None:
        """Do nothing."""


def build_source(settings: RunSettings, opened: ExitStack, streams: int = 1) -> Source:
    """Build the source of a stream.

    Args:
        settings: of the stream.
        opened: takes over closing it.
        streams: number of streams of the run.

    Raises:
        VidanError: it cannot be built.
    """
    context = BuildContext(scene=SceneContext(settings.scene), streams=streams)
    source: Source = build("source", settings.components["source"], context=context)
    opened.callback(source.close)
    return source


def assemble(
    settings: RunSettings,
    source: Source,
    detector: Detector,
    opened: ExitStack,
    start: RunStart,
    *,
    require_display: bool = True,
) -> Parts:
    """Build the tracker, the analyzers and the sinks of a stream.

    Args:
        settings: of the stream.
        source: of the stream.
        detector: that it uses.
        opened: takes over closing the components.
        start: of the run.
        require_display: whether a sink without a display is an error; else it is left out.

    Raises:
        VidanError: a component cannot be built.
    """
    context = BuildContext(live_source=source.live)
    tracker = _tracker(settings, source, context)
    # Before the sinks: an invalid scene leaves no empty files behind.
    scene = _scene(settings, source, detector)
    analyzers = build_analyzers(
        settings.components.get("analytics", {}), replace(context, scene=scene)
    )
    run = RunContext(*start, source.live, stream_name(settings), settings.run_dir)
    context = replace(context, run=run, scene=scene)
    sinks = _sinks(settings, opened, context, require_display=require_display)
    return Parts(source, detector, tracker, sinks, analyzers)


def workers(settings: RunSettings, sources: Iterable[Source]) -> int:
    """How many threads call a detector.

    A live source has one by default: it gets all cores, which is the lowest latency. Of several
    sources as many frames are detected as there are cores, each by one core: that takes less CPU
    time, so that more cameras keep up.
    """
    cores, given = os.cpu_count() or 1, list(sources)
    live = any(source.live for source in given)
    default = min(len(given), cores) if live else min(FILE_WORKERS, cores)
    return settings.pipeline.workers or default


def _tracker(settings: RunSettings, source: Source, context: BuildContext) -> Tracker:
    """The tracker; one that is reset after long outages if the source reports them."""
    make = partial(build, "tracker", settings.components["tracker"], context=context)
    age = settings.pipeline.reset_after
    if age is not None and isinstance(source, ReportsOutages):
        return ResettingTracker(make, source.outages, age)
    tracker: Tracker = make()
    return tracker


def _scene(settings: RunSettings, source: Source, detector: Detector) -> SceneContext:
    """What analyzers may learn about the scene; the size of images takes a while to find out."""
    size = None
    if any(settings.scene.values()) and isinstance(source, HasImageSize):
        size = source.image_size
    return SceneContext(settings.scene, detector.labels, size)


def build_analyzers(
    options: Mapping[str, Mapping[str, Any]], context: BuildContext
) -> dict[str, Analyzer]:
    """The analyzers; `presence` comes first in every run, since objects are counted by it.

    Args:
        options: of each analyzer, by its name.
        context: of the run, with its scene.

    Raises:
        VidanError: an analyzer cannot be built.
    """
    context = replace(context, shared={})
    analyzers: dict[str, Analyzer] = {}
    names: list[str] = []
    for key, each in {PRESENCE: {"name": PRESENCE}, **options}.items():
        known = replace(context, analyzers=tuple(names))
        analyzers[key] = build("analytics", each, KINDS["analytics"].key(key), known)
        names.append(str(each["name"]))
    return analyzers


def _sinks(
    settings: RunSettings, opened: ExitStack, context: BuildContext, *, require_display: bool
) -> dict[str, Sink | EventSink]:
    sinks: dict[str, Sink | EventSink] = {}
    for name, options in settings.components.get("sink", {}).items():
        try:
            sinks[name] = build("sink", options, KINDS["sink"].key(name), context)
        except DisplayError as error:
            if require_display:
                raise
            log.info("continuing without a window: %s", error)
        else:
            opened.callback(sinks[name].close)
    return sinks
