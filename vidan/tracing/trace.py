"""A trace of a run: which thread did what, and when.

The file is in the "Trace Event Format" (Google, 2016): open it at https://ui.perfetto.dev or
chrome://tracing. `vidan.tracing.wrap` records the spans. Each thread has a row with the stages
(category `stage`) of the frames that it processed, and within them the methods of frames that make
pixels (category `frame`); arrows follow a frame from stage to stage.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..support.text import utf8
from ..types import Frame

log = logging.getLogger(__name__)

MAX_SPANS = 1_000_000
"""Latest spans that are kept: about an hour at 30 frames/s, or 200 MB."""

MIN_SAMPLE_S = 0.1
"""Shortest time over which the number of busy processors is averaged, s."""

STAGE, PIXELS = "stage", "frame"
TraceEvent = dict[str, Any]


class Span(NamedTuple):
    """What one thread did for a time; times are `time.monotonic()`, s.

    Attributes:
        name: the stage, or the method of the frame.
        category: STAGE or PIXELS.
        stream: name of the stream.
        frame: index of the frame.
        thread: native id of the thread.
        start: start time, s.
        end: end time, s.
        cpu: processor time of the thread, s.
        more: other values by name.
    """

    name: str
    category: str
    stream: str
    frame: int
    thread: int
    start: float
    end: float
    cpu: float
    more: dict[str, float]


class Trace:
    """Collects spans from any thread.

    Args:
        max_spans: latest spans that are kept.

    Attributes:
        zero: `time.monotonic()` at time 0 of the trace, s.
    """

    def __init__(self, max_spans: int = MAX_SPANS) -> None:
        self.zero = time.monotonic()
        self._spans: deque[Span] = deque(maxlen=max_spans)
        self._threads: dict[int, str] = {}
        self._count = 0

    def add(
        self, name: str, category: str, frame: Frame, since: tuple[float, float], **more: float
    ) -> None:
        """Record a span of this thread that ends now; `since` is `now()` at its start."""
        thread = threading.get_native_id()
        if thread not in self._threads:
            self._threads[thread] = threading.current_thread().name
        start, cpu_before = since
        end, cpu = now()
        stream, index = frame.stream, frame.index
        self.record(Span(name, category, stream, index, thread, start, end, cpu - cpu_before, more))

    def record(self, span: Span) -> None:
        """Record a span."""
        self._count += 1
        self._spans.append(span)

    def write(self, path: Path) -> bool:
        """Write the file; returns False, and logs an error, if it cannot be written."""
        if self._count > len(self._spans):
            kept = len(self._spans)
            log.warning("the trace contains only the latest %d of %d spans", kept, self._count)
        about = {
            "zero": self.zero,
            "peak_memory_mb": peak_memory(),
            "cpu_s": time.process_time(),
        }
        lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in self.events())
        top = f'"displayTimeUnit":"ms","otherData":{json.dumps(about)}'
        text = f'{{{top},"traceEvents":[\n{lines}\n]}}\n'
        try:
            path.write_bytes(utf8(text))
        except OSError as error:
            log.error("cannot write %s: %s", path, error)
            return False
        return True

    def events(self) -> Iterator[TraceEvent]:
        """The spans as trace events; times in µs."""
        spans = sorted(self._spans, key=lambda span: span.start)
        yield self._event("M", "process_name", 0, args={"name": "vidan"})
        for place, (thread, name) in enumerate(self._threads.items()):
            yield self._event("M", "thread_name", thread, args={"name": name})
            yield self._event("M", "thread_sort_index", thread, args={"sort_index": place})
        for span in spans:
            args = {"frame": span.frame, "stream": span.stream} | span.more
            yield self._event(
                "X",
                span.name,
                span.thread,
                span.start,
                cat=span.category,
                dur=microseconds(span.end - span.start),
                tdur=microseconds(span.cpu),
                args=args,
            )
        yield from self._arrows(spans)
        yield from self._processors(spans)

    def _arrows(self, spans: Iterable[Span]) -> Iterator[TraceEvent]:
        """Arrows from stage to stage of each frame, and a mark on frames that were dropped."""
        frames: dict[tuple[str, int], list[Span]] = defaultdict(list)
        for span in spans:
            if span.category == STAGE:
                frames[span.stream, span.frame].append(span)
        for number, ((_, index), stages) in enumerate(frames.items()):
            if len(stages) == 1:
                (only,) = stages
                about = {"frame": index}
                yield self._event("i", "dropped", only.thread, only.end, s="t", args=about)
                continue
            for place, span in enumerate(stages):
                phase = "s" if place == 0 else "f" if place == len(stages) - 1 else "t"
                end = {"bp": "e"} if phase == "f" else {}
                yield self._event(
                    phase, "frame", span.thread, span.start, cat="flow", id=number, **end
                )

    def _processors(self, spans: Iterable[Span]) -> Iterator[TraceEvent]:
        """The number of busy processors over time, for the whole process."""
        samples = [(s.end, s.more["process_cpu"]) for s in spans if "process_cpu" in s.more]
        last: tuple[float, float] | None = None
        for at, cpu in sorted(samples):
            if last is not None and at - last[0] < MIN_SAMPLE_S:
                continue
            if last is not None:
                busy = round((cpu - last[1]) / (at - last[0]), 2)
                yield self._event("C", "processors in use", 0, last[0], args={"busy": busy})
            last = at, cpu

    def _event(
        self, phase: str, name: str, thread: int, at: float | None = None, **more: Any
    ) -> TraceEvent:
        stamp = 0.0 if at is None else microseconds(at - self.zero)
        return {"ph": phase, "name": name, "pid": os.getpid(), "tid": thread, "ts": stamp} | more


def now() -> tuple[float, float]:
    """The monotonic clock and the processor time of this thread, s."""
    return time.monotonic(), time.thread_time()


def peak_memory() -> float | None:
    """Peak memory of this process so far, MB; None if the system does not report it."""
    if found := re.search(r"VmHWM:\s*(\d+) kB", _status()):
        return round(int(found[1]) * 1024 / 1e6, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 1)  # macOS: bytes


def _status() -> str:
    """The status of this process on Linux, where `getrusage` includes the parent's memory."""
    try:
        return Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return ""


def microseconds(seconds: float) -> float:
    """Seconds as µs, the unit of the file."""
    return round(seconds * 1e6, 1)
