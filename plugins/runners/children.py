"""Processes that run one job after the other for the process that started them."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

from vidan.support.cores import OPENMP

IDLE_S = 300.0
"""Time without a job after which a process ends: the command that used it may have been killed."""

LENGTH = struct.Struct("<Q")
"""Number of bytes of the message that follows."""


class WorkerDiedError(Exception):
    """The process that ran a job has ended before the job."""


class Children:
    """A process for each thread that calls `run`.

    Args:
        threads: compute threads of each process.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._own = threading.local()
        self._lock = threading.Lock()
        self._all: set[Child] = set()
        self._closed = False

    def run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """What the function returns in the process of this thread.

        Raises:
            WorkerDiedError: the process has ended.
            Exception: the function raised it.
        """
        child: Child | None = getattr(self._own, "child", None)
        if child is None or not child.usable():
            child = self._own.child = self._replaced(child)
        return child.run(function, args)

    def close(self) -> None:
        """End the processes, also those that have a job; a second call does nothing."""
        with self._lock:
            self._closed = True
            for child in self._all:
                child.close()
            self._all.clear()

    def _replaced(self, old: Child | None) -> Child:
        with self._lock:
            if old is not None:
                self._all.discard(old)
                old.close()
            if self._closed:
                raise WorkerDiedError("the processes have been ended")
            child = Child(self._threads)
            self._all.add(child)
            return child


class Child:
    """A process, which ends with the one that started it; for one thread.

    Not one of `multiprocessing`, since the workers of Dask may not start those.

    Args:
        threads: compute threads.
    """

    def __init__(self, threads: int) -> None:
        # Ctrl-C is for the process that started it.
        code = (
            "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
            f"sys.path[:] = {sys.path!r}; from {__name__} import main; main()"
        )
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, OPENMP: str(threads)},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._used = time.monotonic()

    def usable(self) -> bool:
        """Whether it runs, and will not end soon because it is idle."""
        idle = time.monotonic() - self._used
        return self._process.poll() is None and idle < IDLE_S / 2

    def run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """See `Children`."""
        job = pickle.dumps((function, args))
        try:
            _write(self._input, job)
            succeeded, result = pickle.loads(_read(self._output))  # noqa: S301 - of its own process
        except (EOFError, OSError, ValueError) as error:  # ValueError: closed by another thread
            raise WorkerDiedError(self._ended()) from error
        self._used = time.monotonic()
        if not succeeded:
            raise result
        return result

    def close(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._input, self._output):
            with suppress(OSError):  # what it did not read
                pipe.close()

    def _ended(self) -> str:
        code = self._process.wait()
        try:
            why = signal.Signals(-code).name
        except ValueError:
            why = f"exit code {code}"
        return f"process {self._process.pid} has ended: {why}"


def main() -> None:
    """Run the jobs that arrive on the standard input; results go to the standard output."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a job prints
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(jobs,), daemon=True).start()
    while True:
        try:
            job = jobs.get(timeout=IDLE_S)
        except queue.Empty:
            os._exit(0)
        _write(output, _answer(job))


def _receive(jobs: queue.SimpleQueue[bytes]) -> None:
    """Put the messages into a queue, and end this process with the one that started it."""
    source = os.fdopen(os.dup(0), "rb")
    try:
        while True:
            jobs.put(_read(source))
    except (EOFError, OSError):
        os._exit(1)


def _answer(job: bytes) -> bytes:
    """Whether a job succeeded, and its result or else the error; pickled."""
    try:
        function, args = pickle.loads(job)  # noqa: S301 - from the process that started this one
        return pickle.dumps((True, function(*args)))
    except BaseException as error:
        try:
            answer = pickle.dumps((False, error))
            pickle.loads(answer)  # noqa: S301
        except Exception:  # not every error can be pickled, or made again
            answer = pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return answer


def _write(file: BinaryIO | Any, message: bytes) -> None:
    file.write(LENGTH.pack(len(message)) + message)
    file.flush()


def _read(file: BinaryIO | Any) -> bytes:
    """Read a message.

    Raises:
        EOFError: the other end has been closed.
    """
    (length,) = LENGTH.unpack(_exactly(file, LENGTH.size))
    return _exactly(file, length)


def _exactly(file: BinaryIO | Any, count: int) -> bytes:
    data: bytes = file.read(count)
    if len(data) < count:
        raise EOFError
    return data
