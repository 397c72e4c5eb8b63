"""A limit for YAML: with aliases, a small file may stand for millions of values."""

from __future__ import annotations

from pathlib import Path

import yaml
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

MAX_VALUES = 100_000
"""In a file, with every alias counted as what it stands for."""


def load_yaml(path: Path) -> DictConfig | ListConfig:
    """A configuration from a file, within the limit.

    Raises:
        OSError: the file cannot be read.
        yaml.YAMLError: it is no UTF-8, no YAML or no configuration, or exceeds the limit.
    """
    try:
        check_yaml(path.read_text(encoding="utf-8"))
        return OmegaConf.load(path)
    except (UnicodeError, OmegaConfBaseException) as error:
        raise yaml.YAMLError(str(error)) from error


def check_yaml(text: str) -> None:
    """Check that the values of a text are limited, before a parser builds them.

    Raises:
        yaml.YAMLError: it is no YAML, has too many values, or an alias contains itself.
    """
    if "*" not in text:  # no alias
        return
    try:
        _count(yaml.compose(text, Loader=yaml.SafeLoader), {})
    except RecursionError as error:
        raise yaml.YAMLError("its values are nested too deeply") from error


def _count(node: yaml.Node | None, known: dict[int, int]) -> int:
    """The number of values of a node; `known` are those of nodes by their `id`, 0 while counted."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) in known:
        if not known[id(node)]:
            raise yaml.YAMLError("an alias in it contains itself")
        return known[id(node)]
    known[id(node)] = 0
    inner = [each for pair in node.value for each in (pair if isinstance(pair, tuple) else (pair,))]
    count = 1 + sum(_count(each, known) for each in inner)
    if count > MAX_VALUES:
        raise yaml.YAMLError(f"it has more than {MAX_VALUES} values, because of its aliases")
    known[id(node)] = count
    return count
