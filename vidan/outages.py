"""Outages of a source: times without frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

MAX_KEPT = 1000
"""Latest outages that are kept, so that memory stays bounded in endless runs."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time during which a live source delivered no frames.

    Attributes:
        began: when the last frame before the outage was captured, UTC.
        time: stream time of that frame, s.
        reason: why there were no frames.
        attempts: number of attempts to reconnect.
        length: time from the last frame before the outage to the first after it, s; None while it
            lasts.
    """

    began: datetime
    time: float
    reason: str
    attempts: int = 0
    length: float | None = None

    def summary(self) -> dict[str, Any]:
        """The outage as JSON values."""
        return asdict(self) | {
            "began": self.began.isoformat(timespec="seconds"),
            "time": round(self.time, 3),
            "length": None if self.length is None else round(self.length, 3),
        }


class Outages:
    """The outages of a source, oldest first; written by one thread, read by any.

    A source provides them as its attribute `outages`: see `vidan.interfaces.ReportsOutages`.

    Attributes:
        count: number of outages, including those that are no longer kept.
    """

    def __init__(self) -> None:
        self.count = 0
        self._latest: deque[Outage] = deque(maxlen=MAX_KEPT)

    @property
    def latest(self) -> Outage | None:
        """The latest outage; None if there was none."""
        return self._latest[-1] if self._latest else None

    def __iter__(self) -> Iterator[Outage]:
        return iter(tuple(self._latest))

    def since(self, time: float) -> list[Outage]:
        """Outages that began at stream time `time`, s, or later; latest first."""
        return list(takewhile(lambda o: o.time >= time, reversed(tuple(self._latest))))

    def begin(self, age: float, time: float, reason: str) -> None:
        """Start an outage.

        Args:
            age: of the last frame, s.
            time: stream time of the last frame, s.
            reason: why there are no frames.
        """
        began = datetime.now(UTC) - timedelta(seconds=age)
        self.count += 1
        self._latest.append(Outage(began, time, reason))

    def attempt(self) -> None:
        """Count an attempt to reconnect."""
        latest = self._latest[-1]
        self._latest[-1] = replace(latest, attempts=latest.attempts + 1)

    def end(self, length: float) -> Outage:
        """End the current outage after `length` s, and return it."""
        self._latest[-1] = replace(self._latest[-1], length=length)
        return self._latest[-1]
