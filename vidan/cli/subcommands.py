"""Helpers for commands that have a configuration of their own."""

from __future__ import annotations

import importlib.resources
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ..config.groups import CONFIG_MODULE
from ..errors import SinkError
from ..support.text import utf8
from .help import fitted

REQUIRED = re.compile(r": \?\?\?( {0,7}(?= )|$)")
"""A value that has to be set, and spaces behind it."""


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether `-h` or `--help` is among the arguments."""
    return bool({"-h", "--help"} & set(arguments))


def keys(*config_names: str) -> str:
    """The lines `key: default  # comment` of built-in configuration files, for `--help`."""
    files = importlib.resources.files(CONFIG_MODULE)
    lines = [
        REQUIRED.sub(": (required)", line)
        for name in config_names
        for line in (files / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        if ": " in line and not line.startswith(("#", " "))
    ]
    return "\n".join(lines)


def write_help(text: str, *config_names: str) -> None:
    """Write the help of a command to stdout.

    Args:
        text: the help.
        config_names: configuration files whose keys replace `{keys}` in the text, or follow it.
    """
    listed = keys(*config_names)
    whole = text.replace("{keys}", listed) if "{keys}" in text else f"{text}{listed}\n"
    sys.stdout.write(fitted(whole))


def run_directory(config: DictConfig) -> Path:
    """Create the directory `config.run_dir`, and save the configuration in it.

    Raises:
        SinkError: it cannot be written.
    """
    directory = Path(config.run_dir)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(config, directory / "config.yaml", resolve=True)
    except OSError as error:
        raise SinkError(f"cannot write into {str(directory)!r}: {error.strerror}") from error
    return directory


def write_json(path: Path, content: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write a JSON file, indented."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_bytes(utf8(text + "\n"))
