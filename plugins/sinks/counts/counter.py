"""Counts what happened in each interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from vidan import options
from vidan.errors import ConfigError
from vidan.events import Event
from vidan.types import Result

from ..clock import StreamClock
from .intervals import Intervals
from .totals import Key, KnownKeys, key_of

DAY_S = 86_400.0

MAX_DELAY_S = 65.0
"""Stream time after which the rows of an interval are complete, s: the end of a visit may become
known a minute later."""

Lengths = str | float | Sequence[str | float]
"""The option `interval`."""


class Counter:
    """Counts events and occupancy by interval, and makes the rows of intervals that are complete.

    A row has the columns of `sink=counts`, without `stream`; its `start` is Unix time, s, where
    the clock is known, else stream time.

    Args:
        interval: length of the intervals, such as `15min`, or in s; or several of them.
        clock: of the stream.
        max_delay: stream time after the end of an interval at which its rows are complete, s.

    Raises:
        ConfigError: a length is invalid.
    """

    def __init__(
        self, interval: Lengths, clock: StreamClock, max_delay: float = MAX_DELAY_S
    ) -> None:
        lengths = _lengths(interval)
        self._clock, self._max_delay = clock, max_delay
        self._known = KnownKeys()
        self._intervals = [Intervals(length, clock.known) for length in lengths]

    def update(self, result: Result, events: Sequence[Event]) -> list[dict[str, Any]]:
        """Count a frame and its events; the rows of the intervals that are complete."""
        self._known.add_shapes(result.shapes)
        now = result.frame.time + self._clock.offset
        objects = _objects(result)
        for key in objects:
            self._known.add(key)
        for intervals in self._intervals:
            intervals.occupy(now, objects)
        self.count(events)
        return self._finished(now - self._max_delay)

    def count(self, events: Sequence[Event]) -> None:
        """Count events without a frame, as at the end of the stream."""
        for event in events:
            key = key_of(event)
            if key is None:
                continue
            self._known.add(key)
            for intervals in self._intervals:
                intervals.total(event.time + self._clock.offset, key).add(event)

    def finish(self) -> list[dict[str, Any]]:
        """The rows of the intervals that are left."""
        return self._finished(math.inf)

    def _finished(self, safe: float) -> list[dict[str, Any]]:
        return [row for each in self._intervals for row in each.finished(safe, self._known)]


def _objects(result: Result) -> dict[Key, int]:
    """How many objects are in each zone, by label."""
    return {
        Key("zone", dict(measure.labels)["zone"], label=dict(measure.labels)["label"]): int(value)
        for measure, value in result.measures.items()
        if measure.name == "zone_objects"
    }


def _lengths(interval: Lengths) -> list[float]:
    """The lengths of the intervals, s."""
    values = interval if isinstance(interval, list | tuple) else [interval]
    lengths = [options.duration("interval", value) for value in values]
    for value, length in zip(values, lengths, strict=True):
        if length < 1 or DAY_S % length:
            raise ConfigError(
                f"interval={value!r}: expected a length that divides a day, such as 1min or 1h"
            )
    if not lengths:
        raise ConfigError(f"interval={interval!r}: expected at least one length")
    return sorted(set(lengths))
