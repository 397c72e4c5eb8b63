"""When the frames of a camera fall due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Cadence:
    """Frames that fall due at a steady rate, whether or not anyone asks for them.

    The clock starts when the first frame is waited for, which is then due.

    Args:
        rate: frames per second.
        stop: ends all waiting when it is set.
        now: the clock, s.
        sleep: waits for some seconds; None for a wait that `stop` ends.
    """

    def __init__(
        self,
        rate: float,
        stop: threading.Event,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._rate = rate
        self._now = now
        self._sleep = stop.wait if sleep is None else sleep
        self._zero: float | None = None

    def newest(self, index: int) -> int:
        """The frame to deliver next: `index`, or the newest that has fallen due if it is later.

        A camera holds one picture, and a newer one takes its place.
        """
        if self._zero is None:
            return index
        return max(index, int((self._now() - self._zero) * self._rate))

    def wait(self, index: int) -> float:
        """Wait until a frame falls due, not at all if it has; returns when it did, s."""
        now = self._now()
        if self._zero is None:
            self._zero = now - index / self._rate
        due = self._zero + index / self._rate
        if due > now:
            self._sleep(due - now)
        return due
