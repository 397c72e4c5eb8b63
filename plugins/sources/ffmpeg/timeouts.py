"""Ends calls of FFmpeg that wait for a network, when a run is stopped or patience is at its end.

FFmpeg asks again and again, while it waits, whether it shall go on. PyAV answers by its
time-outs alone, and asks its own module `time` how late it is. That module is given a clock
that leaps ahead, by more than any time-out, for a thread that is to wait no longer. Where PyAV
should come to ask another clock, waiting ends by its time-outs, as it always did.
"""

from __future__ import annotations

import math
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import av.container.core

from .url import LIVE

HOSTED = LIVE | {"http", "https"}
"""Protocols of which the host is looked up."""


POLL = 0.02
"""How often whoever waits looks up, s."""


def look_up(url: str, stopped: threading.Event, timeout: float) -> None:
    """Wait until the system knows the host of a URL.

    Args:
        url: nothing is done for one without a host, or of which a proxy is asked.
        stopped: ends the waiting when it is set.
        timeout: longest wait, s.

    Raises:
        InterruptedError: the run was stopped.
        TimeoutError: no name server answered in time.
        OSError: there is no such host.
    """
    host = _host(url)
    if host is None:
        return
    errors: list[OSError] = []
    done = threading.Event()

    def ask() -> None:
        try:
            socket.getaddrinfo(host, None)
        except OSError as error:
            errors.append(error)
        except UnicodeError:
            pass  # not a name that Python would look up: FFmpeg shall say what it thinks of it
        done.set()

    # A thread that is left behind, since nothing can end its call; it holds nothing.
    threading.Thread(target=ask, name="vidan-look-up", daemon=True).start()
    end = time.monotonic() + timeout
    while not done.wait(POLL):
        if stopped.is_set():
            raise InterruptedError("stopped")
        if time.monotonic() > end:
            raise TimeoutError(f"no name server answered for {timeout:g} s")
    if errors:
        raise errors[0]


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    # Of which FFmpeg takes heed; it is the proxy that looks up.
    proxied = parts.scheme in ("http", "https") and "http_proxy" in os.environ
    return parts.hostname if parts.scheme in HOSTED and not proxied else None


LEAP = 1e6
"""More than any time-out, s."""


class _Waiting(threading.local):
    """Until when this thread may wait, s of `time.monotonic()`, and what ends it before."""

    deadline = math.inf
    stopped: threading.Event | None = None
    interrupted = False
    ahead = 0.0  # s


class _Clock:
    """What PyAV takes for the module `time`.

    PyAV objects to a clock that is put back. A container may be closed by another thread than
    read it, so who does not wait at the moment gets the time of the clock that is most ahead.
    """

    def __init__(self) -> None:
        self.waiting = _Waiting()
        self.most_ahead = 0.0  # s; that two threads raise it at once does not matter

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        """Now, s; it leaps ahead each time that it is asked when the waiting is over."""
        waiting = self.waiting
        now = time.monotonic()
        if waiting.stopped is None:
            return now + self.most_ahead
        if waiting.interrupted or waiting.stopped.is_set() or now > waiting.deadline:
            waiting.ahead += LEAP
            self.most_ahead = max(self.most_ahead, waiting.ahead)
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
    waiting.stopped, waiting.deadline, waiting.interrupted = stopped, deadline, False
    waiting.ahead = _clock.most_ahead
    try:
        with _interrupts_noted():
            yield
    finally:
        waiting.stopped, waiting.deadline = None, math.inf
        if waiting.interrupted:
            waiting.interrupted = False
            raise KeyboardInterrupt


@contextmanager
def _interrupts_noted() -> Iterator[None]:
    """Take note of Ctrl-C where Python would raise it: inside FFmpeg's questions it would be lost.

    Only the main thread gets signals, and a handler of somebody's own is left alone.
    """
    usual = signal.default_int_handler
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not usual:
        yield
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        _clock.waiting.interrupted = True

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
