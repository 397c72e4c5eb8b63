"""What the page shows beside the picture, counted from the results alone."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any

from vidan.types import Result

SPAN = 2.0
"""Seconds over which frames per second are counted."""

HISTORY = 180
"""Seconds of latency that are kept, one value each."""

EVENTS = 30
"""Latest events that are kept."""


class Figures:
    """Counts results; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._arrivals: deque[float] = deque()
        self._latency: deque[tuple[int, float]] = deque(maxlen=HISTORY)
        self._events: deque[dict[str, Any]] = deque(maxlen=EVENTS)
        self._present: dict[int, str] = {}
        self._now: Counter[str] = Counter()
        self._total: Counter[str] = Counter()
        self._last: int | None = None
        self._newest: tuple[float, float, str] | None = None  # captured, time, stream
        self._frames = self._skipped = self._number = 0

    def add(self, result: Result) -> None:
        """Count one result."""
        now, frame = time.monotonic(), result.frame
        with self._lock:
            self._frames += 1
            if self._last is not None:
                self._skipped += max(0, frame.index - self._last - 1)
            self._last = frame.index
            self._newest = frame.captured, frame.time, frame.stream
            self._arrivals.append(now)
            self._note_latency(int(now - self._started), now - frame.captured)
            self._note_objects(result)

    def _note_latency(self, second: int, latency: float) -> None:
        """Keep the worst of each second."""
        if self._latency and self._latency[-1][0] == second:
            latency = max(latency, self._latency.pop()[1])
        self._latency.append((second, latency))

    def _note_objects(self, result: Result) -> None:
        tracks = result.tracks
        labels = [result.label(index) for index in tracks.classes.tolist()]
        present = dict(zip(tracks.ids.tolist(), labels, strict=True))
        for identity in present.keys() - self._present.keys():
            self._total[present[identity]] += 1
            self._say(result, f"{present[identity]} #{identity} appeared")
        for identity in self._present.keys() - present.keys():
            self._say(result, f"{self._present[identity]} #{identity} left")
        for event in result.events:
            self._say(result, str(event)[:200])
        self._present, self._now = present, Counter(labels)

    def _say(self, result: Result, text: str) -> None:
        self._number += 1
        self._events.append({"number": self._number, "time": result.frame.time, "text": text})

    def snapshot(self) -> dict[str, Any]:
        """All figures as of now, fit for JSON."""
        now = time.monotonic()
        with self._lock:
            while self._arrivals and self._arrivals[0] < now - SPAN:
                self._arrivals.popleft()
            newest = self._newest
            return {
                "stream": newest[2] if newest else None,
                "time": newest[1] if newest else None,
                "age": now - newest[0] if newest else None,
                "fps": len(self._arrivals) / min(SPAN, max(now - self._started, 0.1)),
                "frames": self._frames,
                "skipped": self._skipped,
                "now": dict(self._now.most_common()),
                "total": dict(self._total.most_common()),
                "latency": list(self._latency),
                "events": list(self._events)[::-1],
            }
