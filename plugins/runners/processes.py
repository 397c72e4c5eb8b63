"""`runner=local`: processes on this computer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Annotated, Any

from msgspec import Meta

from vidan.support.cores import physical_cores

from .children import Children


class Processes:
    """Runs jobs in processes of this computer.

    A process that dies takes only its own job with it: each belongs to one thread. The processes
    end with the one that started them, even if that is killed.

    Args:
        workers: number of processes; None for as many as the cores can feed.
        job_threads: compute threads of each; given by `vidan batch`.
    """

    def __init__(
        self, workers: Annotated[int, Meta(ge=1)] | None = None, job_threads: int | None = None
    ) -> None:
        threads = job_threads or 1
        self._children = Children(threads)
        count = workers or max(1, physical_cores() // threads)
        self._jobs = ThreadPoolExecutor(count, "vidan-job")

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """See `Runner`."""
        return self._jobs.submit(self._children.run, function, args)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `Runner`."""
        if not wait:
            self._jobs.shutdown(wait=False, cancel_futures=True)
            self._children.close()
        self._jobs.shutdown(wait=True, cancel_futures=cancel_futures)
        self._children.close()
