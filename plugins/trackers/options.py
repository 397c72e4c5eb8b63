"""Checks of the values that a tracker is configured with."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vidan.errors import ConfigError, did_you_mean


def whole(owner: str, name: str, value: object, low: int) -> int:
    """`value` if it is a whole number of at least `low`.

    Raises:
        ConfigError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ConfigError(f"{owner}: {name}={value!r}: expected a whole number of at least {low}")
    return value


def number(owner: str, name: str, value: object, low: float, high: float) -> float:
    """`value` as a float if it is a number in [low, high].

    Raises:
        ConfigError: it is not.
    """
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not low <= value <= high:  # type: ignore[operator]
        bound = f"of at least {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
        raise ConfigError(f"{owner}: {name}={value!r}: expected a number {bound}")
    return float(value)  # type: ignore[arg-type]


def choice(owner: str, name: str, value: object, known: Iterable[str]) -> str:
    """`value` if it is one of the names in `known`.

    Raises:
        ConfigError: it is not.
    """
    names = list(known)
    if not isinstance(value, str) or value not in names:
        raise ConfigError(f"{owner}: {name}={value!r}: {did_you_mean(str(value), names)}")
    return value
