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
