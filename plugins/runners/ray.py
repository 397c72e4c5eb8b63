"""`runner=ray`: a cluster of Ray."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Annotated, Any

from msgspec import Meta

from vidan.errors import ConfigError
from vidan.support.cores import physical_cores
from vidan.support.extras import import_extra

from .cluster import ClusterRunner, check_reachable, connected, host_and_port, unreachable

STORE_BYTES = 100_000_000
"""Shared memory of a cluster on this computer: frames are not sent between processes."""

UNLIMITED = 1_000_000


class Ray(ClusterRunner):
    """Runs jobs on a cluster of Ray, in processes that are used again for the next job.

    Ray does not repeat jobs: `vidan batch` does. If a node leaves, only its jobs fail.

    Args:
        address: `host:port` of the head node, `ray://host:port`, or `auto` for the cluster that
            this computer belongs to; None for a cluster on this computer.
        workers: jobs at a time; None for as many as the cores of the cluster can feed.
        gpus: share of a GPU that each job gets.
        job_threads: compute threads of each job; given by `vidan batch`.

    Raises:
        ConfigError: the address has another form.
        PluginError: Ray is not installed.
        VidanError: the cluster cannot be reached or started.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: Annotated[int, Meta(ge=1)] | None = None,
        gpus: Annotated[float, Meta(ge=0)] = 0.0,
        job_threads: int | None = None,
    ) -> None:
        if gpus > 1 and gpus != int(gpus):
            raise ConfigError(f"gpus={gpus}: expected a whole number, or a share of one GPU")
        self._ray = import_extra("ray", "ray")
        threads = job_threads or 1
        options: dict[str, Any] = {"address": address or "local"}
        if address is None:
            workers = workers or max(1, physical_cores() // threads)
            options |= {
                "num_cpus": workers * threads,
                "object_store_memory": STORE_BYTES,
                "include_dashboard": False,
            }
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        elif address != "auto":
            place = host_and_port(address, "ray", "host:port, ray://host:port or auto")
            check_reachable(address, *place)
        self._workers = workers or UNLIMITED
        logging.getLogger("ray").setLevel(logging.ERROR)
        if address is None:
            self._start_cluster(options)
        else:  # in another thread, where Ray does not replace the handler of SIGTERM
            connected(address, lambda: self._ray.init(**options, **QUIET))
        self._task = self._ray.remote(_run).options(num_cpus=threads, num_gpus=gpus, max_retries=0)
        super().__init__()

    def _start_cluster(self, options: dict[str, Any]) -> None:
        """Start a cluster, which ends with this thread."""
        handler = signal.getsignal(signal.SIGTERM)
        try:
            self._ray.init(**options, **QUIET)
        except (Exception, SystemExit) as error:
            raise unreachable(None, error) from error
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, handler)

    def _capacity(self) -> int:
        return self._workers

    def _start(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        reference = self._task.remote(function, args)
        future = reference.future()
        future.reference = reference
        future.add_done_callback(self._ended)
        return future

    def _result(self, handle: Any) -> Any:
        try:
            return handle.result()
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error

    def _kill(self, handles: Iterable[Any]) -> None:
        for handle in handles:
            with suppress(Exception):
                self._ray.cancel(handle.reference, force=True)

    def _disconnect(self) -> None:
        with suppress(Exception):
            connected("", self._ray.shutdown)


QUIET = {"log_to_driver": False, "logging_level": "ERROR"}


def _run(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return function(*args)
