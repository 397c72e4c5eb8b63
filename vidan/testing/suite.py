"""What the suites share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from ..interfaces import Analyzer, Detector, EventSink, Sink, Source, Tracker
from ..runtime.pipeline import Pipeline
from ..runtime.stream import Stream
from ..types import Detections, Frame, Tracks

Component = TypeVar("Component")


class Suite(Generic[Component]):
    """Base of the suites: `make` returns a fresh component."""

    def make(self, tmp_path: Path) -> Component:
        """A fresh component; `tmp_path` is an empty folder, the same for all calls of a test."""
        raise NotImplementedError(f"{type(self).__name__}.make must return the component to test")


class EachBoxATrack:
    """A tracker for tests of other kinds: row n of the detections is track n + 1."""

    def update(self, frame: Frame, detections: Detections) -> Tracks:  # noqa: ARG002
        """A track for each detection."""
        n = len(detections)
        return Tracks(
            np.arange(1, n + 1, dtype=np.int64),
            detections.boxes,
            detections.scores,
            detections.classes,
            np.zeros(n, np.int32),
            np.arange(n, dtype=np.int32),
        )


def run_pipeline(
    source: Source,
    detector: Detector,
    tracker: Tracker,
    *sinks: Sink | EventSink,
    analyzer: Analyzer | None = None,
    max_frames: int | None = None,
    workers: int = 1,
) -> Any:
    """Run a pipeline with these components to its end, and return its statistics."""
    named = {f"sink{n}": sink for n, sink in enumerate(sinks)}
    analyzers = {} if analyzer is None else {"analyzer": analyzer}
    stream = Stream(source, tracker, named, analyzers, max_frames=max_frames)
    return Pipeline(stream, detector, workers=workers).run()


def in_thread(function: Callable[[], None]) -> None:
    """Run a function in a thread; what it raises is raised here."""
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
