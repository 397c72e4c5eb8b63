"""When a source gave nothing: what is told of it, and what is forgotten over it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import numpy as np

from .coasting import coast
from .interfaces import Tracker
from .types import Detections, Frame, Tracks

REMEMBERED = 1000
"""So many of the latest outages are kept, so that endless runs stay bounded."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without pictures.

    Attributes:
        began: when the last picture before it came, in UTC.
        time: stream time of that picture, s.
        reason: why there were none.
        attempts: how often the source tried to get it back.
        length: from the last picture before it to the first behind it, s; None if it goes on.
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
        """One began: the last picture, of stream time `time` s, is `age` s old."""
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


class Forgetful:
    """A tracker that knows nobody again after a long outage, and uses no identity twice.

    What a Kalman filter expects is worth little after seconds of darkness: whoever stands
    where somebody was would be taken for them.

    Args:
        make: makes a tracker, each time a new one is needed.
        outages: of the source.
        age: the shortest outage after which all are new, s.
    """

    def __init__(self, make: Callable[[], Tracker], outages: Outages, age: float) -> None:
        self._make = make
        self._outages = outages
        self._age = age
        self._tracker = make()
        self._tracks = Tracks.empty()  # of the last look, as the tracker numbers them
        self._offset = self._highest = 0
        self._last = 0.0  # stream time of the frame before, s

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this frame."""
        if self._long_outage_before(frame):
            self._tracker = self._make()
            self._offset = self._highest
        self._tracks = self._tracker.update(frame, detections)
        return self._renumbered(self._tracks)

    def coast(self, frame: Frame) -> Tracks:
        """See Coaster."""
        return self._renumbered(coast(self._tracker, frame, self._tracks))

    def _renumbered(self, tracks: Tracks) -> Tracks:
        """With ids that no tracker before used."""
        if not len(tracks):
            return tracks
        ids = tracks.ids + np.int64(self._offset)
        self._highest = max(self._highest, int(ids.max()))
        return replace(tracks, ids=ids) if self._offset else tracks

    def _long_outage_before(self, frame: Frame) -> bool:
        """Whether one came to its end between the frame before and this one."""
        since, self._last = self._last, frame.time
        lengths = [o.length for o in self._outages.since(since) if o.time < frame.time]
        return any(length is not None and length >= self._age for length in lengths)
