"""Gives jobs to a runner, and repeats those that fail."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import Any, NamedTuple

from vidan.errors import ConfigError, VidanError
from vidan.interfaces import Runner
from vidan.support.text import one_line

from .job import Outcome

AHEAD = 1000
"""Jobs that the runner has at a time, so that a million files need no more memory."""

WRONG = 3
"""Files that fail because of the configuration before it is to blame and not the files."""

POLL_S = 0.5
"""How often the thread that waits can be interrupted on Windows, s."""


class Attempt(NamedTuple):
    """A job and how often it has failed.

    Attributes:
        job: a Job, or a part of one; `name` is what errors call it.
        failures: attempts that failed.
    """

    job: Any
    failures: int


class Result(NamedTuple):
    """What came of an attempt.

    Attributes:
        name: of the job.
        failures: attempts that failed, this one included.
        outcome: of the attempt.
        final: whether there will be no other.
    """

    name: str
    failures: int
    outcome: Outcome
    final: bool


class Jobs:
    """Runs jobs, a file again if it fails.

    Args:
        runner: that runs them.
        function: called with each job in a worker.
        retries: further attempts with a file that failed.

    Attributes:
        wrong: names of files with an error of the configuration.
    """

    def __init__(self, runner: Runner, function: Callable[[Any], Outcome], retries: int) -> None:
        self._runner, self._function, self._retries = runner, function, retries
        self._ended: queue.SimpleQueue[tuple[Attempt, Future[Any]]] = queue.SimpleQueue()
        self._running = 0
        self.wrong: set[str] = set()
        self._others = 0  # files with another outcome

    def run(self, attempts: Iterable[Attempt], idle: Callable[[], None]) -> Iterator[Result]:
        """The results as they come.

        Args:
            attempts: the jobs to begin with.
            idle: called now and then while none comes.

        Raises:
            ConfigError: all files, or the first ones, fail because of the configuration.
            VidanError: the workers cannot be reached anymore.
        """
        waiting = iter(attempts)
        for attempt in islice(waiting, AHEAD):
            self._start(attempt)
        while self._running:
            try:
                attempt, future = self._ended.get(timeout=POLL_S)
            except queue.Empty:
                idle()
                continue
            self._running -= 1
            result = self._result(attempt, future)
            if not result.final:
                self._start(Attempt(attempt.job, result.failures))
            elif following := next(waiting, None):
                self._start(following)
            if result.final:
                self._check_configuration(result, last=not self._running)
            yield result

    def _start(self, attempt: Attempt) -> None:
        future = self._runner.submit(self._function, attempt.job)
        self._running += 1
        future.add_done_callback(lambda done: self._ended.put((attempt, done)))

    def _result(self, attempt: Attempt, future: Future[Any]) -> Result:
        error = future.exception()
        if isinstance(error, VidanError):  # see `Runner`
            raise error
        if error is not None:
            text = f"its worker died: {type(error).__name__}: {one_line(str(error))}"
            outcome = Outcome({}, [], 0.0, "", text)
        else:
            outcome = future.result()
        name = attempt.job.name
        if outcome.error is None:
            return Result(name, attempt.failures, outcome, True)
        failures = attempt.failures + 1
        final = failures > self._retries or outcome.of_configuration
        return Result(name, failures, outcome, final)

    def _check_configuration(self, result: Result, *, last: bool) -> None:
        """End the job if the configuration is to blame: if no file has another outcome."""
        error = result.outcome.error
        if error is None or not result.outcome.of_configuration:
            self._others += 1
            return
        self.wrong.add(result.name)
        if not self._others and (last or len(self.wrong) >= WRONG):
            raise ConfigError(error)
