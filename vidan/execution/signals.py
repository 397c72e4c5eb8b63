"""Handling of Ctrl-C and SIGTERM during a run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

FORCED_EXIT = 3
"""The signal, counted from 1, that ends the process at once."""


@contextmanager
def forwarded_signals(interrupt: Callable[[int], None]) -> Iterator[None]:
    """Call `interrupt` with the number of each SIGINT and SIGTERM; the third ends the process.

    Only the main thread can set handlers: in others, nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    count = 0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count >= FORCED_EXIT:
            os._exit(128 + number)
        interrupt(number)

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
