"""How many threads a model should compute with."""

from __future__ import annotations

import os
from pathlib import Path

from vidan import options

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def thread_count(threads: int | None) -> int:
    """The threads that `detector.threads` asks for; None for what is sensible here."""
    if threads is None:
        return sensible_threads()
    return options.whole("detector.threads", threads, 1)


def sensible_threads(cpus: Path = _CPUS, quota: Path = _QUOTA) -> int:
    """The physical cores that this process may use.

    A second thread on the same core brings matrix products nothing. A container's share
    of the machine is kept to: threads beyond it only wait for each other.

    Args:
        cpus: where Linux describes its processors.
        quota: a file of Linux's control groups: time and period, us, or `max`.
    """
    cores = {_siblings(cpus, cpu) for cpu in _allowed_cpus()}
    return max(1, min(len(cores), _share(quota)))


def _allowed_cpus() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _siblings(cpus: Path, cpu: int) -> str:
    """The logical processors on the same core as one of them, as the system writes them."""
    try:
        return (cpus / f"cpu{cpu}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)


def _share(quota: Path) -> int:
    """Processors' worth of time that the control group grants, rounded up."""
    unlimited = 2**16
    try:
        time, period = quota.read_text().split()
        return unlimited if time == "max" else -(-int(time) // int(period))
    except (OSError, ValueError):
        return unlimited
