"""Checks of option values that annotations cannot express.

Types, choices and ranges belong in the annotations of a constructor: see `vidan.config.check`.
`key` is the name of the option. Each function returns the value, or raises a ConfigError.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import ConfigError, did_you_mean

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}

SECRET = "secret"  # noqa: S105 - a mark, no password
"""Mark of an option whose value no message may show: `Annotated[str, SECRET]`."""


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
    """An integer in [low, high]."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise wrong(key, value, "a whole number" + _bounds(low, high))
    return value


def measure(key: str, value: Any, units: Mapping[str, float]) -> float:
    """A number above 0 with one of `units`, such as `10min`, times the value of the unit."""
    match = re.fullmatch(r"(\d+\.?\d*) *([A-Za-z]+)", value) if isinstance(value, str) else None
    if match is None or match[2] not in units or not 0 < float(match[1]) < math.inf:
        raise wrong(key, value, f"a number above 0 and a unit: {', '.join(units)}")
    return float(match[1]) * units[match[2]]


def duration(key: str, value: Any) -> float:
    """A duration in s: a number above 0, or text with a unit: `90s`, `10min`, `1h`, `7d`."""
    return measure(key, value, SECONDS) if isinstance(value, str) else positive(key, value)


def boolean(key: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong(key, value, "true or false")
    return value


def text(key: str, value: Any) -> str:
    """A string that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise wrong(key, value, "a text that is not empty")
    return value


def choice(key: str, value: Any, known: Iterable[str]) -> str:
    """One of the known names."""
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise ConfigError(f"{key}={value!r}: {did_you_mean(str(value), known)}")
    return value


def names(key: str, value: Any) -> tuple[str, ...]:
    """A name, or a list of at least one name."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, Sequence) or not all(isinstance(n, str) and n for n in found):
        raise wrong(key, value, "a name or a list of names")
    if not found:
        raise wrong(key, value, "at least one name, or null for all")
    return tuple(found)


def path(key: str, value: Any) -> Path:
    """A path; `~` is the home folder."""
    if not isinstance(value, str | Path) or not str(value).strip():
        raise wrong(key, value, "a path")
    return expanded(value)


def environment(key: str, variable: str, content: str) -> str:
    """The value of an environment variable, which no message shows.

    Args:
        key: name of the option.
        variable: value of the option, the name of the variable.
        content: what the variable has, such as `the password`, for errors.
    """
    value = os.environ.get(variable)
    if not re.fullmatch(r"\w+", variable):  # such as what the variable should have
        raise ConfigError(f"{key}: expected the name of an environment variable that has {content}")
    if not value:
        raise ConfigError(
            f"{key}={variable!r}: expected the name of an environment variable that has {content}, "
            "and there is none of this name"
        )
    return value


def expanded(value: str | Path) -> Path:
    """A path with `~` as the home folder, unless a file has this name: editors leave `~a.mp4`."""
    path = Path(value)
    if exists(path):
        return path
    try:
        return path.expanduser()
    except RuntimeError:  # there is no user of this name
        return path


def exists(path: Path) -> bool:
    """Whether a path exists; false also for what cannot be a path, such as a very long URL."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a name, or a null character
        return False


def wrong(key: str, value: Any, expected: str) -> ConfigError:
    """The error for a value that differs from what is expected."""
    return ConfigError(f"{key}={value!r}: expected {expected}")


def _bounds(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return ""
    return f" of at least {low:g}" if math.isinf(high) else f" from {low:g} to {high:g}"
