"""`runner=local`: the suite of runners, and what only local processes can do."""

import os
import signal
import subprocess
import sys
import time

import pytest

import vidan
from vidan import ConfigError
from vidan.testing import RunnerSuite
from vidan_plugins.runners import processes
from vidan_plugins.runners.processes import Processes


class TestProcesses(RunnerSuite):
    def make(self, tmp_path):
        return Processes(workers=2)


def environment(name):
    return os.environ.get(name)


def test_each_process_has_its_share_of_threads():
    runner = Processes(workers=1, job_threads=3)
    assert runner.submit(environment, "OMP_NUM_THREADS").result(60) == "3"
    runner.shutdown()


def meet(folder, own, other):
    (folder / own).touch()
    deadline = time.monotonic() + 60
    while not (folder / other).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return (folder / other).exists()


def test_a_limit_of_threads_is_not_one_of_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(processes, "physical_cores", lambda: 2)
    runner = Processes()
    both = [runner.submit(meet, tmp_path, *names) for names in (("a", "b"), ("b", "a"))]
    assert all(job.result(90) for job in both)
    runner.shutdown()


def test_a_process_that_dies_while_it_is_idle_costs_no_job():
    runner = Processes(workers=1)
    first = runner.submit(os.getpid).result(60)
    os.kill(first, signal.SIGKILL)
    time.sleep(1)  # it is gone, though its parent has not asked for its exit code
    assert runner.submit(os.getpid).result(60) != first
    runner.shutdown()


PARENT = """
import os, time
from vidan_plugins.runners.processes import Processes
if __name__ == "__main__":
    runner = Processes(workers=1)
    print(runner.submit(os.getpid).result(), flush=True)
    runner.submit(time.sleep, 600).result()
"""


def test_processes_end_when_the_one_that_started_them_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen([sys.executable, "parent.py"], cwd=tmp_path, stdout=-1) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while exists(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not exists(worker)


def exists(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_bad_options_are_refused():
    with pytest.raises(ConfigError, match=r"runner\.workers"):
        vidan.create("runner", "local", workers=0)
