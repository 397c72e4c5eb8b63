"""What the page shows beside the image."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from vidan.events import APPEARED, CONFIRMED, LEFT, Event
from vidan.stats import Stats
from vidan.types import Result

SPAN = 2.0
"""Seconds over which frames per second are counted."""

HISTORY = 180
"""Seconds of latency that are kept, one value each."""

EVENTS = 30
"""Latest events that are kept."""

MAX_EVENT_CHARS = 200
"""Length of the text of an event."""


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
            labels = [result.label(number) for number in result.tracks.classes.tolist()]
            self._now = Counter(labels)

    def add_events(self, events: Sequence[Event]) -> None:
        """Take note of events, in order."""
        with self._lock:
            for event in events:
                if event.kind == CONFIRMED or event.data.get("end_of_stream"):
                    continue
                self._number += 1
                text = _text(event)[:MAX_EVENT_CHARS]
                self._events.append({"number": self._number, "time": event.time, "text": text})

    def _forget_arrivals(self, now: float) -> None:
        while self._arrivals and self._arrivals[0] < now - SPAN:
            self._arrivals.popleft()

    def _note_latency(self, second: int, latency: float) -> None:
        """Keep the worst of each second."""
        if self._latency and self._latency[-1][0] == second:
            latency = max(latency, self._latency.pop()[1])
        self._latency.append((second, round(latency, 4)))

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


def _text(event: Event) -> str:
    """An event as a line for people."""
    verb = {APPEARED: "appeared", LEFT: "left"}.get(event.kind)
    if verb is not None:
        return f"{event.label} #{event.track} {verb}"
    who = "" if event.track is None else f": {event.label} #{event.track}"
    return f"{event.rule} {event.kind}{who}"
