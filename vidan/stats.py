"""Statistics of a run: seconds per stage, drops, objects, events, and the summary of it all."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .events import APPEARED, Event
from .outages import Outages

WINDOW = 20_000
"""Percentiles cover this many of the latest frames, so that endless runs stay bounded."""


COUNTS = ("captured", "skipped", "dropped", "frames", "detected", "still", "detections")
"""Attributes of `Stats` that add up over several streams."""


class Series:
    """Durations of one stage; only one thread may add to it."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=WINDOW)
        self._count = 0
        self._max = 0.0

    def add(self, seconds: float) -> None:
        """Add one duration, s."""
        self._latest.append(seconds)
        self._count += 1
        self._max = max(self._max, seconds)

    def summary(self) -> dict[str, float]:
        """`p50`, `p95`, `p99` of the latest measurements and `max` of all, in ms; {} if none."""
        if not self._latest:
            return {}
        p50, p95, p99 = np.percentile(np.array(self._latest), [50, 95, 99]) * 1e3
        figures = {"p50": p50, "p95": p95, "p99": p99, "max": self._max * 1e3}
        return {"count": self._count} | {name: round(float(ms), 3) for name, ms in figures.items()}


class Stats:
    """Counts and durations of one stream; its threads write them, any thread may read them.

    Attributes:
        outages: of the source; None if it does not report them.
        detected: frames that the detector got.
        still: frames that it did not get because nothing moved.
    """

    def __init__(self) -> None:
        self.outages: Outages | None = None
        self._lock = threading.Lock()
        self._stages: dict[str, Series] = {}
        self._ages: dict[str, Series] = {}
        self._objects: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._next_index = 0
        self._first: float | None = None
        self._last: float | None = None
        self.captured = 0
        self.skipped = 0
        self.dropped = 0
        self.frames = 0
        self.detected = 0
        self.still = 0
        self.detections = 0

    def frame_captured(self, index: int, seconds: float) -> None:
        """Count a frame that the source yielded; a gap in `index` counts as skipped by it."""
        with self._lock:
            self.captured += 1
            self.skipped += max(0, index - self._next_index)
            self._next_index = index + 1
            self._add(self._stages, "source", seconds)

    def frame_done(self, now: float, timings: Mapping[str, float], detections: int) -> None:
        """Count a frame that has been detected, tracked and analyzed.

        Args:
            now: `time.monotonic()`, s.
            timings: seconds per stage.
            detections: number of boxes.
        """
        with self._lock:
            self.frames += 1
            self.detections += detections
            for stage, seconds in timings.items():
                self._add(self._stages, stage, seconds)
            if self._first is None:
                self._first = now
            self._last = now

    def events_emitted(self, events: Iterable[Event]) -> None:
        """Count events by kind, and objects by label: each when its id first appeared."""
        with self._lock:
            for event in events:
                self._events[event.kind] += 1
                if event.kind == APPEARED and not event.data.get("returned"):
                    self._objects[event.label or ""] += 1

    def written(self, sink: str, seconds: float, age: float | None) -> None:
        """Add the duration of a sink's call, and the age of the frame at its end, s.

        The age is None for a sink whose results wait on purpose: see `Deferred`.
        """
        with self._lock:
            self._add(self._stages, f"sink.{sink}", seconds)
            if age is not None:
                self._add(self._ages, sink, age)

    @property
    def fps(self) -> float:
        """Frames per second between the first and the last frame that was done."""
        if self._first is None or self._last is None or self._last <= self._first:
            return 0.0
        return (self.frames - 1) / (self._last - self._first)

    @property
    def objects(self) -> dict[str, int]:
        """Number of objects so far, by label."""
        with self._lock:
            return dict(sorted(self._objects.items()))

    def summary(self) -> dict[str, Any]:
        """Everything, ready for JSON; times in ms."""
        with self._lock:
            return {
                "frames": self.frames,
                "captured": self.captured,
                "dropped": self.dropped,
                "skipped": self.skipped,
                "detected": self.detected,
                "still": self.still,
                "detections": self.detections,
                "objects": dict(sorted(self._objects.items())),
                "events": dict(sorted(self._events.items())),
                "fps": round(self.fps, 2),
                "stages_ms": {name: s.summary() for name, s in self._stages.items()},
                "age_ms": {name: s.summary() for name, s in self._ages.items()},
            }

    @classmethod
    def total(cls, parts: Iterable[Stats]) -> Stats:
        """The counts of several streams added up, as of now; durations stay with each stream."""
        total = cls()
        for part in parts:
            with part._lock:
                for name in COUNTS:
                    setattr(total, name, getattr(total, name) + getattr(part, name))
                total._objects += part._objects
                total._events += part._events
                firsts = [t for t in (total._first, part._first) if t is not None]
                lasts = [t for t in (total._last, part._last) if t is not None]
                total._first, total._last = min(firsts, default=None), max(lasts, default=None)
        return total

    @staticmethod
    def _add(series: dict[str, Series], name: str, seconds: float) -> None:
        if name not in series:
            series[name] = Series()
        series[name].add(seconds)
