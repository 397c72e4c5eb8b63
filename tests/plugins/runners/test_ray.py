"""`runner=ray`: the suite of runners, and errors of the cluster."""

import os
import signal
import socket

import pytest

import vidan
from vidan import ConfigError, VidanError
from vidan.testing import RunnerSuite

pytest.importorskip("ray")

from vidan_plugins.runners.ray import Ray


@pytest.mark.slow  # each test starts a cluster
class TestRay(RunnerSuite):
    def make(self, tmp_path):
        return Ray(workers=2)


@pytest.mark.slow
def test_a_process_has_its_share_of_threads_and_signals_are_left_alone():
    before = signal.getsignal(signal.SIGTERM)
    runner = Ray(workers=1, job_threads=3)
    assert signal.getsignal(signal.SIGTERM) is before
    assert runner.submit(os.getenv, "OMP_NUM_THREADS").result(60) == "3"
    runner.shutdown()


@pytest.mark.parametrize("address", ["nonsense", "tcp://a:1", "a:b", "a:70000", "ray://a"])
def test_an_invalid_address_is_one_clear_line(address):
    with pytest.raises(ConfigError, match=r"^runner\.address='.*': expected host:port"):
        vidan.create("runner", "ray", address=address)


def test_an_address_without_a_cluster_is_one_clear_line():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(VidanError, match=f"cannot reach the cluster at '{address}': .*refused"):
            Ray(address)
    with pytest.raises(VidanError, match="cannot reach the cluster at 'auto'"):
        Ray("auto")
