"""Ends calls of FFmpeg that wait for a network, when a run is stopped or patience is at its end.

FFmpeg asks again and again, while it waits, whether it shall go on. PyAV answers by its
time-outs alone, and asks its own module `time` how late it is. That module is given a clock
that leaps ahead, by more than any time-out, for a thread that is to wait no longer. Where PyAV
should come to ask another clock, waiting ends by its time-outs, as it always did.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av.container.core

LEAP = 1e6
"""More than any time-out, s."""


class _Waiting(threading.local):
    """Until when this thread may wait, s of `time.monotonic()`, and what ends it before."""

    deadline = math.inf
    stopped: threading.Event | None = None
    interrupt: KeyboardInterrupt | None = None
    ahead = 0.0  # never less than it was: PyAV objects to a clock that is put back

    def hand_on(self) -> None:
        """Raise the interrupt that came meanwhile, if one did."""
        if self.interrupt is not None:
            raise self.interrupt


class _Clock:
    """What PyAV takes for the module `time`."""

    def __init__(self) -> None:
        self.waiting = _Waiting()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        """Now, s; it leaps ahead each time that it is asked when the waiting is over."""
        waiting = self.waiting
        now = time.monotonic()
        try:
            stopped = waiting.stopped is not None and waiting.stopped.is_set()
        except KeyboardInterrupt as interrupt:
            # Raised here it would be lost in FFmpeg: it is handed on behind the call.
            waiting.interrupt = interrupt
        if waiting.interrupt is not None or stopped or now > waiting.deadline:
            waiting.ahead += LEAP
        return now + waiting.ahead


_clock = _Clock()
av.container.core.time = _clock  # type: ignore[attr-defined]


@contextmanager
def interruptible(stopped: threading.Event, deadline: float = math.inf) -> Iterator[None]:
    """Calls of FFmpeg by this thread end with an error once a time is past or a run is stopped.

    Args:
        stopped: ends the waiting when it is set.
        deadline: s of `time.monotonic()`.

    Raises:
        KeyboardInterrupt: it came during such a call.
    """
    waiting = _clock.waiting
    waiting.stopped, waiting.deadline, waiting.interrupt = stopped, deadline, None
    try:
        yield
    finally:
        waiting.stopped, waiting.deadline = None, math.inf
        waiting.hand_on()
