"""Checks of the option values that the detectors share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vidan.errors import ConfigError


def fraction(name: str, value: Any) -> float:
    """`value` as a float if it is a number in [0,1].

    Raises:
        ConfigError: it is not.
    """
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    if not good:
        raise _wrong(name, value, "a number from 0 to 1")
    return float(value)


def number(name: str, value: Any) -> float:
    """`value` as a float if it is a finite number.

    Raises:
        ConfigError: it is not.
    """
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good:
        raise _wrong(name, value, "a number")
    return float(value)


def whole(name: str, value: Any, low: int) -> int:
    """`value` if it is a whole number of at least `low`.

    Raises:
        ConfigError: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise _wrong(name, value, f"a whole number of at least {low}")
    return value


def boolean(name: str, value: Any) -> bool:
    """`value` if it is true or false.

    Raises:
        ConfigError: it is neither.
    """
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def text(name: str, value: Any) -> str:
    """`value` if it is a text with something in it.

    Raises:
        ConfigError: it is not.
    """
    if not isinstance(value, str) or not value.strip():
        raise _wrong(name, value, "a text")
    return value


def names(name: str, value: Any) -> tuple[str, ...]:
    """`value` as names, if it is one name or a list of at least one.

    Raises:
        ConfigError: it is not.
    """
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, Sequence) or not all(isinstance(n, str) and n for n in found):
        raise _wrong(name, value, "a name or a list of names")
    if not found:
        raise _wrong(name, value, "at least one name, or null for all")
    return tuple(found)


def path(name: str, value: Any) -> Path:
    """`value` as a path, `~` being the home folder.

    Raises:
        ConfigError: it is not.
    """
    if not isinstance(value, str | Path) or not str(value).strip():
        raise _wrong(name, value, "a path")
    return Path(value).expanduser()


def _wrong(name: str, value: Any, expected: str) -> ConfigError:
    return ConfigError(f"detector.{name}={value!r}: expected {expected}")
