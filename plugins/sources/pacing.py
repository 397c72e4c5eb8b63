"""Delivering frames at the pace of their stream time, as a camera does."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from vidan.types import Frame

MAX_PAUSE_S = 1.0
"""Pauses in a recording are shortened to this, s."""


class Pacer:
    """Delays each frame until it is due.

    The clock starts with the first frame, which is due at once. A late frame is not delayed.

    Args:
        stopped: ends all waiting when set.
        max_pause: longest wait for one frame, s; everything after a longer one moves forward.
        now: the clock, s.
        sleep: waits for a number of seconds; None for a wait that `stopped` ends.
    """

    def __init__(
        self,
        stopped: threading.Event,
        max_pause: float = math.inf,
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._max_pause = max_pause
        self._now = now or time.monotonic
        self._sleep = sleep or stopped.wait
        self._start: float | None = None  # when stream time 0 was due, s

    def elapsed(self) -> float:
        """The stream time that is due now, s; 0 before the first frame."""
        return 0.0 if self._start is None else self._now() - self._start

    def wait(self, stream_time: float) -> float:
        """Wait until `stream_time`, s, is due; returns when that was, s of the clock."""
        now = self._now()
        if self._start is None:
            self._start = now - stream_time
        delay = self._start + stream_time - now
        if delay > self._max_pause:
            self._start -= delay - self._max_pause
            delay = self._max_pause
        if delay > 0:
            self._sleep(delay)
        return self._start + stream_time

    def hold(self, frame: Frame) -> None:
        """Wait until a frame is due and mark it as captured now."""
        self.wait(frame.time)
        frame.captured = self._now()
