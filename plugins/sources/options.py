"""What the sources have in common about options."""

from __future__ import annotations

import math

from vidan.errors import ConfigError


def positive(option: str, value: float | None) -> None:
    """Check an option that must be a number above 0, where it is given.

    Raises:
        ConfigError: it is not.
    """
    if value is not None and not (math.isfinite(value) and value > 0):
        raise ConfigError(f"source.{option} must be more than 0, got {value!r}")


def not_empty(option: str, value: str | None, hint: str) -> None:
    """Check a text option, which must have some text where it is given.

    Raises:
        ConfigError: it is empty.
    """
    if value is not None and not value.strip():
        raise ConfigError(f"source.{option} is empty: {hint}")


def whole(option: str, value: object, low: int, high: int) -> int:
    """The value of an option that must be a whole number from `low` to `high`.

    Raises:
        ConfigError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(
            f"source.{option} must be a whole number from {low} to {high}, got {value!r}"
        )
    return value


def between(option: str, value: object, low: float, high: float) -> float:
    """The value of an option that must be a number from `low` to `high`.

    Raises:
        ConfigError: it is not.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= float(str(value)) <= high:
        raise ConfigError(f"source.{option} must be from {low:g} to {high:g}, got {value!r}")
    return float(str(value))
