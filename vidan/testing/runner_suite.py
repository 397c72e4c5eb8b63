"""What every runner must do."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from ..interfaces import Runner
from .suite import Suite

LONG_S = 600.0
PATIENCE_S = 60.0
"""Longest wait for what should happen soon: workers may have to be started."""


class RunnerSuite(Suite[Runner]):
    """A runner with one or two workers.

    Attributes:
        reuses: whether a worker has several jobs, one after the other.
    """

    reuses = True

    def test_has_the_shape_of_a_runner(self, tmp_path: Path) -> None:
        """`submit` and `shutdown`."""
        runner = self.make(tmp_path)
        assert isinstance(runner, Runner)
        runner.shutdown()
        runner.shutdown()

    def test_each_future_has_what_its_job_returned_or_raised(self, tmp_path: Path) -> None:
        """Jobs run in other processes, which are used again."""
        runner = self.make(tmp_path)
        good = [runner.submit(_square, n) for n in range(6)]
        bad = runner.submit(_fail, "broken")
        results = [future.result(PATIENCE_S) for future in good]
        assert [square for square, _ in results] == [0, 1, 4, 9, 16, 25]
        workers = {worker for _, worker in results}
        assert os.getpid() not in workers
        assert not self.reuses or len(workers) <= 2
        with pytest.raises(ValueError, match="broken"):
            bad.result(PATIENCE_S)
        runner.shutdown()

    def test_a_worker_that_dies_fails_its_own_job_only(self, tmp_path: Path) -> None:
        """The others go on, and so do later ones."""
        runner = self.make(tmp_path)
        before = [runner.submit(_square, n) for n in range(4)]
        killed = runner.submit(_die)
        after = [runner.submit(_square, n) for n in range(4)]
        assert killed.exception(PATIENCE_S) is not None
        results = [future.result(PATIENCE_S)[0] for future in (*before, *after)]
        assert results == [0, 1, 4, 9, 0, 1, 4, 9]
        runner.shutdown()

    def test_shutdown_waits_for_running_jobs(self, tmp_path: Path) -> None:
        """Their futures have results then."""
        runner = self.make(tmp_path)
        future = runner.submit(_touch_later, str(tmp_path / "done"), 0.2)
        runner.shutdown()
        assert future.done()
        assert (tmp_path / "done").exists()

    def test_shutdown_without_waiting_ends_running_jobs(self, tmp_path: Path) -> None:
        """No job is begun after it."""
        runner = self.make(tmp_path)
        futures = [runner.submit(_touch_and_wait, str(tmp_path / f"{n}")) for n in range(5)]
        deadline = time.monotonic() + PATIENCE_S
        while not (tmp_path / "0").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        started = time.monotonic()
        runner.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in futures):
            assert time.monotonic() - started < PATIENCE_S
            time.sleep(0.02)
        time.sleep(0.3)
        assert not (tmp_path / "4").exists()


def _square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def _fail(text: str) -> None:
    raise ValueError(text)


def _die() -> None:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _touch_later(path: str, seconds: float) -> None:
    time.sleep(seconds)
    Path(path).touch()


def _touch_and_wait(path: str) -> None:
    Path(path).touch()
    time.sleep(LONG_S)
