"""The statistics and events that the page shows beside the image."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from vidan.events import APPEARED, CONFIRMED, LEFT, Event
from vidan.stats import Stats
from vidan.types import Result

RATE_WINDOW_S = 2.0
"""Time over which frames per second are averaged."""

MIN_RATE_WINDOW_S = 0.1
"""Shorter times since the start give no useful rate."""

LATENCY_HISTORY_S = 180
"""Time for which latency is kept, one value per second."""

MAX_EVENTS = 30
"""Number of events that are kept; older ones are discarded."""

MAX_EVENT_CHARS = 200
"""Length of the text of an event."""


class LiveStats:
    """Counts results and events, and adds the statistics of the run; thread-safe.

    Attributes:
        stats: statistics of the run: frames, dropped frames, objects.
    """

    def __init__(self) -> None:
        self.stats = Stats()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._arrivals: deque[float] = deque()
        self._latency: deque[tuple[int, float]] = deque(maxlen=LATENCY_HISTORY_S)
        self._events: deque[dict[str, Any]] = deque(maxlen=MAX_EVENTS)
        self._now: Counter[str] = Counter()
        self._newest: tuple[float, float, str] | None = None  # captured, time, stream
        self._number = 0

    def add(self, result: Result) -> None:
        """Count a result."""
        now, frame = time.monotonic(), result.frame
        with self._lock:
            self._newest = frame.captured, frame.time, frame.stream
            self._arrivals.append(now)
            self._discard_arrivals(now)
            self._add_latency(int(now - self._started), now - frame.captured)
            labels = [result.label(number) for number in result.tracks.classes.tolist()]
            self._now = Counter(labels)

    def add_events(self, events: Sequence[Event]) -> None:
        """List events, given in order; not those that viewers do not care about."""
        with self._lock:
            for event in events:
                if event.kind == CONFIRMED or event.data.get("end_of_stream"):
                    continue
                self._number += 1
                text = _text(event)[:MAX_EVENT_CHARS]
                self._events.append({"number": self._number, "time": event.time, "text": text})

    def _discard_arrivals(self, now: float) -> None:
        while self._arrivals and self._arrivals[0] < now - RATE_WINDOW_S:
            self._arrivals.popleft()

    def _add_latency(self, second: int, latency: float) -> None:
        """Keep the maximum of each second."""
        if self._latency and self._latency[-1][0] == second:
            latency = max(latency, self._latency.pop()[1])
        self._latency.append((second, round(latency, 4)))

    @property
    def age(self) -> float | None:
        """Time since the newest image was captured, s; None before the first."""
        newest = self._newest
        return None if newest is None else time.monotonic() - newest[0]

    def snapshot(self) -> dict[str, Any]:
        """The current statistics, ready for JSON; the newest event first."""
        now = time.monotonic()
        with self._lock:
            self._discard_arrivals(now)
            span = min(RATE_WINDOW_S, max(now - self._started, MIN_RATE_WINDOW_S))
            return {
                "stream": self._newest[2] if self._newest else None,
                "time": self._newest[1] if self._newest else None,
                "age": self.age,
                "fps": len(self._arrivals) / span,
                "frames": self.stats.frames,
                "dropped": self.stats.dropped,
                "skipped": self.stats.skipped,
                "now": dict(self._now.most_common()),
                "total": self.stats.objects,
                "latency": list(self._latency),
                "events": list(self._events)[::-1],
            }


def _text(event: Event) -> str:
    """One line that describes an event."""
    verb = {APPEARED: "appeared", LEFT: "left"}.get(event.kind)
    if verb is not None:
        return f"{event.label} #{event.track} {verb}"
    who = "" if event.track is None else f": {event.label} #{event.track}"
    return f"{event.rule} {event.kind}{who}"
