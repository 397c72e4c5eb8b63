"""Ending FFmpeg calls that wait for a network, at a deadline or when a run is stopped.

Private API: `av.container.core.time` (PyAV). While FFmpeg waits, it repeatedly asks PyAV whether
to continue, and PyAV compares `time.monotonic()`, from its own reference to the module `time`,
with its timeouts. This module replaces that reference by a clock that jumps ahead, beyond any
timeout, for a thread whose wait is over. Fallback: if PyAV used another clock, calls would still
end by its timeouts, but stopping a run would take as long as they do.

Name resolution happens inside FFmpeg too, where nothing can interrupt it; `resolve_host` does it
beforehand, in a thread that may be abandoned.
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

from .url import LIVE_PROTOCOLS

RESOLVED_PROTOCOLS = LIVE_PROTOCOLS | {"http", "https"}
"""Protocols whose host is resolved before FFmpeg connects."""

POLL_INTERVAL_S = 0.02
"""How often a waiting thread checks whether the run was stopped, s."""

CLOCK_JUMP_S = 1e6
"""How far the clock jumps ahead: beyond any timeout, s."""


def resolve_host(url: str, stopped: threading.Event, timeout: float) -> None:
    """Wait until the system has resolved the host of a URL.

    Args:
        url: ignored if it has no host, or if a proxy resolves it.
        stopped: ends the wait when set.
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

    def resolve() -> None:
        try:
            socket.getaddrinfo(host, None)
        except OSError as error:
            errors.append(error)
        except UnicodeError:
            pass  # a name that Python does not resolve: leave it to FFmpeg
        done.set()

    # Nothing can interrupt getaddrinfo; a thread that is abandoned holds no resources.
    threading.Thread(target=resolve, name="vidan-resolve-host", daemon=True).start()
    deadline = time.monotonic() + timeout
    while not done.wait(POLL_INTERVAL_S):
        if stopped.is_set():
            raise InterruptedError("stopped")
        if time.monotonic() > deadline:
            raise TimeoutError(f"no name server answered for {timeout:g} s")
    if errors:
        raise errors[0]


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    # FFmpeg honors this variable; the proxy then resolves the host.
    proxied = parts.scheme in ("http", "https") and "http_proxy" in os.environ
    return parts.hostname if parts.scheme in RESOLVED_PROTOCOLS and not proxied else None


class _Wait(threading.local):
    """Until when this thread may wait, s of `time.monotonic()`, and what ends the wait earlier."""

    deadline = math.inf
    stopped: threading.Event | None = None
    interrupted = False
    ahead = 0.0  # s


class _Clock:
    """Replaces the module `time` in PyAV.

    PyAV fails if a clock runs backward. Since another thread than the reader may close a
    container, threads that are not waiting get the time of the clock that is furthest ahead.
    """

    def __init__(self) -> None:
        self.wait = _Wait()
        self.max_ahead = 0.0  # s; a race between two threads that raise it is harmless

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        """Now, s; jumps ahead on every call once this thread's wait is over."""
        wait = self.wait
        now = time.monotonic()
        if wait.stopped is None:
            return now + self.max_ahead
        if wait.interrupted or wait.stopped.is_set() or now > wait.deadline:
            wait.ahead += CLOCK_JUMP_S
            self.max_ahead = max(self.max_ahead, wait.ahead)
        return now + wait.ahead


_clock = _Clock()
av.container.core.time = _clock  # type: ignore[attr-defined]


@contextmanager
def interruptible(stopped: threading.Event, deadline: float = math.inf) -> Iterator[None]:
    """End FFmpeg calls of this thread with an error at a deadline or when a run is stopped.

    Args:
        stopped: ends the wait when set.
        deadline: s of `time.monotonic()`.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed during such a call.
    """
    wait = _clock.wait
    wait.stopped, wait.deadline, wait.interrupted = stopped, deadline, False
    wait.ahead = _clock.max_ahead
    try:
        with _noting_ctrl_c():
            yield
    finally:
        wait.stopped, wait.deadline = None, math.inf
        if wait.interrupted:
            wait.interrupted = False
            raise KeyboardInterrupt


@contextmanager
def _noting_ctrl_c() -> Iterator[None]:
    """Record Ctrl-C instead of raising it: an exception inside FFmpeg's callback would be lost.

    Only the main thread receives signals, and a custom handler stays in place.
    """
    default = signal.default_int_handler
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not default:
        yield
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        _clock.wait.interrupted = True

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, default)
