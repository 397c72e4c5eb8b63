"""Job files: `vidan --config-dir jobs --config-name street`.

A job file is a primary configuration of Hydra that includes `config`, vidan's own.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ..errors import ConfigError, did_you_mean
from ..kinds import KINDS
from ..options import expanded
from .search_path import RUN, Start, compose_with_hydra

CLOSED = ("counts", "drawing", "models", "pipeline")
"""Sections whose keys nothing else checks: components check their own options."""


def parse(arguments: Sequence[str]) -> tuple[Start, list[str]]:
    """The job that Hydra's options name, and the other arguments.

    >>> parse(["tracker=sort"])
    (Start(name='config', folder=None), ['tracker=sort'])

    Raises:
        ConfigError: there is no such file.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config-dir", "-cd")
    parser.add_argument("--config-name", "-cn")
    try:
        found, rest = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise ConfigError(str(error)) from error
    name = (found.config_name or RUN.name).removesuffix(".yaml")
    if found.config_dir is None:
        if found.config_name is not None:
            raise ConfigError(f"--config-name {name}: set --config-dir to the folder of the file")
        return RUN, rest
    folder = expanded(found.config_dir).absolute()
    if not folder.is_dir():
        raise ConfigError(f"--config-dir {found.config_dir}: there is no such folder")
    if name != RUN.name and not (folder / f"{name}.yaml").is_file():
        files = [file.stem for file in folder.glob("*.yaml")]
        raise ConfigError(f"{found.config_dir}: no job file {name!r}: {did_you_mean(name, files)}")
    # Values of the file replace those of what it includes, with and without `_self_`.
    warnings.filterwarnings("ignore", message=r"In '.*': Defaults list is missing `_self_`")
    return Start(name, str(folder)), rest


def check(start: Start) -> None:
    """Reject keys of a job file that vidan does not have.

    Raises:
        ConfigError: there is such a key. One that starts with an underscore is the file's own.
    """
    try:
        config = compose_with_hydra([], start)
    except (HydraException, OmegaConfBaseException, YAMLError):
        return  # the run reports it, unless an override of the command line corrects it
    if not {kind.name for kind in KINDS.values() if kind.required} <= set(config):
        raise ConfigError(f"{start.name}.yaml: it needs vidan's configuration: defaults: [config]")
    known = compose_with_hydra([])
    for section in ("", *CLOSED):
        values, ours = (c[section] if section else c for c in (config, known))
        for key in map(str, values):
            if key not in ours and not key.startswith("_"):
                path, near = f"{section}.{key}".lstrip("."), did_you_mean(key, map(str, ours))
                raise ConfigError(f"{start.name}.yaml: unknown key {path!r}: {near}")
