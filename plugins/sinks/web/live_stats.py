"""What the page shows beside the image."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any

from vidan.stats import Stats
from vidan.types import Result

SPAN = 2.0
"""Seconds over which frames per second are counted."""

HISTORY = 180
"""Seconds of latency that are kept, one value each."""

EVENTS = 30
"""Latest events that are kept."""

AWAY = 30
"""Frames without an object after which it has left; before, it may have been hidden."""


class LiveStats:
    """Counts results, and adds what the run measures; safe to use from several threads.

    Attributes:
        stats: of the run: frames, drops and objects, as its summary has them.
    """

    def __init__(self) -> None:
        self.stats = Stats()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._arrivals: deque[float] = deque()
        self._latency: deque[tuple[int, float]] = deque(maxlen=HISTORY)
        self._events: deque[dict[str, Any]] = deque(maxlen=EVENTS)
        self._present: dict[int, tuple[str, int]] = {}  # label, index of the latest frame
        self._now: Counter[str] = Counter()
        self._newest: tuple[float, float, str] | None = None  # captured, time, stream
        self._number = 0

    def add(self, result: Result) -> None:
        """Count one result."""
        now, frame = time.monotonic(), result.frame
        with self._lock:
            self._newest = frame.captured, frame.time, frame.stream
            self._arrivals.append(now)
            self._forget_arrivals(now)
            self._note_latency(int(now - self._started), now - frame.captured)
            self._note_objects(result)

    def _forget_arrivals(self, now: float) -> None:
        while self._arrivals and self._arrivals[0] < now - SPAN:
            self._arrivals.popleft()

    def _note_latency(self, second: int, latency: float) -> None:
        """Keep the worst of each second."""
        if self._latency and self._latency[-1][0] == second:
            latency = max(latency, self._latency.pop()[1])
        self._latency.append((second, round(latency, 4)))

    def _note_objects(self, result: Result) -> None:
        tracks, index = result.tracks, result.frame.index
        labels = [result.label(class_index) for class_index in tracks.classes.tolist()]
        self._now = Counter(labels)
        for identity, label in zip(tracks.ids.tolist(), labels, strict=True):
            if identity not in self._present:
                self._say(result, f"{label} #{identity} appeared")
            self._present[identity] = label, index
        for identity, (label, last) in list(self._present.items()):
            if last < index - AWAY:
                del self._present[identity]
                self._say(result, f"{label} #{identity} left")
        for event in result.events:
            self._say(result, str(event)[:200])

    def _say(self, result: Result, text: str) -> None:
        self._number += 1
        self._events.append({"number": self._number, "time": result.frame.time, "text": text})

    @property
    def age(self) -> float | None:
        """Seconds since the newest image was captured; None before the first."""
        newest = self._newest
        return None if newest is None else time.monotonic() - newest[0]

    def snapshot(self) -> dict[str, Any]:
        """All figures as of now, fit for JSON."""
        now = time.monotonic()
        with self._lock:
            self._forget_arrivals(now)
            return {
                "stream": self._newest[2] if self._newest else None,
                "time": self._newest[1] if self._newest else None,
                "age": self.age,
                "fps": len(self._arrivals) / min(SPAN, max(now - self._started, 0.1)),
                "frames": self.stats.frames,
                "dropped": self.stats.dropped,
                "skipped": self.stats.skipped,
                "now": dict(self._now.most_common()),
                "total": self.stats.objects,
                "latency": list(self._latency),
                "events": list(self._events)[::-1],
            }
