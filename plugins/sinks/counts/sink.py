"""`sink=counts`: totals per interval, as a table."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from vidan import options
from vidan.errors import ConfigError
from vidan.events import Event
from vidan.types import Frame, Result

from .intervals import Intervals
from .tables import open_table
from .totals import Key, KnownKeys, key_of

DAY_S = 86_400.0

MAX_CLOCK_ERROR_S = 1.0
"""Stream time of a camera is mapped to the system clock again when it is off by more, s."""

COLUMNS: dict[str, type] = {
    "start": float,
    "interval": float,
    "stream": str,
    "type": str,
    "name": str,
    "direction": str,
    "destination": str,
    "label": str,
    "count": int,
    "left": int,
    "passed": int,
    "visits": int,
    "mean_dwell": float,
    "max_objects": int,
}
"""Columns of the table; `start` is a datetime where the time of day is known."""


class Counts:
    """Writes what happened in each interval, such as 15 minutes, as CSV or Parquet.

    There is one row for each interval and line, direction and label; zone and label; origin,
    destination and label of a flow. The columns are:

    - `start`: when the interval begins: local time for a camera, and for a file with `recorded`;
      else stream time, s.
    - `interval`: its length, s.
    - `stream`
    - `type`: `line`, `zone` or `flow`.
    - `name`: of the line or zone; for a flow, where it begins.
    - `direction`: across a line, `in` or `out`.
    - `destination`: where a flow ends.
    - `label`
    - `count`: crossings, completed flows, or objects that entered the zone.
    - `left`: objects that left the zone.
    - `passed`: objects that moved through it without a visit.
    - `visits`: visits that ended, also because the stream did.
    - `mean_dwell`: mean duration of these, s.
    - `max_objects`: most objects with this label that were in the zone at a time.

    Intervals begin at multiples of their length since midnight, or since the start of the stream.
    An event counts in the interval in which it happened, also if it became known later. The rows of
    an interval are therefore written `max_delay` after its end, and the last ones at the end of
    the run. An event that becomes known even later gets a further row, so that sums are right.

    Everything that has been counted so far has a row in each interval, with zeros if there was
    nothing, and so has each line and zone, with an empty label until it has its first event. An
    interval without frames, as while a camera is disconnected, has no rows.

    A CSV file can be read while the run lasts. A Parquet file is replaced as a whole every 10 s at
    most; after 50,000 rows another is begun: `<name>.part2.parquet`.

    Args:
        path: output file; its suffix, `.csv` or `.parquet`, is the format.
        interval: length of the intervals, such as `15min`, or in s; or several of them.
        recorded: date and time at which the recording of a file began, such as
            `2026-11-23T08:00:00`; None if it is not known.
        max_delay: stream time after the end of an interval at which its rows are written, s.
        live_source: whether frames arrive now, as from a camera; given by the run.

    Raises:
        ConfigError: an option has an invalid value, or pyarrow is not installed.
        SinkError: the file cannot be written.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        interval: str | float | Sequence[str | float] = "15min",
        recorded: str | None = None,
        max_delay: Annotated[float, Meta(ge=0)] = 65.0,
        live_source: bool | None = None,
    ) -> None:
        self._lengths = _lengths(interval)
        self._live, self._max_delay = bool(live_source), max_delay
        began = None if recorded is None else _timestamp(recorded)
        self._offset = began or 0.0  # from stream time to that of the table, s
        self._local = self._live or began is not None
        self._known = KnownKeys()
        self._intervals = [Intervals(length, self._local) for length in self._lengths]
        self._events: list[Event] = []  # since the last frame
        self._frame: Frame | None = None
        columns = COLUMNS | ({"start": datetime} if self._local else {})
        self._table = open_table(options.text("path", path), columns)
        self._closed = False

    @property
    def outputs(self) -> list[str]:
        """The paths of the files."""
        return self._table.outputs

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: they are counted with the next frame."""
        self._events += [event for event in events if key_of(event) is not None]

    def write(self, result: Result) -> None:
        """Count events and occupancy, and write the intervals that are complete."""
        frame = result.frame
        if self._live:
            self._synchronize(frame)
        self._frame = frame
        self._known.add_shapes(result.shapes)
        now = frame.time + self._offset
        objects = _objects(result)
        for key in objects:
            self._known.add(key)
        for intervals in self._intervals:
            intervals.occupy(now, objects)
        self._count()
        self._write_until(now - self._max_delay)

    def close(self) -> None:
        """Write the intervals that are left; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._count()
            self._write_until(math.inf)
        finally:
            self._table.close()

    def _synchronize(self, frame: Frame) -> None:
        """Map the stream time of a camera to the system clock."""
        offset = time.time() - (time.monotonic() - frame.captured) - frame.time
        if self._frame is None or abs(offset - self._offset) > MAX_CLOCK_ERROR_S:
            self._offset = offset

    def _count(self) -> None:
        events, self._events = self._events, []
        for event in events:
            key = key_of(event)
            if key is None:
                continue
            self._known.add(key)
            for intervals in self._intervals:
                intervals.total(event.time + self._offset, key).add(event)

    def _write_until(self, safe: float) -> None:
        """Write the intervals that ended by then."""
        stream = self._frame.stream if self._frame is not None else ""
        for intervals in self._intervals:
            for rows in intervals.finished(safe, self._known):
                self._table.add([{"stream": stream, **row} for row in rows])


def _objects(result: Result) -> dict[Key, int]:
    """How many objects are in each zone, by label."""
    return {
        Key("zone", dict(measure.labels)["zone"], label=dict(measure.labels)["label"]): int(value)
        for measure, value in result.measures.items()
        if measure.name == "zone_objects"
    }


def _lengths(interval: str | float | Sequence[str | float]) -> list[float]:
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


def _timestamp(recorded: str) -> float:
    """Unix time of a date and time, s."""
    try:
        return datetime.fromisoformat(recorded).timestamp()
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"recorded={recorded!r}: expected a date and time such as 2026-11-23T08:00:00"
        ) from error
