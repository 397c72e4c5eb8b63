"""A queue on disk that survives the process."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from vidan.errors import ConfigError

from ..errors import write_error

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- numbers are never used again
    content BLOB NOT NULL
)
"""


class Stored(NamedTuple):
    """An item of a spool.

    Attributes:
        number: its place in the order.
        content: what was appended.
    """

    number: int
    content: bytes


class Spool:
    """Items on disk in the order in which they were appended, for one process at a time.

    It may be used by several threads at once. What was appended survives if the process is killed;
    a power failure may take the last seconds with it, and leaves the rest readable.

    Args:
        path: of the SQLite file; its folder is created. One that is damaged is kept as
            `<path>.damaged`, and replaced by an empty one.
        limit: number of items beyond which the oldest are dropped, at least 1.

    Attributes:
        path: of the file.

    Raises:
        ConfigError: another run uses it.
        SinkError: it cannot be opened or, later, written.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self._limit = limit
        self._using = threading.Lock()
        self._lock = FileLock(f"{path}.lock", thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise ConfigError(
                f"spool={str(path)!r}: another run or sink uses it: set spool=<another file>"
            ) from error
        except OSError as error:
            raise write_error(path, error) from error
        try:
            self._connection, self._count = self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> tuple[sqlite3.Connection, int]:
        """The database, and how many items are in it."""
        try:
            return _connected(self.path)
        except sqlite3.OperationalError as error:
            raise write_error(self.path, error) from error
        except sqlite3.DatabaseError:
            kept = self.path.with_name(f"{self.path.name}.damaged")
            log.warning("%s is damaged: kept as %s; starting with an empty one", self.path, kept)
        try:
            self.path.replace(kept)
            for suffix in ("-wal", "-shm"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
            return _connected(self.path)
        except (OSError, sqlite3.Error) as error:
            raise write_error(self.path, error) from error

    def __len__(self) -> int:
        return self._count

    def append(self, contents: Sequence[bytes]) -> int:
        """Add items at the end.

        Returns:
            How many of the oldest were dropped to make room.

        Raises:
            SinkError: they cannot be written, as on a full disk; none of them was then added.
        """
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO waiting (content) VALUES (?)", [(content,) for content in contents]
            )
            excess = max(0, self._count + len(contents) - self._limit)
            if excess:
                database.execute(
                    "DELETE FROM waiting WHERE number IN "
                    "(SELECT number FROM waiting ORDER BY number LIMIT ?)",
                    (excess,),
                )
            self._count += len(contents) - excess
        return excess

    def first(self, count: int) -> list[Stored]:
        """The oldest items, which stay.

        Raises:
            SinkError: they cannot be read.
        """
        with self._transaction() as database:
            rows = database.execute(
                "SELECT number, content FROM waiting ORDER BY number LIMIT ?", (count,)
            )
            return [Stored(*row) for row in rows]

    def remove(self, number: int) -> None:
        """Remove the items up to a number.

        Raises:
            SinkError: it cannot be written.
        """
        with self._transaction() as database:
            removed = database.execute("DELETE FROM waiting WHERE number <= ?", (number,)).rowcount
            self._count -= removed

    def close(self) -> None:
        """Let another run have the file; a second call does nothing."""
        with self._using:
            self._connection.close()
        self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The database, changed as a whole or not at all within the block."""
        count = self._count
        try:
            with self._using, self._connection:
                yield self._connection
        except sqlite3.Error as error:
            self._count = count
            raise write_error(self.path, error) from error


def _connected(path: Path) -> tuple[sqlite3.Connection, int]:
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(SCHEMA)
        return connection, connection.execute("SELECT COUNT(*) FROM waiting").fetchone()[0]
    except BaseException:
        connection.close()
        raise
