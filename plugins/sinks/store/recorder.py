"""Makes the rows of the tables from what a sink gets."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from vidan.config.build import RunContext
from vidan.events import Event
from vidan.journal import RunStart
from vidan.support.text import valid_unicode
from vidan.types import Frame, Result

from ...formats.events import event_record
from ..clock import StreamClock
from ..counts.counter import Counter, Lengths
from .tables import COUNTS, EVENTS, RUNS, TRACKS, Row
from .tracks import TrackTable

REVISE_EVERY_S = 10.0
"""How often the rows of present tracks and of the run are brought up to date, s."""

FROM_DATA = (
    "direction",
    "joined",
    "delay",
    "dwell",
    "duration",
    "origin",
    "destination",
    "seconds",
)
"""Columns of events that are taken from their data."""

TYPES = {
    column.name: (int, float) if column.type is float else (column.type,)
    for column in EVENTS.columns
}
"""Types of values that a column of events takes."""


class Recorder:
    """Makes rows of `runs`, `events`, `tracks` and `counts`.

    The rows of a run have the same keys when it is resumed.

    Args:
        run: the run; None for one that starts now.
        live: whether frames arrive now, as from a camera.
        recorded: when the recording of a file began; None if that is not known.
        interval: of `counts`.
        revise: whether rows may be written again with new values: there are then rows of tracks
            that have not ended, every REVISE_EVERY_S.

    Attributes:
        run: id of the run.
        began: date on which it began, in UTC.

    Raises:
        ConfigError: an option has an invalid value.
    """

    def __init__(
        self,
        run: RunContext | None,
        *,
        live: bool,
        recorded: str | None,
        interval: Lengths,
        revise: bool,
    ) -> None:
        start = RunStart(run.id, run.began) if run else RunStart.new()
        self._began = datetime.fromtimestamp(start.began, UTC)
        self.run, self.began = start.id, f"{self._began:%Y-%m-%d}"
        self._live, self._revise = live, revise
        self._clock = StreamClock(live=live, recorded=recorded)
        self._counter, self._tracks = Counter(interval, self._clock), TrackTable()
        self._events: list[Event] = []  # since the last frame
        self._event_count = self._count_rows = self._frames = 0
        self._frame: Frame | None = None
        self._revised = self._checked = -math.inf

    def emit(self, events: Sequence[Event]) -> None:
        """Take events, which become rows with the next frame: it tells the time."""
        self._events += events

    def update(self, result: Result) -> list[Row]:
        """The rows that are known after a frame."""
        self._clock.follow(result.frame)
        self._frame = result.frame
        self._frames += 1
        events, self._events = self._events, []
        self._tracks.update(result)
        counts = self._counter.update(result, events)
        rows = [*self._event_rows(events), *self._count_rows_of(counts)]
        if abs(result.frame.time - self._checked) >= REVISE_EVERY_S:
            self._checked = result.frame.time  # not by the clock: a resumed run has the same rows
            rows += self._track_rows(self._tracks.ended(self._checked))
        now = time.monotonic()
        if self._revise and now - self._revised >= REVISE_EVERY_S:
            self._revised = now
            rows += [self._run_row(), *self._track_rows(self._tracks.changed())]
        return rows

    def finish(self) -> list[Row]:
        """The rows that are left at the end of the run."""
        events, self._events = self._events, []
        self._counter.count(events)
        rows = [*self._event_rows(events), *self._count_rows_of(self._counter.finish())]
        rows += self._track_rows(self._tracks.finish())
        if self._frame is not None:
            rows.append(self._run_row(ended=datetime.now(UTC)))
        return rows

    def _run_row(self, ended: datetime | None = None) -> Row:
        frame = self._frame
        assert frame is not None
        return self._row(
            RUNS.name,
            {
                "began": self._began,
                "ended": ended,
                "live": self._live,
                "frames": self._frames,
                "time": round(frame.time, 6),
                "width": frame.width,
                "height": frame.height,
                "version": metadata.version("vidan"),
            },
        )

    def _event_rows(self, events: Iterable[Event]) -> Iterator[Row]:
        for event in events:
            self._event_count += 1
            record = event_record(event)
            box, at, data = record.pop("box"), record.pop("at"), record["data"]
            yield self._row(
                EVENTS.name,
                {
                    "number": self._event_count,
                    **record,
                    "timestamp": self._clock.utc(event.time),
                    **dict(zip(("x1", "y1", "x2", "y2"), box or (), strict=False)),
                    **dict(zip(("x", "y"), at or (), strict=False)),
                    **_from_data(data),
                },
            )

    def _track_rows(self, tracks: Iterable[dict[str, Any]]) -> Iterator[Row]:
        for track in tracks:
            times = {
                f"{which}_timestamp": self._clock.utc(track[f"{which}_time"])
                for which in ("first", "last")
            }
            yield self._row(TRACKS.name, track | times)

    def _count_rows_of(self, counts: Iterable[dict[str, Any]]) -> Iterator[Row]:
        for count in counts:
            self._count_rows += 1
            start = count.pop("start") - self._clock.offset
            place = {"time": round(start, 6), "timestamp": self._clock.utc(start)}
            yield self._row(COUNTS.name, {"number": self._count_rows, **place, **count})

    def _row(self, table: str, values: dict[str, Any]) -> Row:
        stream = self._frame.stream if self._frame is not None else ""
        return Row(table, _clean({"run": self.run, "stream": stream} | values))


def _from_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that an event's data have, unless a plugin gave them another type."""
    found = {name: data[name] for name in FROM_DATA if name in data}
    return {name: v for name, v in found.items() if type(v) in TYPES[name]}


def _clean(value: Any) -> Any:
    """A value that every store takes: no NUL, nothing that is not Unicode, no infinite number."""
    if isinstance(value, str):
        return valid_unicode(value).replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
