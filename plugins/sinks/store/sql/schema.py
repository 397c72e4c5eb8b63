"""The tables of a database, and the version of their schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from vidan.errors import SinkError

from ..tables import SCHEMA_TABLE, TABLES

VERSION = 2
"""Of the schema: increased with each change, for which MIGRATIONS gets a function."""

TYPES: Mapping[type, TypeEngine[Any]] = {
    str: Text(),
    int: BigInteger().with_variant(Integer(), "sqlite"),
    float: Double(),
    bool: Boolean(),
    datetime: DateTime(timezone=True),  # SQLite has no time zones: it is UTC
    dict: JSON().with_variant(JSONB(), "postgresql"),
}

METADATA = MetaData()

SQL_TABLES = {
    table.name: Table(
        table.name,
        METADATA,
        *(
            Column(
                column.name,
                TYPES[column.type],
                primary_key=column.name in table.key,
                autoincrement=False,
            )
            for column in table.columns
        ),
    )
    for table in TABLES.values()
}

EVENTS_BY_TIME = Index(
    "vidan_events_by_time", SQL_TABLES["events"].c.kind, SQL_TABLES["events"].c.timestamp
)

SCHEMA = Table(SCHEMA_TABLE, METADATA, Column("version", Integer, nullable=False))

LOCK = 0x7669_6461_6E  # "vidan"
"""Number of the lock that one process at a time has while it changes the schema of PostgreSQL."""


def _to_2(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE runs ADD COLUMN version TEXT"))
    EVENTS_BY_TIME.create(connection)


MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {1: _to_2}
"""By version, what changes that schema to the next one; data are kept."""


def prepare(connection: Connection) -> None:
    """Create the tables, or migrate those of an older version, within the transaction.

    Raises:
        SinkError: the tables are those of a newer version, or of another program.
        SQLAlchemyError: the database refuses it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    version = found_version(connection)
    if version is None:
        METADATA.create_all(connection)
        connection.execute(SCHEMA.insert().values(version=VERSION))
        return
    if version > VERSION:
        raise SinkError(newer(version))
    for older in range(version, VERSION):
        MIGRATIONS[older](connection)
    if version < VERSION:
        connection.execute(SCHEMA.update().values(version=VERSION))


def newer(version: int) -> str:
    """What to tell about a version of the schema that this vidan does not know."""
    return (
        f"the database has version {version} of the schema, and this vidan knows {VERSION}: "
        "update vidan, or choose another database"
    )


def found_version(connection: Connection) -> int | None:
    """The version of the tables that are there; None if there are none.

    Raises:
        SinkError: there are tables of these names without one.
    """
    found = set(inspect(connection).get_table_names())
    if SCHEMA.name in found:
        version: int | None = connection.execute(select(SCHEMA.c.version)).scalar()
        if version is not None:
            return version
    others = sorted(found & set(SQL_TABLES))
    if others:
        raise SinkError(
            f"the database has a table {others[0]!r} of another program: choose another database"
        )
    return None
