"""When a source gave nothing: what is told of it, and what is forgotten over it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

REMEMBERED = 1000
"""So many of the latest outages are kept, so that endless runs stay bounded."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without images.

    Attributes:
        began: when the last image before it came, in UTC.
        time: stream time of that image, s.
        reason: why there were none.
        attempts: how often the source tried to get it back.
        length: from the last image before it to the first behind it, s; None if it goes on.
    """

    began: datetime
    time: float
    reason: str
    attempts: int = 0
    length: float | None = None

    def summary(self) -> dict[str, Any]:
        """It, ready for JSON."""
        return asdict(self) | {
            "began": self.began.isoformat(timespec="seconds"),
            "time": round(self.time, 3),
            "length": None if self.length is None else round(self.length, 3),
        }


class Outages:
    """The outages of a source, the latest last; written by one thread, read by any.

    A source that comes and goes has them as its attribute `outages`.

    Attributes:
        count: how many there were, forgotten ones included.
    """

    def __init__(self) -> None:
        self.count = 0
        self._latest: deque[Outage] = deque(maxlen=REMEMBERED)

    @property
    def latest(self) -> Outage | None:
        """The latest of them."""
        return self._latest[-1] if self._latest else None

    def __iter__(self) -> Iterator[Outage]:
        return iter(tuple(self._latest))

    def since(self, time: float) -> list[Outage]:
        """Those that began at that stream time, s, or later, the latest first."""
        return list(takewhile(lambda o: o.time >= time, reversed(tuple(self._latest))))

    def begin(self, age: float, time: float, reason: str) -> None:
        """One began: the last image, of stream time `time` s, is `age` s old."""
        began = datetime.now(UTC) - timedelta(seconds=age)
        self.count += 1
        self._latest.append(Outage(began, time, reason))

    def attempt(self) -> None:
        """One more try to end it."""
        latest = self._latest[-1]
        self._latest[-1] = replace(latest, attempts=latest.attempts + 1)

    def end(self, length: float) -> Outage:
        """It is over, after so many s."""
        self._latest[-1] = replace(self._latest[-1], length=length)
        return self._latest[-1]
