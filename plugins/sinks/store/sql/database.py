"""A connection to a database with vidan's tables."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, cast

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Insert,
    NullPool,
    Table,
    create_engine,
    event,
    exc,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from vidan.errors import SinkError

from ..tables import TABLES, Row
from .errors import explained, is_about_rows
from .schema import SQL_TABLES, prepare

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10
BUSY_TIMEOUT_S = 30.0
"""How long a SQLite file that another process writes is waited for, s."""

REVISED = ("runs", "tracks")
"""Tables whose rows are written again with new values; the others keep the first ones."""

RIGHTS = ("SELECT", "INSERT", "UPDATE")
"""What a role must be allowed to do with each table; with `max_age`, DELETE too."""

EXPIRE_EVERY_S = 600.0
"""How often rows that are too old are deleted, s."""

TIMES = {"events": "timestamp", "tracks": "last_timestamp", "counts": "timestamp"}
"""The column that tells how old a row is."""


class Database:
    """Writes rows; one that is there already is not added again.

    Used by one thread at a time.

    Args:
        url: of a SQLite file or a PostgreSQL server, with a driver that is installed.
        max_age: of rows with a known date and time, s; older ones are deleted.
    """

    def __init__(self, url: URL, max_age: float = math.inf) -> None:
        self._url = url
        self._max_age = max_age
        self._expired = -math.inf  # time.monotonic()
        self._engine = _engine(url)
        dialect = url.get_backend_name()
        self._inserts = {name: _insert(table, dialect) for name, table in SQL_TABLES.items()}
        self._connection: Connection | None = None
        self._reached = False

    def connect(self) -> None:
        """Connect, unless it is, and create or migrate the tables.

        Raises:
            DeliveryError: the server cannot be reached now.
            SinkError: it refuses, or the tables cannot be used.
        """
        if self._connection is not None:
            return
        try:
            self._connection = self._engine.connect()
            with self._connection.begin():
                prepare(self._connection)
                _check_rights(self._connection, RIGHTS + ("DELETE",) * self._expires)
        except BaseException as error:
            self.close()
            if isinstance(error, exc.SQLAlchemyError):
                raise explained(error, self._url, reached=self._reached) from error
            raise
        self._reached = True

    def write(self, rows: Sequence[Row]) -> int:
        """Write rows in one transaction.

        Returns:
            How many of them the database will never take; the others are written.

        Raises:
            DeliveryError: it cannot be reached now, and none of them was written.
            SinkError: it refuses them, and none of them was written.
        """
        if not rows:
            return 0
        self.connect()
        assert self._connection is not None
        try:
            try:
                written = self._write(self._connection, rows)
                self._expire(self._connection)
                return written
            except exc.DBAPIError as error:
                if not is_about_rows(error):
                    raise
                return self._write_each(self._connection, rows)
        except exc.SQLAlchemyError as error:
            self.close()
            raise explained(error, self._url) from error

    def delete_other_runs(self, run: str) -> None:
        """Delete the rows of all other runs.

        Raises:
            SinkError: the database refuses it.
        """
        self.connect()
        assert self._connection is not None
        try:
            with self._connection.begin():
                for table in SQL_TABLES.values():
                    self._connection.execute(table.delete().where(table.c.run != run))
        except exc.SQLAlchemyError as error:
            self.close()
            raise explained(error, self._url) from error

    def close(self) -> None:
        """End the connection; `connect` and `write` make a new one."""
        if self._connection is not None:
            with suppress(exc.SQLAlchemyError):  # it may be lost
                if self._url.get_backend_name() == "sqlite":
                    _leave_one_file(self._connection)
                self._connection.close()
            self._connection = None
        self._engine.dispose()

    @property
    def _expires(self) -> bool:
        return not math.isinf(self._max_age)

    def _expire(self, connection: Connection) -> None:
        """Delete the rows that are too old, if that is due."""
        if not self._expires or time.monotonic() < self._expired + EXPIRE_EVERY_S:
            return
        self._expired = time.monotonic()
        before = datetime.now(UTC) - timedelta(seconds=self._max_age)
        with connection.begin():
            for name, column in TIMES.items():
                table = SQL_TABLES[name]
                connection.execute(table.delete().where(table.c[column] < before))

    def _write(self, connection: Connection, rows: Iterable[Row]) -> int:
        with connection.begin():
            for name, group in groupby(rows, lambda row: row.table):
                table = SQL_TABLES[name]
                empty = dict.fromkeys(table.columns.keys())
                values = [empty | dict(row.values) for row in group]
                connection.execute(self._inserts[name], values)
        return 0

    def _write_each(self, connection: Connection, rows: Iterable[Row]) -> int:
        """Write the rows that can be, and count the others."""
        refused = 0
        for row in rows:
            try:
                self._write(connection, [row])
            except exc.DBAPIError as error:
                if not is_about_rows(error):
                    raise
                log.warning("%s", explained(error, self._url))
                refused += 1
        return refused


def _engine(url: URL) -> Engine:
    # No pool: there is one connection, and a lost one is not to be used again.
    if url.get_backend_name() == "postgresql":
        options: Mapping[str, Any] = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "vidan",
        }
        return create_engine(url, poolclass=NullPool, connect_args=dict(options))
    options = {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    engine = create_engine(url, poolclass=NullPool, connect_args=dict(options))
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _: object) -> None:
    """Let transactions be begun by us, and survive the process without waiting for the disk."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _leave_one_file(connection: Connection) -> None:
    """Without a log beside it, a SQLite file can be read where nothing can be written.

    Another process that uses it prevents this, which is harmless.
    """
    cursor = connection.connection.cursor()
    with suppress(Exception):
        cursor.execute("PRAGMA busy_timeout = 0")
        cursor.execute("PRAGMA journal_mode = DELETE")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin by waiting for other writers: later, SQLite could only give up."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _insert(table: Table, dialect: str) -> Insert:
    key = [column.name for column in table.primary_key]
    # Both dialects have the same method, and no common class that has it.
    make = postgresql.insert if dialect == "postgresql" else cast(Any, sqlite.insert)
    statement = make(table)
    if table.name not in REVISED:
        return cast(Insert, statement.on_conflict_do_nothing(index_elements=key))
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in key}
    return cast(Insert, statement.on_conflict_do_update(index_elements=key, set_=others))


def _check_rights(connection: Connection, rights: Sequence[str]) -> None:
    """See that rows can be written before the run starts.

    Raises:
        SinkError: the role lacks a right.
    """
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES:
        for right in rights:
            asked = text("SELECT has_table_privilege(:table, :right), current_user")
            found = connection.execute(asked, {"table": table, "right": right})
            allowed, role = tuple(found.one())
            if not allowed:
                raise SinkError(
                    f"the role {role!r} has no right to {right} in the table {table!r}: "
                    f"GRANT {', '.join(rights)} ON {', '.join(TABLES)} TO {role}"
                )
