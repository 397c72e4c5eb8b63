"""`sink=counts`: totals per interval, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from vidan import options
from vidan.events import Event
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.types import Result

from ..clock import StreamClock
from ..deferred import STORE_DELAY_S
from .counter import MAX_DELAY_S, Counter, Lengths
from .tables import open_table

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
    "exited": int,
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
    - `exited`: objects that left the zone.
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
        keep: for CSV, maximum total size (`10GB`), age (`30d`) or number of the files, or several
            of them by name; None for one file with everything. With it, `path` is the folder and
            pattern of several files, which have `-{time}` in front of the suffix.
        live_source: whether frames arrive now, as from a camera; given by the run.

    Raises:
        ConfigError: an option has an invalid value, or pyarrow is not installed.
        SinkError: the file cannot be written.
    """

    lossless = True
    write_delay = STORE_DELAY_S

    def __init__(
        self,
        path: str,
        interval: Lengths = "15min",
        recorded: str | None = None,
        max_delay: Annotated[float, Meta(ge=0)] = MAX_DELAY_S,
        keep: Keep = None,
        live_source: bool | None = None,
    ) -> None:
        self._clock = StreamClock(live=bool(live_source), recorded=recorded)
        self._counter = Counter(interval, self._clock, max_delay)
        self._events: list[Event] = []  # since the last frame
        self._stream = ""
        columns = COLUMNS | ({"start": datetime} if self._clock.known else {})
        self._table = open_table(options.text("path", path), columns, keep)
        self._closed = False

    def resume_from(self, journal: RunJournal) -> None:
        """See `Resumable`."""
        self._table.resume_from(journal)

    @property
    def outputs(self) -> list[str]:
        """The paths of the files."""
        return self._table.outputs

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: they are counted with the next frame."""
        self._events += events

    def write(self, result: Result) -> None:
        """Count events and occupancy, and write the intervals that are complete."""
        self._clock.follow(result.frame)
        self._stream = result.frame.stream
        events, self._events = self._events, []
        self._add(self._counter.update(result, events))

    def close(self) -> None:
        """Write the intervals that are left; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._counter.count(self._events)
            self._add(self._counter.finish())
        finally:
            self._table.close()

    def _add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._table.add([{"stream": self._stream, **row, **self._start(row)} for row in rows])

    def _start(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """When the interval of a row begins, in local time where it is known."""
        known = self._clock.known
        return {"start": datetime.fromtimestamp(row["start"]).astimezone()} if known else {}
