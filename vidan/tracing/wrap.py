"""Layers around the components of a pipeline that record what they do in a trace.

The pipeline knows nothing of them, and a run without a trace does not pay for them.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..events import Event, Measure, Shape
from ..interfaces import (
    Analyzer,
    Detector,
    EventSink,
    Measuring,
    ReportsOutages,
    ReportsOutputs,
    SceneEditable,
    SceneEditor,
    Sink,
    Source,
    StatsAware,
    Stoppable,
    Tracker,
    Visual,
)
from ..outages import Outages
from ..runtime.coasting import coast
from ..runtime.detector_layer import DetectorLayer
from ..scene import SceneContext
from ..stats import Stats
from ..types import Detections, Frame, Result, Tracks
from .trace import PIXELS, STAGE, Trace, microseconds, now

MIN_PIXELS_S = 20e-6
"""Shortest call of a frame's method that is recorded, s: a shorter one found the pixels cached."""


class TracedSource:
    """A source whose frames are timed, and the methods of its frames that make pixels."""

    def __init__(self, source: Source, trace: Trace) -> None:
        self._source = source
        self._trace = trace

    @property
    def live(self) -> bool:
        """See `Source`."""
        return self._source.live

    @property
    def frames(self) -> int | None:
        """See `Source`."""
        return self._source.frames

    def __iter__(self) -> Iterator[Frame]:
        frames = iter(self._source)
        while True:
            since = now()
            frame = next(frames, None)
            if frame is None:
                return
            captured = microseconds(frame.captured - self._trace.zero)
            self._trace.add("source", STAGE, frame, since, captured=captured)
            frame.observer = self._pixels
            yield frame

    def close(self) -> None:
        """See `Source`."""
        self._source.close()

    def stop(self) -> None:
        """See `Stoppable`; does nothing if the source is not."""
        if isinstance(self._source, Stoppable):
            self._source.stop()

    @property
    def outages(self) -> Outages:
        """See `ReportsOutages`; none if the source does not report them."""
        return self._source.outages if isinstance(self._source, ReportsOutages) else Outages()

    @contextmanager
    def _pixels(self, frame: Frame, method: str) -> Iterator[None]:
        since = now()
        yield
        if time.monotonic() - since[0] >= MIN_PIXELS_S:
            self._trace.add(method, PIXELS, frame, since)


class TracedDetector(DetectorLayer):
    """A detector whose calls are timed; a batch counts for each of its frames."""

    def __init__(self, detector: Detector, trace: Trace) -> None:
        super().__init__(detector)
        self._trace = trace

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """See `Detector`."""
        since = now()
        found = self._detector.detect(frames)
        for frame, detections in itertools.zip_longest(frames, found[: len(frames)]):
            count = 0 if detections is None else len(detections)
            self._trace.add("detector", STAGE, frame, since, objects=count, batch=len(frames))
        return found


class TracedTracker:
    """A tracker whose calls are timed."""

    def __init__(self, tracker: Tracker, trace: Trace) -> None:
        self._tracker = tracker
        self._trace = trace
        self._last = Tracks.empty()

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """See `Tracker`."""
        since = now()
        return self._record(frame, since, self._tracker.update(frame, detections))

    def coast(self, frame: Frame) -> Tracks:
        """See `Coaster`; the last tracks if the tracker is not."""
        since = now()
        return self._record(frame, since, coast(self._tracker, frame, self._last))

    def _record(self, frame: Frame, since: tuple[float, float], tracks: Tracks) -> Tracks:
        self._trace.add("tracker", STAGE, frame.original, since, process_cpu=time.process_time())
        self._last = tracks
        return tracks


class TracedAnalyzer:
    """An analyzer whose calls are timed."""

    def __init__(self, name: str, analyzer: Analyzer, trace: Trace) -> None:
        self._name = f"analytics.{name}"
        self._analyzer = analyzer
        self._trace = trace

    def update(self, result: Result) -> Sequence[Event]:
        """See `Analyzer`."""
        since = now()
        events = self._analyzer.update(result)
        self._trace.add(self._name, STAGE, result.frame, since, events=len(events))
        return events

    def finish(self) -> Sequence[Event]:
        """See `Analyzer`."""
        return self._analyzer.finish()

    def change_scene(self, scene: SceneContext) -> Sequence[Event]:
        """See `SceneEditable`; does nothing if the analyzer is not."""
        if isinstance(self._analyzer, SceneEditable):
            return self._analyzer.change_scene(scene)
        return ()

    def shapes(self) -> Sequence[Shape]:
        """See `Visual`; none if the analyzer is not."""
        return self._analyzer.shapes() if isinstance(self._analyzer, Visual) else ()

    def measures(self) -> Mapping[Measure, float]:
        """See `Measuring`; none if the analyzer is not."""
        return self._analyzer.measures() if isinstance(self._analyzer, Measuring) else {}

    @property
    def outputs(self) -> Sequence[str]:
        """See `ReportsOutputs`; none if the analyzer does not report them."""
        return self._analyzer.outputs if isinstance(self._analyzer, ReportsOutputs) else ()


class TracedSink:
    """A sink whose calls are timed."""

    def __init__(self, name: str, sink: Sink, trace: Trace) -> None:
        self._name = f"sink.{name}"
        self._sink = sink
        self._trace = trace

    @property
    def lossless(self) -> bool:
        """See `Sink`."""
        return self._sink.lossless

    def write(self, result: Result) -> None:
        """See `Sink`."""
        since = now()
        try:
            self._sink.write(result)
        finally:
            self._trace.add(self._name, STAGE, result.frame, since)

    def close(self) -> None:
        """See `Sink`."""
        self._sink.close()

    def emit(self, events: Sequence[Event]) -> None:
        """See `EventSink`; does nothing if the sink is not."""
        if isinstance(self._sink, EventSink):
            self._sink.emit(events)

    def bind_stats(self, stats: Stats) -> None:
        """See `StatsAware`; does nothing if the sink is not."""
        if isinstance(self._sink, StatsAware):
            self._sink.bind_stats(stats)

    def bind_scene(self, change: Callable[[SceneContext], None]) -> None:
        """See `SceneEditor`; does nothing if the sink is not."""
        if isinstance(self._sink, SceneEditor):
            self._sink.bind_scene(change)

    def measures(self) -> Mapping[Measure, float]:
        """See `Measuring`; none if the sink is not."""
        return self._sink.measures() if isinstance(self._sink, Measuring) else {}

    @property
    def outputs(self) -> Sequence[str]:
        """See `ReportsOutputs`; none if the sink does not report them."""
        return self._sink.outputs if isinstance(self._sink, ReportsOutputs) else ()
