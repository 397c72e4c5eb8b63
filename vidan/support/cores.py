"""Number of processor cores that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
QUOTA = Path("/sys/fs/cgroup/cpu.max")
UNLIMITED = 2**16

OPENMP = "OMP_NUM_THREADS"
"""Environment variable with the number of threads that OpenMP and other libraries use."""


def physical_cores(cpus: Path = CPUS, quota: Path = QUOTA) -> int:
    """Number of physical cores that this process may use, at least 1.

    Hyper-threading does not speed up matrix products. Threads beyond a container's CPU quota
    would only wait for each other.

    Args:
        cpus: folder in which Linux describes its processors.
        quota: file of Linux's control groups: time and period, us, or `max`.
    """
    cores = {_siblings(cpus, cpu) for cpu in _allowed_cpus()}
    return max(1, min(len(cores), _quota(quota)))


def compute_threads() -> int:
    """Number of threads for the computations of this process, at least 1.

    One for each core that it may use. `OMP_NUM_THREADS` is a further limit: what starts several
    processes, such as `vidan batch`, Ray or Dask, sets it to the share of each.
    """
    return min(physical_cores(), _openmp())


def _allowed_cpus() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _siblings(cpus: Path, cpu: int) -> str:
    """The logical processors on the same core as this one, in Linux's notation."""
    try:
        return (cpus / f"cpu{cpu}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)


def _quota(path: Path) -> int:
    """Number of processors that the control group grants, rounded up."""
    try:
        time, period = path.read_text().split()
        return UNLIMITED if time == "max" else -(-int(time) // int(period))
    except (OSError, ValueError):
        return UNLIMITED


def _openmp() -> int:
    """The limit of OMP_NUM_THREADS, which may have one number for each level of nesting."""
    first = os.environ.get(OPENMP, "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) else UNLIMITED
