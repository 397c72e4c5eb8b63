"""What a run measured: seconds per stage, drops, objects, and the summary of it all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

WINDOW = 20_000
"""Percentiles are over this many latest frames, so that endless runs stay bounded."""


class Series:
    """Measurements of one thing; not safe to share between threads that both write."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=WINDOW)
        self._count = 0
        self._max = 0.0

    def add(self, seconds: float) -> None:
        """Take one measurement, in s."""
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
    """Counts and times of one run, written by its threads and read by anyone at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[str, Series] = {}
        self._ages: dict[str, Series] = {}
        self._ids: dict[str, int] = {}
        self._next_index = 0
        self._first: float | None = None
        self._last: float | None = None
        self.captured = 0
        self.skipped = 0
        self.dropped = 0
        self.frames = 0
        self.detections = 0

    def frame_captured(self, index: int, seconds: float) -> None:
        """A frame came out of the source; a gap in `index` counts as skipped by the source."""
        with self._lock:
            self.captured += 1
            self.skipped += max(0, index - self._next_index)
            self._next_index = index + 1
            self._add(self._stages, "source", seconds)

    def frame_done(
        self, now: float, timings: Mapping[str, float], detections: int, new_ids: Mapping[str, int]
    ) -> None:
        """A frame has been detected and tracked.

        Args:
            now: `time.monotonic()`, s.
            timings: seconds per stage.
            detections: how many boxes were found.
            new_ids: how many identities appeared, by label.
        """
        with self._lock:
            self.frames += 1
            self.detections += detections
            for label, count in new_ids.items():
                self._ids[label] = self._ids.get(label, 0) + count
            for stage, seconds in timings.items():
                self._add(self._stages, stage, seconds)
            if self._first is None:
                self._first = now
            self._last = now

    def written(self, sink: str, seconds: float, age: float) -> None:
        """A sink took a result: how long it took, and how old the frame then was, s."""
        with self._lock:
            self._add(self._stages, f"sink.{sink}", seconds)
            self._add(self._ages, sink, age)

    @property
    def fps(self) -> float:
        """Frames per second between the first frame that was done and the last."""
        if self._first is None or self._last is None or self._last <= self._first:
            return 0.0
        return (self.frames - 1) / (self._last - self._first)

    @property
    def objects(self) -> dict[str, int]:
        """How many identities there were so far, by label."""
        with self._lock:
            return dict(sorted(self._ids.items()))

    def summary(self) -> dict[str, Any]:
        """Everything, ready for JSON; times in ms."""
        with self._lock:
            return {
                "frames": self.frames,
                "captured": self.captured,
                "dropped": self.dropped,
                "skipped": self.skipped,
                "detections": self.detections,
                "objects": dict(sorted(self._ids.items())),
                "fps": round(self.fps, 2),
                "stages_ms": {name: s.summary() for name, s in self._stages.items()},
                "age_ms": {name: s.summary() for name, s in self._ages.items()},
            }

    @staticmethod
    def _add(series: dict[str, Series], name: str, seconds: float) -> None:
        if name not in series:
            series[name] = Series()
        series[name].add(seconds)
