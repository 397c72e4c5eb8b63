"""Native code that does not return: limits, and ending the process without waiting for it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DaemonThread(threading.Thread):
    """A daemon thread that is known to run even if a signal interrupted a wait for it.

    Before Python 3.13, `threading.Thread.join` takes a thread for ended when the handler of a
    signal raises an exception in it.

    Args:
        target: called in the thread.
        name: of the thread.
    """

    def __init__(self, target: Callable[[], object], name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)
        self._ended = threading.Event()

    def run(self) -> None:
        """See `threading.Thread`."""
        try:
            super().run()
        finally:
            self._ended.set()

    def join(self, timeout: float | None = None) -> None:
        """See `threading.Thread`."""
        self._ended.wait(timeout)

    def is_alive(self) -> bool:
        """See `threading.Thread`."""
        return self.ident is not None and not self._ended.is_set()


_stuck: list[DaemonThread] = []


def give_up(thread: DaemonThread) -> None:
    """Let the process end without this thread: see `leave`."""
    _stuck[:] = [other for other in _stuck if other.is_alive()]
    _stuck.append(thread)


def leave(code: int) -> None:
    """End the process at once if a thread that was given up is still running.

    An ordinary exit would wait for it: libraries join their threads.
    """
    if any(thread.is_alive() for thread in _stuck):
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):  # closed
                continue
        os._exit(code)


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of a call, which is made in another thread.

    Raises:
        TimeoutError: it takes longer; the thread is given up.
        Exception: the call raised it.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = DaemonThread(run, "vidan-limited")
    give_up(thread)  # at once: a signal may end the wait
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no result after {seconds:g} s")
    if errors:
        raise errors[0]
    return results[0]
