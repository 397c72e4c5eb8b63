"""Reads events from a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, exc, select

from vidan.errors import SinkError, SourceError

from .errors import explained
from .schema import SQL_TABLES, VERSION, found_version, newer

BATCH = 10_000
"""Rows that are in memory at a time."""

CONNECT_TIMEOUT_S = 10


def read_events(
    url: URL, columns: Sequence[str], kinds: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """The values of the columns of events of some kinds; nothing is changed in the database.

    Args:
        url: of a SQLite file or a PostgreSQL server.
        columns: of the table `events`.
        kinds: of the events.

    Raises:
        SourceError: the database cannot be read, or has no events of vidan.
    """
    try:
        with closing(_engine(url).connect()) as connection:
            _check(connection)
            events = SQL_TABLES["events"]
            query = select(*(events.c[name] for name in columns)).where(events.c.kind.in_(kinds))
            found = connection.execution_options(yield_per=BATCH).execute(query)
            for row in found:
                yield tuple(row)
    except exc.SQLAlchemyError as error:
        raise SourceError(str(explained(error, url, reading=True, reached=False))) from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        arguments = {"connect_timeout": CONNECT_TIMEOUT_S}
        return create_engine(url, poolclass=NullPool, connect_args=arguments)
    file = Path(str(url.database)).resolve().as_uri()
    read_only = URL.create("sqlite", database=file, query={"mode": "ro", "uri": "true"})
    return create_engine(read_only, poolclass=NullPool)


def _check(connection: Connection) -> None:
    """See that the tables are those of vidan.

    Raises:
        SourceError: they are not, or of a newer version.
    """
    try:
        version = found_version(connection)
    except SinkError as error:
        raise SourceError(str(error)) from error
    if version is None:
        raise SourceError("the database has no events of vidan")
    if version > VERSION:
        raise SourceError(newer(version))
