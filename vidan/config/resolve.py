"""Plain values of a composed configuration."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from ..errors import ConfigError


def resolved(config: DictConfig, where: str = "") -> dict[str, Any]:
    """A configuration as plain dicts and lists, with its interpolations resolved.

    Args:
        config: a configuration, or a part of one.
        where: the key of the part in the whole configuration, for errors.

    Raises:
        ConfigError: a value is missing, or an interpolation cannot be resolved.
    """
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        key = str(error.full_key)
        if where and not key.startswith(f"{where}."):  # not a part of a whole configuration
            key = f"{where}.{key}"
        raise ConfigError(f"missing {key}: set {key}=<value>") from error
    except OmegaConfBaseException as error:
        raise _unresolvable(error, where) from error
    return typing.cast(dict[str, Any], plain)


@contextmanager
def interpolations() -> Iterator[None]:
    """Where single values of a configuration are read: what cannot be resolved is a ConfigError."""
    try:
        yield
    except OmegaConfBaseException as error:
        raise _unresolvable(error) from error


def _unresolvable(error: OmegaConfBaseException, where: str = "") -> ConfigError:
    key = where or str(getattr(error, "full_key", None) or "the configuration")
    text = " ".join(str(error).split())
    if found := re.search(r"Environment variable '(.+?)' not found", text):
        text = f"the environment variable {found[1]} is not set"
    elif found := re.search(r"Interpolation key '(.+?)' not found", text):
        text = (
            f"it refers to the key {found[1]!r}, and there is none of this name; "
            f"in a text that refers to nothing, write \\${{{found[1]}}}"
        )
    return ConfigError(f"{key}: {text}")
