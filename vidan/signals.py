"""Ctrl-C and SIGTERM: heeded by a run, and not lost before it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pipeline import Pipeline

FORCED_EXIT = 3
"""The signal that ends the process at once, whatever hangs."""

_came = threading.Event()
"""Whether Ctrl-C came before a run could heed it."""


def _note(_number: int, _frame: FrameType | None) -> None:
    _came.set()
    raise KeyboardInterrupt


@contextmanager
def noted() -> Iterator[None]:
    """Note that Ctrl-C came, beside raising KeyboardInterrupt as ever.

    Native libraries drop the exception at times, if it comes while they are imported: what
    then begins to run would run on for ever.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    _came.clear()
    signal.signal(signal.SIGINT, _note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def heeded(pipeline: Pipeline) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop a run, then discard, then leave whatever hangs."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    count = 0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count >= FORCED_EXIT:
            os._exit(128 + number)
        pipeline.interrupt(number)

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    if _came.is_set() and before[signal.SIGINT] is _note:
        pipeline.interrupt()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
