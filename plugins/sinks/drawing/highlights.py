"""Which shapes and boxes have just had an event."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from vidan.events import APPEARED, CONFIRMED, LEFT, Event

DURATION_S = 0.5
"""How long an event is highlighted, in stream time."""

MAX_WAITING = 1000
"""Events that wait for a frame; a view that is paused needs none of the older ones."""

WITHOUT_HIGHLIGHT = {APPEARED, CONFIRMED, LEFT}
"""Every object has these: highlighting them would hide the events of lines and zones."""


class Highlights:
    """Remembers the latest events by rule and track.

    `add` may be called by another thread than the other methods.
    """

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque(maxlen=MAX_WAITING)
        self._rules: dict[str, float] = {}  # stream time of the latest event, s
        self._tracks: dict[int, float] = {}

    def add(self, events: Iterable[Event]) -> None:
        """Take events that became known; the same one may be given twice."""
        self._waiting.extend(event for event in events if event.kind not in WITHOUT_HIGHLIGHT)

    def advance(self, now: float) -> None:
        """Forget what is over at a stream time, s."""
        while self._waiting:
            event = self._waiting.popleft()
            self._rules[event.rule] = event.known
            if event.track is not None:
                self._tracks[event.track] = event.known
        # An event may be a little ahead of the frame, as views drop frames and not events. One that
        # is far ahead is from the time before the clock of the source was set back.
        self._rules = {k: t for k, t in self._rules.items() if abs(now - t) <= DURATION_S}
        self._tracks = {k: t for k, t in self._tracks.items() if abs(now - t) <= DURATION_S}

    def has_rule(self, rule: str | None) -> bool:
        """Whether a line, zone or analyzer is highlighted."""
        return rule in self._rules

    def has_track(self, track: int) -> bool:
        """Whether an object is highlighted."""
        return track in self._tracks
