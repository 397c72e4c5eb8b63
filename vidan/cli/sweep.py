"""The comparison of jobs with which a sweep (`-m`) ends."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from rich.table import Table

from ..execution.summary import Summary, read_summary
from ..support.secrets import redacted_settings
from .terminal import console


class _Job(NamedTuple):
    number: int
    arguments: list[str]
    summary: Summary | None


class Sweep:
    """Collects the jobs of a sweep; remains empty in a single run, and with `quiet`."""

    def __init__(self) -> None:
        self._jobs: list[_Job] = []

    def add(self, config: DictConfig, *, failed: bool) -> None:
        """Add the job that has just ended.

        Args:
            config: of the job; its `run_dir` has the summary, unless it failed.
            failed: whether an error ended it.
        """
        hydra = HydraConfig.get()
        if hydra.mode != RunMode.MULTIRUN or config.get("quiet", False):
            return
        arguments: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
        summary = None if failed else read_summary(Path(config.run_dir))
        self._jobs.append(_Job(hydra.job.num, redacted_settings(arguments), summary))

    def print(self) -> None:
        """Print a row for each job, with the arguments that other jobs do not share."""
        if not self._jobs:
            return
        shared = set.intersection(*(set(job.arguments) for job in self._jobs))
        table = Table(box=None, pad_edge=False)
        table.add_column("job", justify="right", no_wrap=True)
        table.add_column("arguments", overflow="fold")
        for title in ("frames", "detections", "tracks", "fps"):
            table.add_column(title, justify="right", no_wrap=True)
        for job in self._jobs:
            own = shlex.join(each for each in job.arguments if each not in shared)
            table.add_row(str(job.number), own, *_cells(job.summary))
        out = console()
        out.print()
        out.print(table)


def _cells(summary: Summary | None) -> list[str]:
    if summary is None:
        return ["failed"]
    tracks = sum(summary["objects"].values())
    counts = (summary["frames"], summary["detections"], tracks)
    return [*map(str, counts), f"{summary['fps']:.1f}"]
