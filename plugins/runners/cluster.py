"""What runners on a cluster have in common."""

from __future__ import annotations

import queue
import re
import socket
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, wait
from typing import Any, NamedTuple, TypeVar

from vidan.errors import ConfigError, VidanError
from vidan.support.stuck import within
from vidan.support.text import one_line

from .children import WorkerDiedError

REACH_S = 10.0
"""Longest wait for an answer of the computer that has the address of a cluster."""

CONNECT_S = 60.0
"""Longest wait for the connection to a cluster, or for its start on this computer."""

POLL_S = 1.0
"""How often it is checked whether the cluster can run more jobs."""

T = TypeVar("T")


LOST = "the connection to the cluster is lost"


class ClusterLostError(VidanError):
    """The cluster cannot be reached anymore."""


class Task(NamedTuple):
    """A job, and the future of who submitted it."""

    future: Future[Any]
    function: Callable[..., Any]
    args: tuple[Any, ...]


class ClusterRunner(ABC):
    """Gives a cluster as many jobs as it can run at a time, from a thread of its own.

    Jobs that wait do so here: what waits in a worker would be lost with it.
    """

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()
        self._running: dict[Any, Task] = {}
        self._lock = threading.Lock()
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lost: ClusterLostError | None = None
        self._closed = self._stopped = False
        self._thread = threading.Thread(target=self._serve, name="vidan-cluster", daemon=True)
        self._thread.start()

    @abstractmethod
    def _capacity(self) -> int:
        """Number of jobs that the cluster can run at a time; at least 1."""

    @abstractmethod
    def _start(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Start a job, and return a handle of it; `_ended` is called with that at its end."""

    @abstractmethod
    def _result(self, handle: Any) -> Any:
        """What an ended job returned; raises what it raised."""

    @abstractmethod
    def _kill(self, handles: Iterable[Any]) -> None:
        """Kill running jobs."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Leave the cluster, or end one that was started here."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """See `Runner`."""
        with self._lock:
            if self._lost is not None:
                raise self._lost
            if self._closed:
                raise RuntimeError("the runner has been shut down")
            task = Task(Future(), function, args)
            self._waiting.append(task)
        self._events.put(None)
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `Runner`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if cancel_futures or not wait:
                self._drop_waiting()
        if wait:
            self._finish_all()
        self._stopped = True
        self._events.put(None)
        self._thread.join(CONNECT_S)
        self._kill(list(self._running))
        for task in self._running.values():
            task.future.set_exception(WorkerDiedError("the runner was shut down"))
        self._running.clear()
        self._disconnect()

    def _drop_waiting(self) -> None:
        for task in self._waiting:
            task.future.cancel()
        self._waiting.clear()

    def _finish_all(self) -> None:
        with self._lock:
            futures = [task.future for task in (*self._waiting, *self._running.values())]
        wait(futures)

    def _ended(self, handle: Any) -> None:
        """Note that a job has ended; called from any thread."""
        self._events.put(handle)

    def _serve(self) -> None:
        """Start jobs, and pass on what came of them."""
        while not self._stopped:
            try:
                handle = self._events.get(timeout=POLL_S)
            except queue.Empty:
                handle = None
            try:
                if handle is not None:
                    self._settle(handle)
                while not self._stopped and self._start_next():
                    pass
            except Exception as error:
                self._fail_all(error)

    def _settle(self, handle: Any) -> None:
        """Pass on what came of a job."""
        with self._lock:
            task = self._running.pop(handle, None)
        if task is None:
            return
        try:
            result = self._result(handle)
        except ClusterLostError as error:
            task.future.set_exception(error)
            raise
        except CancelledError:
            task.future.set_exception(WorkerDiedError("the cluster canceled the job"))
        except Exception as error:
            task.future.set_exception(error)
        else:
            task.future.set_result(result)

    def _start_next(self) -> bool:
        """Start the job that waits longest; False if there is none, or no worker for it."""
        if not self._waiting or len(self._running) >= self._capacity():
            return False
        failed = None
        with self._lock:
            if not self._waiting:
                return False
            task = self._waiting.popleft()
            if task.future.set_running_or_notify_cancel():
                try:
                    self._running[self._start(task.function, task.args)] = task
                except Exception as error:  # such as arguments that cannot be pickled
                    failed = error
        if failed is not None:
            task.future.set_exception(failed)
        if isinstance(failed, ClusterLostError):
            raise failed
        return True

    def _fail_all(self, error: Exception) -> None:
        """Fail all jobs, and those that are submitted from now on: the cluster is lost."""
        lost = (
            error
            if isinstance(error, ClusterLostError)
            else ClusterLostError(f"{LOST}: {_text(error)}")
        )
        with self._lock:
            self._lost = lost
            tasks = [*self._waiting, *self._running.values()]
            self._waiting.clear()
            self._running.clear()
        for task in tasks:
            if not task.future.done():
                task.future.set_exception(lost)


def check_reachable(address: str, host: str, port: int) -> None:
    """Check that something accepts connections at an address.

    Raises:
        VidanError: nothing does.
    """
    try:
        socket.create_connection((host, port), REACH_S).close()
    except OSError as error:
        raise unreachable(address, error) from error


def connected(address: str | None, connect: Callable[[], T]) -> T:
    """Connect to a cluster, or start one, in a bounded time.

    Args:
        address: of the cluster; None for one on this computer.
        connect: does it.

    Raises:
        VidanError: it failed, or takes too long.
    """
    try:
        return within(CONNECT_S, connect)
    except TimeoutError as error:
        raise unreachable(address, f"no answer within {CONNECT_S:g} s") from error
    except (Exception, SystemExit) as error:
        raise unreachable(address, error) from error


def unreachable(address: str | None, why: object) -> VidanError:
    """The error that a cluster cannot be reached, or not be started."""
    if address is None:
        return VidanError(f"cannot start a cluster on this computer: {_text(why)}")
    return VidanError(f"cannot reach the cluster at {address!r}: {_text(why)}")


def _text(why: object) -> str:
    return one_line(str(why) or type(why).__name__)


def host_and_port(address: str, schemes: str, example: str) -> tuple[str, int]:
    """Host and port of an address.

    Args:
        address: `host:port`, or `scheme://host:port`.
        schemes: those it may have, as a regular expression.
        example: what the error proposes.

    Raises:
        ConfigError: it has another form.
    """
    host = r"(?P<host>[^\s:/\[\]]+|\[[0-9a-fA-F:.%]+\])"
    found = re.fullmatch(rf"((?:{schemes})://)?{host}:(?P<port>\d{{1,5}})", address)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ConfigError(f"address={address!r}: expected {example}")
    return found["host"].strip("[]"), int(found["port"])
