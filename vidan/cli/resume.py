"""`vidan resume`: continue an interrupted run over a file.

The state of a tracker depends on all frames before, and `results.jsonl` holds rounded numbers, so
the outputs are not continued where they end. Instead the run is repeated from its first frame with
the recorded detections (see `vidan.execution.replay`), which are most of the work, and with the
clock of the first attempt (see `vidan.journal`). The outputs equal those of an uninterrupted run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..errors import ConfigError
from ..execution.replay import FILE
from ..execution.summary import is_complete, read_summary
from ..kinds import KINDS
from ..support.arguments import ArgumentParser


def main(arguments: list[str]) -> int:
    """Continue the run in a directory; returns 0 when it is complete."""
    parser = ArgumentParser(
        "vidan resume",
        description="Continue a run over a file that was interrupted or killed. Frames whose "
        "detections were recorded are not detected again; the outputs equal those of an "
        "uninterrupted run.",
    )
    parser.add_argument("directory", type=Path, help="of the run, such as runs/2026-11-23_08-15-02")
    directory = parser.parse_args(arguments).directory.absolute()
    settings = _read(directory / ".hydra/hydra.yaml")
    config = _configuration(directory)
    overrides = [str(override) for override in _read(directory / ".hydra/overrides.yaml")]

    from ..config.compose import chosen_groups, load_local
    from ..execution.directory import claimed
    from .run import logging_to, run

    with claimed(directory, resumed=True), logging_to(directory):
        _check_unfinished(directory)
        _change_to(settings)
        load_local(overrides)
        run(config, require_display="sink" in chosen_groups(overrides), resumed=True)
    return 0


def _check_unfinished(directory: Path) -> None:
    """Check that a run was interrupted and can be continued."""
    if is_complete(read_summary(directory)):
        raise ConfigError(f"{str(directory)!r} is complete: there is nothing to resume")
    if not (directory / FILE).exists():
        raise ConfigError(
            f"{str(directory)!r} contains no {FILE}: no frame was detected, the source was live, "
            "there were several streams, or resumable=false; start a new run"
        )


def _read(path: Path) -> Any:
    """A YAML file that Hydra wrote.

    Raises:
        ConfigError: it does not exist or is damaged.
    """
    try:
        return OmegaConf.load(path)
    except OSError as error:
        raise ConfigError(
            f"{str(path.parents[1])!r} is not the directory of a run: cannot read "
            f"{path.parent.name}/{path.name}"
        ) from error
    except Exception as error:  # of PyYAML or OmegaConf
        raise _damaged(path) from error


def _damaged(path: Path) -> ConfigError:
    return ConfigError(f"{str(path)!r} is damaged: start a new run")


def _configuration(directory: Path) -> DictConfig:
    """The configuration of the run, with `run_dir` as of now: it may have been moved."""
    path = directory / ".hydra/config.yaml"
    config = _read(path)
    needed = [kind.name for kind in KINDS.values() if kind.required]
    if not isinstance(config, DictConfig) or not all(
        isinstance(config.get(name), DictConfig) for name in needed
    ):
        raise _damaged(path)
    config.run_dir = str(directory)
    return config


def _change_to(settings: Any) -> None:
    """Change to the working directory of the first attempt, which paths are relative to."""
    try:
        os.chdir(settings["hydra"]["runtime"]["cwd"])
    except (OmegaConfBaseException, KeyError, TypeError, OSError) as error:
        raise ConfigError(f"the working directory of the run does not exist: {error}") from error
