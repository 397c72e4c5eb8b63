"""Stream time from timestamps as files really have them, and pacing by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from vidan.types import Frame


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

        A camera holds one image, and a newer one takes its place.
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


TICK = 1e-3
"""Least time between two images, s: stream time always rises."""


JUMP = 1.0
"""A step back by more than this is a new beginning of the timestamps, s."""


LONGEST_WAIT = 1.0
"""A longer pause of the stream is cut down to this, s, so that a run can always be stopped."""


class StreamTime:
    """Makes stream time, in s, of timestamps: 0 for the first image, and rising ever after."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._zero: float | None = None

    @property
    def last(self) -> float:
        """The stream time of the latest image, s."""
        return self._last or 0.0

    def restart(self, pause: float = 0.0) -> None:
        """The timestamps begin anew with the next image; stream time goes on.

        Args:
            pause: how long there was none, s; 0 if the next one follows as usual.
        """
        self._zero = None
        if self._last is not None:
            self._last += pause

    def of(self, stamp: float | None, step: float) -> float:
        """The stream time of the next image, s.

        Args:
            stamp: its timestamp, s; None if it has none.
            step: how long after the image before it should come, s.
        """
        expected = 0.0 if self._last is None else self._last + step
        time_ = expected if stamp is None else self._real(stamp, expected)
        if self._last is not None:
            time_ = max(time_, self._last + TICK)
        self._last = time_
        return time_

    def _real(self, stamp: float, expected: float) -> float:
        last = 0.0 if self._last is None else self._last
        if self._zero is None or stamp - self._zero < last - JUMP:
            self._zero = stamp - expected
        return stamp - self._zero


class Pace:
    """Lets images through when their time has come, as a camera would.

    Args:
        stop: ends all waiting when it is set.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._start: float | None = None

    def hold(self, frame: Frame) -> None:
        """Wait until a frame is due: then it is captured."""
        self.wait(frame.time)
        frame.captured = time.monotonic()

    def wait(self, stream_time: float) -> None:
        """Wait until an image of that stream time, s, is due; not at all if it is late."""
        now = time.monotonic()
        if self._start is None:
            self._start = now - stream_time
        delay = self._start + stream_time - now
        if delay > LONGEST_WAIT:
            self._start -= delay - LONGEST_WAIT
            delay = LONGEST_WAIT
        if delay > 0:
            self._stop.wait(delay)
