"""`runner=dask`: a cluster of Dask."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Annotated, Any

from msgspec import Meta

from vidan.support.cores import physical_cores
from vidan.support.extras import import_extra

from .children import Children, WorkerDiedError
from .cluster import (
    LOST,
    POLL_S,
    ClusterLostError,
    ClusterRunner,
    check_reachable,
    connected,
    host_and_port,
)

RESULT_S = 30.0
"""Longest wait for the result of a job that has ended."""

SCHEMES = "tcp|tls|ws|wss|ucx|ucxx"


class Dask(ClusterRunner):
    """Runs jobs on a cluster of Dask, each in a process that a thread of a worker starts.

    Such a process has several jobs, one after the other. If it dies, Dask does not notice, and so
    does not run the job again. If a worker leaves, Dask may repeat the jobs it had; their outputs
    are those of one attempt.

    Args:
        address: of the scheduler; None for a cluster on this computer.
        workers: jobs at a time; None for as many as the threads of the cluster can feed.
        job_threads: compute threads of each job; given by `vidan batch`.

    Raises:
        ConfigError: the address has another form.
        PluginError: Dask is not installed.
        VidanError: the cluster cannot be reached or started.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: Annotated[int, Meta(ge=1)] | None = None,
        job_threads: int | None = None,
    ) -> None:
        self._dask = import_extra("distributed", "dask")
        self._threads = job_threads or 1
        self._workers = workers
        self._token = uuid.uuid4().hex
        self._cluster: Any = None
        self._known, self._next_check = 0, 0.0
        if address is not None:
            place = host_and_port(address, SCHEMES, "host:port, such as 192.168.1.5:8786")
            check_reachable(address, *place)
        self._client = connected(address, lambda: self._connect(address))
        super().__init__()

    def _connect(self, address: str | None) -> Any:
        if address is None:
            self._cluster = self._local_cluster()
        return self._dask.Client(self._cluster or address, set_as_default=False)

    def _local_cluster(self) -> Any:
        """A cluster on this computer: one worker, since jobs have processes of their own."""
        config = import_extra("dask", "dask").config
        count = self._workers or max(1, physical_cores() // self._threads)
        with config.set({"distributed.scheduler.allowed-failures": 0}):  # vidan batch repeats them
            return self._dask.LocalCluster(
                n_workers=1,
                threads_per_worker=count * self._threads,
                dashboard_address=None,
                memory_limit=0,  # each job has a process, whose memory Dask does not count
            )

    def _capacity(self) -> int:
        now = time.monotonic()
        if now >= self._next_check:
            self._known = sum(self._client.nthreads().values()) // self._threads
            self._next_check = now + POLL_S
        most = max(1, self._known)  # without workers, one job waits for them
        return most if self._workers is None else min(most, self._workers)

    def _start(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if self._client.status != "running":
            raise ClusterLostError(LOST)
        future = self._client.submit(
            _run, self._token, self._threads, function, args, pure=False, retries=0
        )
        future.add_done_callback(self._ended)
        return future

    def _result(self, handle: Any) -> Any:
        if handle.status not in ("finished", "error") and self._client.status != "running":
            raise ClusterLostError(LOST)
        try:
            return handle.result(RESULT_S)
        except self._dask.TimeoutError as error:
            raise WorkerDiedError(f"its result did not arrive within {RESULT_S:g} s") from error
        finally:
            handle.release()

    def _kill(self, handles: Iterable[Any]) -> None:
        self._ignoring_loss(lambda: self._client.cancel(list(handles), force=True))

    def _disconnect(self) -> None:
        self._ignoring_loss(lambda: self._client.run(_end, self._token))
        self._ignoring_loss(self._client.close)
        if self._cluster is not None:
            self._ignoring_loss(self._cluster.close)

    def _ignoring_loss(self, call: Callable[[], Any]) -> None:
        """Call a function in a bounded time, though the cluster may be lost."""
        with suppress(Exception):
            connected("", call)


_children: dict[str, Children] = {}
"""In a worker of Dask: the processes of each runner."""

_lock = threading.Lock()


def _run(token: str, threads: int, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Run a job in the process of this thread of a worker."""
    with _lock:
        children = _children.setdefault(token, Children(threads))
    return children.run(function, args)


def _end(token: str) -> None:
    """End the processes of a runner."""
    with _lock:
        children = _children.pop(token, None)
    if children is not None:
        children.close()
