"""Stream time by the system clock, and intervals of local time."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, tzinfo

from vidan.errors import ConfigError
from vidan.types import Frame

HOUR_S = 3600.0

MAX_CLOCK_ERROR_S = 1.0
"""Stream time of a camera is mapped to the system clock again when it is off by more, s."""


class StreamClock:
    """The date and time of a stream, if they are known.

    Args:
        live: whether frames arrive now, as from a camera: their times are those of the system
            clock.
        recorded: date and time at which the recording of a file began, such as
            `2026-11-23T08:00:00`; None if it is not known.

    Attributes:
        offset: from stream time to Unix time, s; 0 if that is not known.
        known: whether it is known.

    Raises:
        ConfigError: `recorded` is not a date and time.
    """

    def __init__(self, *, live: bool, recorded: str | None = None) -> None:
        self.offset = 0.0 if recorded is None else _timestamp(recorded)
        self.known = live or recorded is not None
        self._live = live
        self._synchronized = False

    def follow(self, frame: Frame) -> None:
        """Map the stream time of a camera to the system clock; called with each frame."""
        if not self._live:
            return
        offset = time.time() - (time.monotonic() - frame.captured) - frame.time
        if not self._synchronized or abs(offset - self.offset) > MAX_CLOCK_ERROR_S:
            self.offset, self._synchronized = offset, True

    def utc(self, stream_time: float) -> datetime | None:
        """The date and time at a stream time, s; None if it is not known."""
        return datetime.fromtimestamp(stream_time + self.offset, UTC) if self.known else None


def interval_start(when: float, length: float, zone: tzinfo | None = None) -> float:
    """When the interval of local time begins that contains a Unix time, s.

    Intervals begin at multiples of their length since local midnight. When clocks go back, the
    hour that is repeated has intervals of its own, unless they are longer than an hour or do not
    divide one: these contain both.

    Args:
        when: Unix time, s.
        length: of the intervals, s.
        zone: None for the one of this machine.
    """
    offset = _utc_offset(when, zone)
    local = math.floor((when + offset) / length) * length
    return local - offset if _divides_hour(length) else _unix(local, zone)


def interval_end(start: float, length: float, zone: tzinfo | None = None) -> float:
    """When the interval ends that begins at a Unix time, s; see `interval_start`."""
    if _divides_hour(length):
        return start + length
    return _unix(start + _utc_offset(start, zone) + length, zone)


def _divides_hour(length: float) -> bool:
    return HOUR_S % length == 0


def _unix(local: float, zone: tzinfo | None) -> float:
    """The Unix time at a local time, s since 1970; the first one if there are two."""
    return local - _utc_offset(local - _utc_offset(local, zone), zone)


def _utc_offset(when: float, zone: tzinfo | None) -> float:
    """Difference of local time and UTC at a Unix time, s."""
    offset = datetime.fromtimestamp(when, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _timestamp(recorded: str) -> float:
    """Unix time of a date and time, s."""
    try:
        return datetime.fromisoformat(recorded).timestamp()
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"recorded={recorded!r}: expected a date and time such as 2026-11-23T08:00:00"
        ) from error
