"""The components of a run, and layers around them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..interfaces import Analyzer, Detector, EventSink, Resumable, Sink, Source, Tracker
from ..journal import RunJournal, RunStart
from ..tracing.trace import Trace
from ..tracing.wrap import (
    TracedAnalyzer,
    TracedDetector,
    TracedSink,
    TracedSource,
    TracedTracker,
)
from .inputs import Identity, check_same
from .replay import FILE, ReplayDetector

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a pipeline."""

    source: Source
    detector: Detector
    tracker: Tracker
    sinks: Mapping[str, Sink | EventSink] = field(default_factory=dict)
    analyzers: Mapping[str, Analyzer] = field(default_factory=dict)


def with_replay(
    parts: Parts,
    directory: Path,
    inputs: Mapping[str, Identity],
    start: RunStart,
    *,
    resumed: bool,
) -> Parts:
    """Record the detections in the run directory, so that `vidan resume` can continue the run.

    Args:
        parts: of a run over a file.
        directory: of the run.
        inputs: what identifies the files that the run reads.
        start: of the run.
        resumed: whether to continue an interrupted run with its recorded detections.

    Raises:
        SinkError: the directory cannot be written.
        SourceError: the interrupted run read other files.
    """
    journal = RunJournal(directory, resumed=resumed, inputs=inputs, start=start)
    check_same(journal.inputs, inputs)
    detector = ReplayDetector(parts.detector, directory / FILE, resumed=resumed)
    if resumed:
        log.info("%d frames have recorded detections", detector.count)
    for sink in parts.sinks.values():
        if isinstance(sink, Resumable):
            sink.resume_from(journal)
    return replace(parts, detector=detector)


def with_trace(parts: Parts, trace: Trace, shared: dict[int, TracedDetector]) -> Parts:
    """Record the calls of each component in a trace.

    Args:
        parts: of a stream.
        trace: of the run.
        shared: detectors with their trace, by the `id` of the detector; this one is added.
    """
    detector = shared.setdefault(id(parts.detector), TracedDetector(parts.detector, trace))
    return Parts(
        TracedSource(parts.source, trace),
        detector,
        TracedTracker(parts.tracker, trace),
        {
            name: TracedSink(name, sink, trace) if isinstance(sink, Sink) else sink
            for name, sink in parts.sinks.items()
        },
        {name: TracedAnalyzer(name, each, trace) for name, each in parts.analyzers.items()},
    )
