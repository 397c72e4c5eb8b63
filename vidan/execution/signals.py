"""Handling of Ctrl-C, SIGTERM and SIGHUP during a run."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

GRACE_S = 10.0
"""Time after the second signal for finishing the files; then the process ends."""

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end a run; Windows has no SIGHUP."""

SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


@contextmanager
def forwarded_signals() -> Iterator[Forwarder]:
    """Handle the signals that end a run within the block; see `Forwarder`.

    Only the main thread can set handlers: in others, nothing happens.
    """
    forwarder = Forwarder()
    if threading.current_thread() is not threading.main_thread():
        yield forwarder
        return
    # A SIGHUP that is ignored, as by nohup, stays ignored.
    numbers = [n for n in SIGNALS if n == signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN]
    before = {n: signal.signal(n, forwarder.handle) for n in numbers}
    with _watched(forwarder.watch):
        try:
            yield forwarder
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Forwarder:
    """Forwards signals to a run.

    Before there is a run, the first signal ends the program as usual, and the second one at once.
    The run is told of the first and the second signal; GRACE_S after the second one, or with the
    third, the process ends, whatever it is doing.

    Attributes:
        interrupt: tells the run the number of a signal; None while there is no run.
        received: number of the first signal; None if there was none.
    """

    def __init__(self) -> None:
        self.interrupt: Callable[[int], None] | None = None
        self.received: int | None = None
        self._count = 0

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal in the main thread, as soon as that runs Python code."""
        self.received = self.received or number
        if self.interrupt is not None:
            self.interrupt(number)
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            raise SystemExit(128 + number)

    def watch(self, number: int) -> None:
        """Count a signal in a thread of its own: the main thread may be in native code."""
        if number not in SIGNALS:
            return
        self._count += 1
        if self._count > 2 or (self._count == 2 and self.interrupt is None):
            os._exit(128 + number)
        if self._count == 2:
            timer = threading.Timer(GRACE_S, os._exit, [128 + number])
            timer.daemon = True
            timer.start()


@contextmanager
def _watched(watch: Callable[[int], None]) -> Iterator[None]:
    """Call `watch` in another thread with the number of each signal, as it arrives."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def read() -> None:
        while numbers := reader.recv(16):
            for number in numbers:
                watch(number)

    thread = threading.Thread(target=read, name="vidan-signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        writer.close()
        thread.join()
        reader.close()
