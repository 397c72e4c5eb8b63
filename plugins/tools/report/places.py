"""Finds the events of runs."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from vidan.errors import SourceError
from vidan.options import expanded
from vidan.support.secrets import redacted

from ...sinks.store.tables import SCHEMA_TABLE
from ..batch.layout import MANIFEST

Kind = Literal["dataset", "database", "lines"]

LINES = "events.jsonl"

WAITING = "_waiting"
"""Folder in a dataset with the rows that are in no file yet."""

SQLITE = b"SQLite format 3\0"


class Place(NamedTuple):
    """Where events are.

    Attributes:
        kind: a Parquet `dataset`, a `database`, or `lines` of JSON.
        address: a path, or the URL of a database.
    """

    kind: Kind
    address: str

    def __str__(self) -> str:
        return redacted(self.address)


def is_url(text: str) -> bool:
    """Whether it is the URL of a database."""
    return re.match(r"[A-Za-z][\w+.-]*://", text) is not None


def find_places(source: str) -> list[Place]:
    """The places that a path or URL names.

    In a folder where several sinks have written the events of one run, only one of them counts: a
    dataset, else a database, else `events.jsonl`.

    Raises:
        SourceError: there is none.
    """
    if is_url(source):
        return [Place("database", source)]
    path = expanded(source)
    if not path.exists():
        raise SourceError(f"{source!r}: there is no such file or folder")
    found = list(_in_folder(path)) if path.is_dir() else [_of_file(path)]
    if not found:
        raise SourceError(
            f"{source!r}: there are no events in it: expected the output of sink=events, "
            "sink=sql or sink=parquet"
        )
    return found


def _of_file(path: Path) -> Place:
    if path.suffix == ".parquet":
        return Place("dataset", str(path))
    with path.open("rb") as file:
        is_database = file.read(len(SQLITE)) == SQLITE
    return Place("database" if is_database else "lines", str(path))


def _in_folder(top: Path) -> Iterator[Place]:
    for name, folders, files in os.walk(top):
        folder = Path(name)
        folders.sort()
        if _is_dataset(folder):
            folders.clear()
            yield Place("dataset", name)
            continue
        datasets = [each for each in folders if _is_dataset(folder / each)]
        folders[:] = [each for each in folders if each not in datasets]
        if datasets and MANIFEST in files:
            folders.clear()  # the datasets of its single files are in there too
        if datasets:
            yield from (Place("dataset", str(folder / each)) for each in datasets)
            continue
        databases = [
            Place("database", str(folder / file))
            for file in sorted(files)
            if file.endswith((".sqlite", ".db")) and _has_events(folder / file)
        ]
        if databases:
            yield from databases
        elif LINES in files:
            yield Place("lines", str(folder / LINES))


def _has_events(path: Path) -> bool:
    """Whether it is a database of sink=sql: other parts of vidan keep databases of their own."""
    if _of_file(path).kind != "database":
        return False
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
        try:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return (SCHEMA_TABLE,) in tables.fetchall()
        except sqlite3.DatabaseError:
            return True  # damaged: reading it reports the error


def _is_dataset(folder: Path) -> bool:
    """Whether it is the folder of a dataset, or its folder `events`."""
    if (folder / WAITING).is_dir():
        return True
    events = folder if folder.name == "events" else folder / "events"
    return any(path.is_dir() for path in events.glob("date=*"))
