"""Hours without alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from vidan import options


class QuietHours:
    """Times of the day, in the local time zone.

    Args:
        quiet: value of the option: times such as `22:00-06:00`, the second one not included.

    Raises:
        ConfigError: one is malformed.
    """

    def __init__(self, quiet: str | Sequence[str]) -> None:
        found = [quiet] if isinstance(quiet, str) else quiet
        self._ranges = [_range(each) for each in found]

    def include(self, seconds: float) -> bool:
        """Whether a Unix time, in s, is one of them."""
        now = datetime.fromtimestamp(seconds).time()
        return any(
            start <= now < end if start < end else now >= start or now < end
            for start, end in self._ranges
        )


def _range(text: str) -> tuple[time, time]:
    expected = "two different times of the day, such as 22:00-06:00"
    first, dash, second = text.partition("-")
    try:
        start, end = (time.fromisoformat(part.strip()) for part in (first, second))
    except ValueError as error:
        raise options.wrong("quiet", text, expected) from error
    if not dash or start == end or start.tzinfo or end.tzinfo:
        raise options.wrong("quiet", text, expected)
    return start, end
