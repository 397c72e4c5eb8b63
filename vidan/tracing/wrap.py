"""A thin layer around each component of a pipeline, which times it for a trace.

The pipeline itself knows nothing of it, and a run that is not traced does not pay for it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from inspect import isfunction
from typing import Any

from ..interfaces import Detector, Sink, Source, Stoppable, Tracker
from ..runtime.coasting import coast
from ..runtime.pipeline import Pipeline
from ..types import Detections, Frame, Result, Tracks
from .trace import PIXELS, STAGE, Trace, microseconds, now

SHORTEST = 20e-6
"""Images that came quicker, s, were there already: no span is kept of them."""


def watch(pipeline: Pipeline) -> Trace:
    """Trace a pipeline that has not begun to run."""
    trace = Trace()
    pipeline.source = TracedSource(pipeline.source, trace)
    pipeline.detector = TracedDetector(pipeline.detector, trace)
    pipeline.tracker = TracedTracker(pipeline.tracker, trace)
    pipeline.sinks = {name: TracedSink(name, sink, trace) for name, sink in pipeline.sinks.items()}
    return trace


class TracedSource:
    """A source whose frames are timed."""

    def __init__(self, source: Source, trace: Trace) -> None:
        self._source = source
        self._trace = trace
        self._frames = TracedFrames(trace)
        self.close = source.close
        if isinstance(source, Stoppable):
            self.stop = source.stop

    @property
    def live(self) -> bool:
        """As the source says."""
        return self._source.live

    @property
    def frames(self) -> int | None:
        """As the source says."""
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
            self._frames.see(frame)
            yield frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class TracedDetector:
    """A detector whose calls are timed; a batch counts for each of its frames."""

    def __init__(self, detector: Detector, trace: Trace) -> None:
        self._detector = detector
        self._trace = trace
        self.close = detector.close

    @property
    def labels(self) -> tuple[str, ...]:
        """As the detector says."""
        return self._detector.labels

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """As the detector does."""
        since = now()
        found = self._detector.detect(frames)
        for frame, detections in itertools.zip_longest(frames, found[: len(frames)]):
            count = 0 if detections is None else len(detections)
            self._trace.add("detector", STAGE, frame, since, objects=count, batch=len(frames))
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._detector, name)


class TracedTracker:
    """A tracker whose calls are timed."""

    def __init__(self, tracker: Tracker, trace: Trace) -> None:
        self._tracker = tracker
        self._trace = trace
        self._last = Tracks.empty()

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """As the tracker does."""
        since = now()
        tracks = self._tracker.update(frame, detections)
        self._trace.add("tracker", STAGE, frame, since, process_cpu=time.process_time())
        self._last = tracks
        return tracks

    def coast(self, frame: Frame) -> Tracks:
        """As the tracker does, or what stands in for it."""
        since = now()
        tracks = coast(self._tracker, frame, self._last)
        self._trace.add("tracker", STAGE, frame, since, process_cpu=time.process_time())
        self._last = tracks
        return tracks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracker, name)


class TracedSink:
    """A sink whose calls are timed."""

    def __init__(self, name: str, sink: Sink, trace: Trace) -> None:
        self._name = f"sink.{name}"
        self._sink = sink
        self._trace = trace
        self.close = sink.close

    @property
    def lossless(self) -> bool:
        """As the sink says."""
        return self._sink.lossless

    def write(self, result: Result) -> None:
        """As the sink does."""
        since = now()
        try:
            self._sink.write(result)
        finally:
            self._trace.add(self._name, STAGE, result.frame, since)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)


class TracedFrames:
    """Keeps spans of what the own methods of frames do."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._kinds: dict[type[Frame], type[Frame]] = {}

    def see(self, frame: Frame) -> None:
        """Watch a frame from now on.

        The frame becomes of a kind derived from its own, so that whoever asks for that kind
        still finds it.
        """
        kind = type(frame)
        if kind not in self._kinds:
            self._kinds[kind] = self._watched(kind)
        try:
            frame.__class__ = self._kinds[kind]
        except TypeError:  # a kind with a layout of its own: then its methods are not seen
            self._kinds[kind] = kind

    def _watched(self, kind: type[Frame]) -> type[Frame]:
        names = [n for n in dir(kind) if not n.startswith("_") and isfunction(getattr(kind, n))]
        methods: dict[str, Any] = {name: self._method(name, getattr(kind, name)) for name in names}
        return type(
            kind.__name__, (kind,), {"__slots__": (), "__module__": kind.__module__} | methods
        )

    def _method(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def watched(frame: Frame, *args: Any, **kwargs: Any) -> Any:
            since = now()
            made = method(frame, *args, **kwargs)
            if time.monotonic() - since[0] >= SHORTEST:
                self._trace.add(name, PIXELS, frame, since)
            return made

        return watched
