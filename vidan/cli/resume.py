"""`vidan resume`: go on with a file job that was interrupted.

What a tracker knows after a frame depends on all frames before it, and what results.jsonl says
of them is rounded. So nothing is patched together: the run is done again from its first frame,
with the detections of before, which were kept exactly (see `remember`) and are most of the work,
and by the clock of before (see `job`). Its outputs are those of a run that was never interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..errors import ConfigError
from ..execution.replay import FILE
from ..kinds import KINDS


def main(arguments: list[str]) -> int:
    """Go on with the run in a directory; 0 if it came to its end or had done so before."""
    parser = argparse.ArgumentParser(
        "vidan resume",
        description="Go on with a file job that was interrupted or killed. What was detected "
        "is not detected again; the outputs are those of a run without interruption.",
    )
    parser.add_argument("directory", type=Path, help="of the run, such as runs/2026-11-23_08-15-02")
    directory = parser.parse_args(arguments).directory.absolute()
    settings = _read(directory / ".hydra/hydra.yaml")
    config = _configuration(directory)
    overrides = [str(override) for override in _read(directory / ".hydra/overrides.yaml")]

    from ..config.compose import chosen_groups, load_local
    from .main import log_to
    from .run import run

    log_to(directory)
    if _complete(directory):
        raise ConfigError(f"{str(directory)!r} is complete: there is nothing to go on with")
    if not (directory / FILE).exists():
        raise ConfigError(
            f"{str(directory)!r} holds no {FILE}: nothing was detected there, or the source was "
            "live, or resumable=false; begin a new run"
        )
    _change_to(settings)
    load_local(overrides)
    run(config, require_display="sink" in chosen_groups(overrides), resumed=True)
    return 0


def _read(path: Path) -> Any:
    """A file that Hydra left.

    Raises:
        ConfigError: it is not there or damaged.
    """
    try:
        return OmegaConf.load(path)
    except OSError as error:
        raise ConfigError(
            f"{str(path.parents[1])!r} is no directory of a run of `vidan`: cannot read "
            f"{path.parent.name}/{path.name}"
        ) from error
    except Exception as error:  # the YAML library's errors and OmegaConf's
        raise _damaged(path) from error


def _damaged(path: Path) -> ConfigError:
    return ConfigError(f"{str(path)!r} is damaged: begin a new run")


def _configuration(directory: Path) -> DictConfig:
    """What the run was made of; its directory may have been moved since."""
    path = directory / ".hydra/config.yaml"
    config = _read(path)
    needed = [kind.name for kind in KINDS.values() if kind.required]
    if not isinstance(config, DictConfig) or not all(
        isinstance(config.get(name), DictConfig) for name in needed
    ):
        raise _damaged(path)
    config.run_dir = str(directory)
    return config


def _complete(directory: Path) -> bool:
    try:
        summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # killed before it could write one
    return summary.get("error") is None and not summary.get("interrupted")


def _change_to(settings: Any) -> None:
    """Go where the run was begun: paths in its configuration may be relative."""
    try:
        os.chdir(settings["hydra"]["runtime"]["cwd"])
    except (OmegaConfBaseException, KeyError, TypeError, OSError) as error:
        raise ConfigError(f"the folder that the run was begun in is not there: {error}") from error
