"""Loads events from files and databases into DuckDB."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from vidan.errors import SourceError
from vidan.events import CROSSED, ENTERED, EXITED, FLOW, PASSED
from vidan.support.extras import import_extra

from .places import WAITING, Place, is_url

KINDS = (CROSSED, ENTERED, EXITED, PASSED, FLOW)
"""The kinds of events that questions are about."""

COLUMNS = {
    "run": "VARCHAR",
    "stream": "VARCHAR",
    "number": "BIGINT",
    "kind": "VARCHAR",
    "rule": "VARCHAR",
    "time": "DOUBLE",
    "timestamp": "TIMESTAMPTZ",
    "label": "VARCHAR",
    "direction": "VARCHAR",
    "dwell": "DOUBLE",
    "origin": "VARCHAR",
    "destination": "VARCHAR",
    "seconds": "DOUBLE",
}

BATCH = 10_000
"""Rows that are in memory at a time."""

_LINE_COLUMNS = {
    **dict.fromkeys(("id", "kind", "phase", "stream", "rule"), "VARCHAR"),
    "time": "DOUBLE",
    "frame": "BIGINT",
    "track": "BIGINT",
    "label": "VARCHAR",
    "box": "DOUBLE[]",
    "at": "DOUBLE[]",
    "data": "JSON",
}


def load(places: Iterable[Place]) -> Any:
    """A DuckDB connection with a table `stored` of the events.

    Raises:
        PluginError: duckdb is not installed.
        VidanError: a place cannot be read.
    """
    duckdb = import_extra("duckdb", "report")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE stored ({columns})")
    loaders = {"lines": _load_lines, "dataset": _load_dataset, "database": _load_database}
    for place in places:
        try:
            loaders[place.kind](connection, place.address)
        except (duckdb.Error, sqlite3.Error, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            raise SourceError(f"cannot read the events of {str(place)!r}: {reason}") from error
    return connection


def _load_lines(connection: Any, path: str) -> None:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _LINE_COLUMNS.items())
    numbers = ", ".join(
        f"TRY_CAST(data->>'{name}' AS DOUBLE) AS {name}" for name in ("dwell", "seconds")
    )
    connection.execute(
        f"""
        INSERT INTO stored BY NAME
        SELECT ? AS run, stream, row_number() OVER () AS number, kind, rule, time, label, {numbers},
               data->>'direction' AS direction, data->>'origin' AS origin,
               data->>'destination' AS destination
        FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}})
        """,  # noqa: S608 - constants
        [path, path],
    )


def _load_dataset(connection: Any, path: str) -> None:
    folder = Path(path)
    files = [folder] if folder.is_file() else _files(folder)
    if files:
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        # `vidan batch` has no folder for each stream, but a column.
        stream = ", 'stream': VARCHAR" if files[0].parent.name.startswith("stream=") else ""
        connection.execute(
            f"""
            INSERT INTO stored BY NAME
            SELECT {names} FROM read_parquet(
                ?, hive_partitioning = true, union_by_name = true,
                hive_types = {{'date': DATE{stream}}}
            )
            """,  # noqa: S608 - constants
            [[str(file) for file in files]],
        )
    for waiting in folder.glob(f"{WAITING}/*.sqlite"):
        _insert(connection, _waiting(waiting))


def _files(folder: Path) -> list[Path]:
    top = folder / "events" if (folder / "events").is_dir() else folder
    return sorted(top.glob("date=*/**/*.parquet"))


def _waiting(path: Path) -> Iterator[tuple[Any, ...]]:
    """The events that `sink=parquet` has not yet written into a file of the dataset."""
    from ...sinks.store.parquet import DECODER

    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        for (content,) in database.execute("SELECT content FROM waiting ORDER BY number"):
            row = DECODER.decode(content).row
            if row.table == "events":
                yield tuple(row.values.get(name) for name in COLUMNS)


def _load_database(connection: Any, address: str) -> None:
    import_extra("sqlalchemy", "report")
    from ...sinks.store.sql.address import database_url, file_url
    from ...sinks.store.sql.reading import read_events

    url = database_url(address) if is_url(address) else file_url(address)
    _insert(connection, read_events(url, list(COLUMNS), KINDS))


def _insert(connection: Any, rows: Iterable[tuple[Any, ...]]) -> None:
    """Add rows with the values of COLUMNS; a time without a zone is UTC, as in SQLite."""
    arrow = import_extra("pyarrow", "report")
    types = {
        "VARCHAR": arrow.string(),
        "BIGINT": arrow.int64(),
        "DOUBLE": arrow.float64(),
        "TIMESTAMPTZ": arrow.timestamp("us", tz="UTC"),
    }
    schema = arrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    left = iter(rows)
    while some := list(islice(left, BATCH)):
        columns = dict(zip(COLUMNS, zip(*some, strict=True), strict=True))
        connection.register("batch", arrow.Table.from_pydict(columns, schema=schema))
        connection.execute("INSERT INTO stored BY NAME SELECT * FROM batch")
        connection.unregister("batch")
