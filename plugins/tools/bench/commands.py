"""`vidan bench`: its help, its configuration, and its jobs."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vidan import options
from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import console, setup_logging
from vidan.config.compose import run_hydra
from vidan.config.search_path import Start
from vidan.errors import ConfigError
from vidan.support.arguments import ArgumentParser

from .clip import make_clip
from .compare import compare
from .latency import MODES, BenchSettings, measure_latency
from .results import load, save, show
from .sweep import sweep

log = logging.getLogger(__name__)

HELP = """\
vidan bench [group=option] [key=value] ...
vidan bench -m key=a,b,c [key=value] ...      sweep: measure once for each value
vidan bench --compare a.json b.json           compare two results

Measures vidan on this machine, each run in a fresh process: frames per second, CPU time per
frame, percentiles of the time in each stage and of the age of results, dropped frames, memory,
time to the first result. Prints a table and writes latency.json and latency.png. Needs
vidan[bench].

  vidan bench
  vidan bench source.path=street.mp4 detector.model=mine.onnx tracker=sort
  vidan bench source=webcam modes=[camera]
  vidan bench -m size=640x360,1280x720,1920x1080
  vidan bench -m people=0,10,40 detector.threads=1,2

Accepts every key of a run (`vidan --cfg job`), and these:

{keys}
"""

BENCH_KEYS = ("modes", "runs", "burn_in", "raw", "size", "people", "run_dir")
"""The keys of the benchmark itself; all others are passed to the runs."""

Measurement = tuple[list[str], dict[str, Any]]
"""The overrides of a job, and its result."""


def main(arguments: list[str]) -> int:
    """`vidan bench`."""
    if asks_for_help(arguments):
        write_help(HELP, "bench")
        return 0
    setup_logging()
    if "--compare" in arguments:
        return _compare(arguments)
    for found, folder in bench(arguments, f"vidan bench {shlex.join(arguments)}".strip()):
        show(found, console())
        console().print(f"in {folder}: {found['name']}.json, {', '.join(found['plots'])}")
    return 0


def _compare(arguments: list[str]) -> int:
    parser = ArgumentParser("vidan bench")
    parser.add_argument("--compare", nargs=2, metavar=("a.json", "b.json"), type=Path)
    a, b = (load(path) for path in parser.parse_args(arguments).compare)
    console().print(compare(a, b).shown())
    return 0


def bench(arguments: Sequence[str], command: str) -> list[tuple[dict[str, Any], Path]]:
    """Run the measurements of a command line.

    Args:
        arguments: as for Hydra; several jobs with `-m`.
        command: repeats the measurement, for the result.

    Returns:
        The result and its folder: of the single job, or of the sweep.

    Raises:
        VidanError: an invalid option, a failed run or a missing extra.
    """
    jobs: list[Measurement] = []
    folders: list[Path] = []
    errors: list[Exception] = []

    def job(config: DictConfig) -> None:
        if errors:
            return
        try:
            found = _measure(config, command)
        except Exception as error:  # Hydra would print it in its own way
            errors.append(error)
            return
        jobs.append((_overrides(), found))
        folders.append(Path(config.run_dir))

    run_hydra(job, list(arguments), Start("bench"))
    if errors:
        raise errors[0]
    if len(jobs) > 1:
        folders = [folders[0].parent]
        jobs = [([], sweep(jobs, folders[0], command))]
        save(jobs[0][1], folders[0])
    return [(found, folder) for (_, found), folder in zip(jobs, folders, strict=True)]


def _overrides() -> list[str]:
    """The overrides of this job, from the command line or the sweep."""
    from hydra.core.hydra_config import HydraConfig

    return list(HydraConfig.get().overrides.task)


def _measure(config: DictConfig, command: str) -> dict[str, Any]:
    folder = Path(config.run_dir)
    settings = settings_from(config, _overrides())
    found = measure_latency(settings, folder, command)
    save(found, folder)
    return found


def settings_from(config: DictConfig, overrides: Sequence[str]) -> BenchSettings:
    """The settings of a job from its configuration; encodes the default video if needed.

    Raises:
        ConfigError: a value is invalid.
    """
    modes = options.names("modes", OmegaConf.to_container(config)["modes"])  # type: ignore[index,call-overload]
    for mode in modes:
        options.choice("modes", mode, MODES)
    frames = options.whole("max_frames", config.max_frames, 2)
    burn_in = options.whole("burn_in", config.burn_in, 0)
    if burn_in > frames - 2:
        raise ConfigError(f"burn_in={burn_in}: leaves too few of max_frames={frames}")
    passed = [o for o in overrides if _key(o) not in BENCH_KEYS]
    chosen = {override.partition("=")[0] for override in passed}
    runs = options.whole("runs", config.runs, 1)
    return BenchSettings(
        (*passed, *_default_overrides(config, chosen, frames)),
        modes,
        runs,
        burn_in,
        raw=bool(config.raw),
        switchable="live" in config.source
        and not any(o.startswith("source.live=") for o in passed),
        own_sinks="sink" in chosen,
    )


def _default_overrides(config: DictConfig, chosen: set[str], frames: int) -> list[str]:
    """Overrides for defaults of the benchmark that differ from those of a run."""
    added = [] if "max_frames" in chosen else [f"max_frames={frames}"]
    if "source" not in chosen:
        added.append("source=file")
    if config.source.name == "file" and OmegaConf.is_missing(config.source, "path"):
        people = options.whole("people", config.people, 0, 100)
        path = make_clip(_shared_folder(Path(config.run_dir)), config.size, people, frames)
        added.append(f"source.path='{path}'")
    return added


def _shared_folder(folder: Path) -> Path:
    """The folder that all jobs of a sweep share."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    return folder.parent if HydraConfig.get().mode == RunMode.MULTIRUN else folder


def _key(override: str) -> str:
    """The first part of the key of an override."""
    return override.lstrip("+~").partition("=")[0].partition(".")[0].partition("@")[0]
