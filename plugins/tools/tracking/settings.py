"""Typed values from the configuration of a command: folders, names, groups of options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vidan.errors import ConfigError
from vidan.options import expanded

from .sequences import Folders

MAX_FRAME_RATE = 1e6


def folders(config: DictConfig) -> Folders:
    """The folders to search for sequences.

    Raises:
        ConfigError: `data` is missing, or a value is not the name of a folder.
    """
    data = _folder(config, "data")
    if data is None:
        raise ConfigError("data is missing: set data=<folder in MOTChallenge layout>")
    rate = config.rate
    if rate is not None and not (isinstance(rate, int | float) and 0 < rate < MAX_FRAME_RATE):
        raise ConfigError(f"rate={rate!r}: expected frames per second, above 0")
    gt, features, images = (_folder(config, key) for key in ("gt", "features", "images"))
    return Folders(data, gt, features, images, rate)


def results_folder(config: DictConfig) -> Path | None:
    """The folder of results to score; None to run a tracker.

    Raises:
        ConfigError: there is no such folder.
    """
    folder = _folder(config, "results")
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"results={str(folder)!r}: there is no such folder of <seq>.txt")
    return folder


def names(config: DictConfig, key: str) -> list[str] | None:
    """A name or a list of names, as a list; None for all.

    Raises:
        ConfigError: it is neither.
    """
    value = config[key]
    if value is None:
        return None
    found = [value] if isinstance(value, str) else list(value)
    if not found or not all(isinstance(name, str) for name in found):
        raise ConfigError(f"{key}={value!r}: expected names, such as [MOT17-02-SDP,MOT17-05-*]")
    return found


def group(config: DictConfig, key: str) -> dict[str, Any]:
    """A group of options as a plain dict; null is {}.

    Raises:
        ConfigError: it is not a group.
    """
    value = plain(config)[key]
    part = {} if value is None else value
    if not isinstance(part, dict):
        raise ConfigError(f"{key}={part!r}: expected keys and values")
    return {str(name): value for name, value in part.items()}


def plain(config: DictConfig) -> dict[str, Any]:
    """A configuration as a plain dict."""
    found = OmegaConf.to_container(config, resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def _folder(config: DictConfig, key: str) -> Path | None:
    value = config[key]
    if value is not None and (not isinstance(value, str) or not value):
        raise ConfigError(f"{key}={value!r}: expected a folder")
    return None if value is None else expanded(value)
