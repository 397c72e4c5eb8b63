"""Runs of vidan in processes of their own, and what they use. Linux only: reads `/proc`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vidan.errors import VidanError

COMPONENTS = Path(__file__).parent / "components"
"""Plugins that the benchmarks need."""

START_S = 60.0
"""Longest wait until a run has started."""

END_S = 60.0
"""Longest wait until a run has ended."""

LOG = "log.txt"

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

Process = subprocess.Popen[bytes]


@contextmanager
def running(
    folder: Path, runs: Sequence[Sequence[str]], started: Callable[[], bool]
) -> Iterator[list[Process]]:
    """Run `vidan` with each list of arguments; they are interrupted at the end.

    Args:
        folder: for what they print.
        runs: arguments of each.
        started: whether all are ready.

    Raises:
        VidanError: one of them ends, or they are not ready in time.
    """
    with (folder / LOG).open("ab") as log:
        processes = [
            subprocess.Popen([sys.executable, "-m", "vidan", *run], stdout=log, stderr=log)  # noqa: S603
            for run in runs
        ]
    try:
        end = time.monotonic() + START_S
        while not started():
            if time.monotonic() > end or any(p.poll() is not None for p in processes):
                text = (folder / LOG).read_text(encoding="utf-8")
                raise VidanError(f"vidan does not start: {text[-500:]}")
            time.sleep(0.1)
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(END_S)


def cpu_time(processes: Sequence[Process]) -> float:
    """CPU time that processes have used, s."""
    used = 0
    for process in processes:
        stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
        used += sum(map(int, stat.rpartition(")")[2].split()[11:13]))
    return used / TICKS


def memory(processes: Sequence[Process]) -> float:
    """Memory of processes, MB; what several share counts once."""
    total = 0
    for process in processes:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="utf-8")
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024
