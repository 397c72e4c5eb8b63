"""The tables that `sink=sql` and `sink=parquet` write: their columns and keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column.

    Attributes:
        name: of the column.
        type: str, int, float, bool, datetime, or dict for JSON.
        meaning: what its values are, for the documentation.
    """

    name: str
    type: type
    meaning: str


class Table(NamedTuple):
    """A table.

    Attributes:
        name: of the table.
        key: columns that tell a row from all others.
        columns: those of the key, and the others, which may be null.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


class Row(NamedTuple):
    """A row on its way to a store.

    Attributes:
        table: name of the table.
        values: by column; those that are left out are null.
    """

    table: str
    values: Mapping[str, Any]


SCHEMA_TABLE = "vidan_schema"
"""Table of `sink=sql` with the version of the others."""

RUN = Column("run", str, "id of the run; the same when it is resumed")
STREAM = Column("stream", str, "name of the stream")

RUNS = Table(
    "runs",
    ("run", "stream"),
    (
        RUN,
        STREAM,
        Column("began", datetime, "when the run started, UTC"),
        Column("ended", datetime, "when it ended, UTC; null during the run, and if it was killed"),
        Column("live", bool, "whether the source is a camera"),
        Column("frames", int, "frames so far"),
        Column("time", float, "stream time of the last frame, s"),
        Column("width", int, "width of the images, px"),
        Column("height", int, "height of the images, px"),
        Column("version", str, "version of vidan"),
    ),
)

EVENTS = Table(
    "events",
    ("run", "stream", "number"),
    (
        RUN,
        STREAM,
        Column("number", int, "of the event in the run, from 1, in the order of publication"),
        Column("id", str, "of the event; the events of an interval, such as a visit, share it"),
        Column("kind", str, "what happened, such as `line.crossed`"),
        Column("phase", str, "`point`, or `start`, `update` or `end` of an interval"),
        Column("rule", str, "name of the line, zone or analyzer"),
        Column("time", float, "when it happened, stream time, s"),
        Column("timestamp", datetime, "when it happened, UTC; null if that is not known"),
        Column("frame", int, "index of the frame"),
        Column("track", int, "id of the track; null if the event is not about one"),
        Column("label", str, "of the object; null if the event is not about one"),
        Column("x1", float, "left edge of its box, px"),
        Column("y1", float, "upper edge, px"),
        Column("x2", float, "right edge, px"),
        Column("y2", float, "lower edge, px"),
        Column("x", float, "where it happened, px"),
        Column("y", float, "where it happened, px"),
        Column("direction", str, "of a crossing: `in` or `out`"),
        Column("joined", bool, "whether two broken tracks count as one object"),
        Column("delay", float, "how much later the event became known, s"),
        Column("dwell", float, "duration of a visit that ended, s"),
        Column("duration", float, "of another interval that ended, s"),
        Column("origin", str, "where a flow began"),
        Column("destination", str, "where a flow ended"),
        Column("seconds", float, "duration of a flow, s"),
        Column("data", dict, "everything in the event's `data`"),
    ),
)

TRACKS = Table(
    "tracks",
    ("run", "stream", "track", "first_frame"),
    (
        RUN,
        STREAM,
        Column("track", int, "id of the track"),
        Column("first_frame", int, "index of the first frame in which it was detected"),
        Column("last_frame", int, "of the last one"),
        Column("label", str, "of the object, as of the last detection"),
        Column("first_time", float, "stream time of the first detection, s"),
        Column("last_time", float, "of the last one, s"),
        Column("first_timestamp", datetime, "date and time of the first detection, UTC, or null"),
        Column("last_timestamp", datetime, "of the last one, UTC, or null"),
        Column("first_x1", float, "left edge of the box of the first detection, px"),
        Column("first_y1", float, "upper edge, px"),
        Column("first_x2", float, "right edge, px"),
        Column("first_y2", float, "lower edge, px"),
        Column("last_x1", float, "left edge of the box of the last detection, px"),
        Column("last_y1", float, "upper edge, px"),
        Column("last_x2", float, "right edge, px"),
        Column("last_y2", float, "lower edge, px"),
        Column("frames", int, "frames in which it was detected"),
        Column("mean_score", float, "mean score of the detections, 0 to 1"),
        Column("path_length", float, "length of the path of the lower edge's center, px"),
    ),
)

COUNTS = Table(
    "counts",
    ("run", "stream", "number"),
    (
        RUN,
        STREAM,
        Column("number", int, "of the row in the run, from 1"),
        Column("time", float, "when the interval begins, stream time, s"),
        Column("timestamp", datetime, "when the interval begins, UTC; null if that is not known"),
        Column("interval", float, "length of the interval, s"),
        Column("type", str, "`line`, `zone` or `flow`"),
        Column("name", str, "of the line or zone; for a flow, where it begins"),
        Column("direction", str, "across a line: `in` or `out`"),
        Column("destination", str, "where a flow ends"),
        Column("label", str, "of the objects"),
        Column("count", int, "crossings, completed flows, or objects that entered the zone"),
        Column("exited", int, "objects that left the zone"),
        Column("passed", int, "objects that moved through it without a visit"),
        Column("visits", int, "visits that ended"),
        Column("mean_dwell", float, "mean duration of these, s"),
        Column("max_objects", int, "most objects in the zone at a time"),
    ),
)

TABLES = {table.name: table for table in (RUNS, EVENTS, TRACKS, COUNTS)}
