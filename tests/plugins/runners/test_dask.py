"""`runner=dask`: the suite of runners, and errors of the cluster."""

import os
import signal
import socket
import time

import pytest

import vidan
from vidan import ConfigError, VidanError
from vidan.testing import RunnerSuite
from vidan_plugins.runners import cluster

distributed = pytest.importorskip("distributed")

from vidan_plugins.runners.dask import Dask  # noqa: E402


class TestDask(RunnerSuite):
    def make(self, tmp_path):
        return Dask(workers=2)


def parent():
    return os.getppid()


def test_jobs_of_a_worker_that_is_killed_fail_and_later_ones_run():
    runner = Dask(workers=2)
    worker = runner.submit(parent).result(60)
    lost = [runner.submit(time.sleep, 600) for _ in range(2)]
    after = runner.submit(parent)
    time.sleep(0.5)
    os.kill(worker, signal.SIGKILL)
    assert all("KilledWorker" in type(each.exception(60)).__name__ for each in lost)
    assert after.result(60) != worker
    runner.shutdown()


@pytest.mark.parametrize("address", ["nonsense", "tcp://a:0", "http://a:1", "a:b", "a:70000"])
def test_an_invalid_address_is_one_clear_line(address):
    with pytest.raises(ConfigError, match=r"^runner\.address='.*': expected host:port"):
        vidan.create("runner", "dask", address=address)


def test_an_address_without_a_scheduler_is_one_clear_line(monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(VidanError, match=f"cannot reach the cluster at '{address}': .*refused"):
            Dask(address)
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, pytest.raises(VidanError, match=r"no answer within 1 s"):
        Dask(f"127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.slow  # as long as Dask takes to notice
def test_a_scheduler_that_leaves_ends_the_command():
    with distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=None) as there:
        runner = Dask(there.scheduler_address)
        assert runner.submit(abs, -1).result(60) == 1
        running = runner.submit(time.sleep, 600)
        time.sleep(0.3)
    with pytest.raises(VidanError, match="connection to the cluster is lost"):
        running.result(120)
    with pytest.raises(VidanError, match="connection to the cluster is lost"):
        runner.submit(abs, -1)
    runner.shutdown(wait=False)
