"""The two bands of scores of trackers that use weak detections too."""

from __future__ import annotations

from vidan import options
from vidan.errors import ConfigError


def share(name: str, value: float) -> float:
    """The tracker's option `name` as a number in [0,1]; a ConfigError if it is none."""
    return options.number(f"tracker.{name}", value, 0.0, 1.0)


def bands(high_score: float, low_score: float) -> tuple[float, float]:
    """The least scores of good and of weak detections, in [0,1].

    Raises:
        ConfigError: one of them is outside, or the second is above the first.
    """
    high, low = share("high_score", high_score), share("low_score", low_score)
    if low > high:
        raise ConfigError(
            f"tracker.low_score={low_score!r} is above tracker.high_score={high_score!r}: "
            "weak detections lie between the two"
        )
    return high, low
