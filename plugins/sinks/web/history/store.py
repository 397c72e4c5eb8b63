"""Events and numbers of objects of one stream, in a SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from vidan.errors import SinkError
from vidan.events import CONFIRMED, Event, Measure
from vidan.support.text import one_line
from vidan.types import Result

from .levels import Levels

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    phase TEXT NOT NULL,
    rule TEXT NOT NULL,
    label TEXT,
    track INTEGER,
    time REAL NOT NULL,     -- s since 1970; stream time if the date is not known
    stream_time REAL NOT NULL,
    direction TEXT,
    dwell REAL,
    origin TEXT,
    destination TEXT,
    image BLOB
);
CREATE UNIQUE INDEX IF NOT EXISTS events_key ON events (run, id, kind, phase);
CREATE INDEX IF NOT EXISTS events_time ON events (time);
CREATE INDEX IF NOT EXISTS events_rule ON events (rule, time);
CREATE TABLE IF NOT EXISTS objects (
    time INTEGER NOT NULL,  -- start of a minute
    label TEXT NOT NULL,
    mean REAL NOT NULL,     -- of the frames in the minute
    peak INTEGER NOT NULL,
    PRIMARY KEY (time, label)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS zones (
    time INTEGER NOT NULL,  -- start of a minute; without objects, there is no row
    rule TEXT NOT NULL,
    label TEXT NOT NULL,    -- '' for all
    mean REAL NOT NULL,
    peak INTEGER NOT NULL,
    PRIMARY KEY (label, time, rule)
) WITHOUT ROWID;
"""

VERSION = 1
"""Of the schema."""

MINUTE_S = 60

COMMIT_EVERY_S = 1.0
"""Longest time that rows wait in memory, s."""

CLEAN_EVERY_S = 600.0
"""Interval at which rows that are too old are deleted, s."""

MAX_IMAGES = 2000
"""Images that are kept, those of the latest events."""

FROM_DATA = {"direction": str, "dwell": float, "origin": str, "destination": str}
"""Columns that are taken from the data of an event, and their types."""


class HistoryStore:
    """Writes the history of a stream; each event once, also if the run is repeated.

    Used by one thread. Readers open connections of their own.

    Args:
        path: of the file; it is made if it does not exist.
        run: id of the run.
        keep: age after which rows are deleted, s.

    Raises:
        SinkError: the file cannot be opened.
    """

    def __init__(self, path: Path, run: str, keep: float) -> None:
        self.path, self._run, self._keep = path, run, keep
        self._minute: int | None = None
        self._objects: Levels[str] = Levels()  # of the minute, by label
        self._zones: Levels[tuple[str, str]] = Levels()  # by zone and label; "" for all
        self._committed = self._cleaned = time.monotonic()
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=10, check_same_thread=False)
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise SinkError(f"{str(path)!r} was written by a newer version of vidan")
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.executescript(SCHEMA)
            self._database.execute(f"PRAGMA user_version={VERSION}")
            self._database.commit()

    def add(self, event: Event, when: float, image: bytes | None) -> None:
        """Add an event.

        Args:
            event: that became known.
            when: it happened, s since 1970, or in stream time.
            image: JPEG; None for none.
        """
        if event.kind == CONFIRMED or event.data.get("end_of_stream"):
            return
        values = {
            "run": self._run,
            "id": one_line(event.id),
            "kind": one_line(event.kind),
            "phase": event.phase,
            "rule": one_line(event.rule),
            "label": None if event.label is None else one_line(event.label),
            "track": event.track,
            "time": when,
            "stream_time": event.time,
            "image": image,
            **_from_data(event.data),
        }
        names = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        with self._errors():
            self._database.execute(
                f"INSERT OR IGNORE INTO events ({names}) VALUES ({places})",  # noqa: S608
                values,
            )

    def see(self, result: Result, when: float) -> None:
        """Count the objects in a frame, and in each zone.

        Args:
            result: of the frame.
            when: s since 1970, or in stream time.
        """
        minute = minute_of(when)
        if minute != self._minute:
            self._end_minute()
            self._minute = minute
        labels = (result.label(number) for number in result.tracks.classes.tolist())
        self._objects.add(Counter(map(one_line, labels)))
        self._zones.add(_in_zones(result.measures))
        now = time.monotonic()
        if now - self._committed >= COMMIT_EVERY_S:
            self._committed = now
            self._put_minute()
            with self._errors():
                if now - self._cleaned >= CLEAN_EVERY_S:
                    self._cleaned = now
                    self._clean(when)
                self._database.commit()

    def commit(self) -> None:
        """Write what was added, for readers."""
        with self._errors():
            self._database.commit()

    def close(self) -> None:
        """Write what is left."""
        with self._errors():
            self._end_minute()
            self._database.commit()
            self._database.close()

    def _end_minute(self) -> None:
        self._put_minute()
        self._objects, self._zones = Levels(), Levels()

    def _put_minute(self) -> None:
        """Write the minute so far."""
        minute = self._minute
        if minute is None or not self._objects.frames:
            return
        objects = [(minute, *row) for row in self._objects] or [(minute, "", 0, 0)]
        zones = [(minute, *key, mean, peak) for key, mean, peak in self._zones]
        put = "INSERT OR REPLACE INTO"
        with self._errors():
            self._database.executemany(f"{put} objects VALUES (?, ?, ?, ?)", objects)
            self._database.executemany(f"{put} zones VALUES (?, ?, ?, ?, ?)", zones)

    def _clean(self, now: float) -> None:
        for table in ("events", "objects", "zones"):
            self._database.execute(f"DELETE FROM {table} WHERE time < ?", (now - self._keep,))  # noqa: S608
        newest = self._database.execute("SELECT max(number) FROM events").fetchone()[0] or 0
        self._database.execute(
            "UPDATE events SET image = NULL WHERE number <= ? AND image IS NOT NULL",
            (newest - MAX_IMAGES,),
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise SinkError(f"cannot write the history {str(self.path)!r}: {error}") from error


def _in_zones(measures: Mapping[Measure, float]) -> Counter[tuple[str, str]]:
    """Objects by zone and label, and by zone with the label ""."""
    counts: Counter[tuple[str, str]] = Counter()
    for measure, value in measures.items():
        if measure.name == "zone_objects":
            of = dict(measure.labels)
            zone, label = one_line(of.get("zone", "")), one_line(of.get("label", ""))
            counts[zone, label] += int(value)
            counts[zone, ""] += int(value)
    return counts


def _from_data(data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in FROM_DATA.items():
        value = data.get(name)
        if kind is str and isinstance(value, str):
            found[name] = one_line(value)
        elif kind is float and isinstance(value, int | float):
            found[name] = float(value)
    return found


def minute_of(time: float) -> int:
    """Start of the minute of a time, s."""
    return int(time // MINUTE_S) * MINUTE_S


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads, with rows as mappings.

    Raises:
        SinkError: the file cannot be read.
    """
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)
        ) as database:
            database.row_factory = sqlite3.Row
            yield database
    except sqlite3.Error as error:
        raise SinkError(f"cannot read the history: {error}") from error


def rows(
    database: sqlite3.Connection, query: str, values: Mapping[str, Any]
) -> Sequence[sqlite3.Row]:
    """All rows of a query."""
    return database.execute(query, values).fetchall()
