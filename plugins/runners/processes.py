"""`runner=local`: processes on this computer."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Annotated, Any

from msgspec import Meta

from vidan.support.cores import OPENMP, physical_cores


class Processes:
    """Runs jobs in processes of this computer.

    A process that dies takes only its own job with it: each belongs to a pool of its own, which one
    thread uses. The processes end with the one that started them, even if that is killed.

    Args:
        workers: number of processes; None for as many as the cores can feed.
        job_threads: compute threads of each; given by `vidan batch`.
    """

    def __init__(
        self, workers: Annotated[int, Meta(ge=1)] | None = None, job_threads: int | None = None
    ) -> None:
        self._threads = job_threads or 1
        count = workers or max(1, physical_cores() // self._threads)
        self._context = multiprocessing.get_context("spawn")
        self._reader, self._writer = self._context.Pipe(duplex=False)
        self._jobs = ThreadPoolExecutor(count, "vidan-job")
        self._own = threading.local()
        self._pools: set[ProcessPoolExecutor] = set()

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """See `Runner`."""
        return self._jobs.submit(self._run, function, args)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `Runner`."""
        if not wait:
            self._writer.close()  # which ends the processes
        self._jobs.shutdown(wait=True, cancel_futures=cancel_futures or not wait)
        for pool in self._pools:
            pool.shutdown(wait=True)
        self._pools.clear()
        self._writer.close()
        self._reader.close()

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run a job in the process of this thread."""
        try:
            future = self._pool().submit(function, *args)
        except BrokenProcessPool:  # it died while it was idle
            self._discard()
            future = self._pool().submit(function, *args)
        try:
            return future.result()
        except BrokenProcessPool:
            self._discard()
            raise

    def _pool(self) -> ProcessPoolExecutor:
        pool: ProcessPoolExecutor | None = getattr(self._own, "pool", None)
        if pool is None:
            pool = self._own.pool = ProcessPoolExecutor(
                1, self._context, _start, (self._reader, self._threads)
            )
            self._pools.add(pool)
        return pool

    def _discard(self) -> None:
        self._pools.discard(self._own.pool)
        self._own.pool.shutdown(wait=False)
        self._own.pool = None


def _start(reader: Connection, threads: int) -> None:
    """Prepare a new process; Ctrl-C is for the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ[OPENMP] = str(threads)
    threading.Thread(target=_end_with, args=(reader,), daemon=True).start()


def _end_with(reader: Connection) -> None:
    """End this process when the other end of the pipe is closed: by `shutdown`, or by its death."""
    try:
        reader.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)
