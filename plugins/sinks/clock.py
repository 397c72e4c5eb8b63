"""Intervals of local time."""

from __future__ import annotations

import math
from datetime import datetime


def interval_number(when: float, length: float) -> int:
    """The number of the interval that contains a Unix time: they count from local midnight.

    Args:
        when: Unix time, s.
        length: of the intervals, s.
    """
    return math.floor((when + _utc_offset(when)) / length)


def interval_start(number: int, length: float) -> float:
    """The Unix time at which an interval begins, s; see `interval_number`."""
    local = number * length
    return local - _utc_offset(local - _utc_offset(local))


def _utc_offset(when: float) -> float:
    """Difference of local time and UTC at a Unix time, s."""
    offset = datetime.fromtimestamp(when).astimezone().utcoffset()
    assert offset is not None
    return offset.total_seconds()
