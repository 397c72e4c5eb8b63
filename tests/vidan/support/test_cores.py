import os

import pytest

from vidan.support import cores as module
from vidan.support.cores import OPENMP, compute_threads, physical_cores


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with these groups of processors, one per core; `allowed` may be used."""

    def make(cores, allowed, quota=None):
        for core in cores:
            for cpu in core:
                folder = tmp_path / f"cpu{cpu}/topology"
                folder.mkdir(parents=True)
                (folder / "thread_siblings_list").write_text(",".join(map(str, core)) + "\n")
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(allowed), raising=False)
        if quota is not None:
            (tmp_path / "cpu.max").write_text(quota)
        return physical_cores(tmp_path, tmp_path / "cpu.max")

    return make


FOUR_CORES = [(0, 4), (1, 5), (2, 6), (3, 7)]


@pytest.mark.parametrize(
    ("cores", "allowed", "quota", "expected"),
    [
        (FOUR_CORES, range(8), None, 4),  # 8 logical processors on 4 cores
        (FOUR_CORES, [0, 4, 1], None, 2),  # three of them on 2 cores
        ([], range(6), None, 6),  # a system that does not describe its cores
        (FOUR_CORES, range(8), "max 100000\n", 4),
        (FOUR_CORES, range(8), "150000 100000\n", 2),  # 1.5 processors
        (FOUR_CORES, range(8), "10000 100000\n", 1),
        (FOUR_CORES, range(8), "nonsense", 4),
    ],
)
def test_only_usable_cores_are_counted(machine, cores, allowed, quota, expected):
    assert machine(cores, allowed, quota) == expected


def test_without_affinity_all_processors_are_counted(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert physical_cores(tmp_path, tmp_path / "none") == 3


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, 4), ("2", 2), ("8", 4), ("3,2", 3), ("0", 4), ("many", 4)]
)
def test_openmp_limits_the_threads_of_a_process_and_not_the_number_of_processes(
    limit, expected, monkeypatch
):
    monkeypatch.setattr(module, "physical_cores", lambda: 4)
    if limit is not None:
        monkeypatch.setenv(OPENMP, limit)
    else:
        monkeypatch.delenv(OPENMP, raising=False)
    assert compute_threads() == expected
