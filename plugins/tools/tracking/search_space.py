"""Search spaces: ranges of numbers and lists of values, as Optuna's distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidan.errors import ConfigError
from vidan.support.extras import import_extra


def distributions(search: Mapping[str, Any]) -> dict[str, Any]:
    """Optuna's distribution for each option of a search.

    Two whole numbers are a range of whole numbers, two numbers a range of numbers, and
    anything else a list of values to choose from.

    Args:
        search: by option, such as `{max_age: [1,60], min_iou: [0.1,0.5], kalman: [batched]}`.

    Raises:
        ConfigError: it is empty, or a value is neither.
        PluginError: Optuna is not installed.
    """
    optuna = import_extra("optuna", "tune")
    if not search:
        raise ConfigError(
            "search is missing: set search='{max_age:[1,60],iou_threshold:[0.1,0.5]}' with "
            "options of the tracker"
        )
    return {key: _distribution(optuna.distributions, key, v) for key, v in search.items()}


def first_value(distribution: Any) -> Any:
    """A value of a distribution: the first choice, or the lowest number."""
    has_choices = hasattr(distribution, "choices")
    return distribution.choices[0] if has_choices else distribution.low


def _distribution(optuna: Any, key: str, values: Any) -> Any:
    if not isinstance(values, list) or not values:
        raise ConfigError(f"search.{key}={values!r}: expected [low,high] or a list of values")
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if len(values) != 2 or not numbers:
        return optuna.CategoricalDistribution(values)
    low, high = values
    if low > high:
        raise ConfigError(f"search.{key}={values!r}: expected the lower number first")
    whole = isinstance(low, int) and isinstance(high, int)
    kind = optuna.IntDistribution if whole else optuna.FloatDistribution
    return kind(low, high)
