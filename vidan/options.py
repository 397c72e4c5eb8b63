"""Checks of the option values that components are made with, each one clear line.

`key` is the option's place in the configuration, such as `tracker.max_age`. Each function
returns the value, and raises a ConfigError if it cannot be used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import ConfigError, did_you_mean

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


def number(key: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number in [low, high]."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not low <= value <= high:
        raise wrong(key, value, "a number" + _bounds(low, high))
    return float(value)


def positive(key: str, value: Any) -> float:
    """A finite number above 0."""
    if number(key, value) <= 0:
        raise wrong(key, value, "a number above 0")
    return float(value)


def whole(key: str, value: Any, low: int, high: float = math.inf) -> int:
    """A whole number in [low, high]."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise wrong(key, value, "a whole number" + _bounds(low, high))
    return value


def measure(key: str, value: Any, units: Mapping[str, float]) -> float:
    """A number above 0 with one of the units, such as `10min`: in what the units count."""
    match = re.fullmatch(r"(\d+\.?\d*) *([A-Za-z]+)", value) if isinstance(value, str) else None
    if match is None or match[2] not in units or not 0 < float(match[1]) < math.inf:
        raise wrong(key, value, f"a number above 0 and a unit: {', '.join(units)}")
    return float(match[1]) * units[match[2]]


def duration(key: str, value: Any) -> float:
    """A time in s: a number above 0, or one with a unit such as `90s`, `10min`, `1h`, `7d`."""
    return measure(key, value, SECONDS) if isinstance(value, str) else positive(key, value)


def boolean(key: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong(key, value, "true or false")
    return value


def text(key: str, value: Any) -> str:
    """A text with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise wrong(key, value, "a text")
    return value


def choice(key: str, value: Any, known: Iterable[str]) -> str:
    """One of the names that are known."""
    names_known = list(known)
    if not isinstance(value, str) or value not in names_known:
        raise ConfigError(f"{key}={value!r}: {did_you_mean(str(value), names_known)}")
    return value


def names(key: str, value: Any) -> tuple[str, ...]:
    """One name, or a list of at least one."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, Sequence) or not all(isinstance(n, str) and n for n in found):
        raise wrong(key, value, "a name or a list of names")
    if not found:
        raise wrong(key, value, "at least one name, or null for all")
    return tuple(found)


def path(key: str, value: Any) -> Path:
    """A path, `~` being the home folder."""
    if not isinstance(value, str | Path) or not str(value).strip():
        raise wrong(key, value, "a path")
    return Path(value).expanduser()


def wrong(key: str, value: Any, expected: str) -> ConfigError:
    """The error of a value that is not what was expected."""
    return ConfigError(f"{key}={value!r}: expected {expected}")


def _bounds(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return ""
    return f" of at least {low:g}" if math.isinf(high) else f" from {low:g} to {high:g}"
