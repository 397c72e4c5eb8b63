"""Score options of trackers that also use low-scoring detections."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from vidan.errors import ConfigError

UnitInterval = Annotated[float, Meta(ge=0.0, le=1.0)]
"""A number in [0,1]: a score, an IoU or a similarity."""


def check_score_bands(high_score: float, low_score: float) -> None:
    """Check that low-scoring detections lie below high-scoring ones.

    Raises:
        ConfigError: `low_score` is above `high_score`.
    """
    if low_score > high_score:
        raise ConfigError(
            f"low_score={low_score!r} is above high_score={high_score!r}: "
            "low-scoring detections lie between the two"
        )
