"""The manifest of a batch job: the state of each file."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vidan.errors import ConfigError, SinkError

from .files import InputFile
from .job import Outcome

VERSION = 1

COMMIT_S = 1.0
"""How often changes are committed. What a crash loses, the outputs of the files tell."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    version INTEGER NOT NULL,
    began REAL NOT NULL,           -- when the job first started, s since 1970
    configuration TEXT NOT NULL    -- JSON: a hash of each value, by its key
);
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    input TEXT NOT NULL,           -- hash of the file
    configuration TEXT NOT NULL,   -- hash of the configuration
    state TEXT NOT NULL,           -- waiting, done or failed
    attempts INTEGER NOT NULL,     -- that failed
    error TEXT,                    -- of the last attempt
    seconds REAL,                  -- how long it took
    worker TEXT,                   -- host and process
    summary TEXT,                  -- JSON: frames, detections, objects, events
    outputs TEXT                   -- JSON: paths in the run directory
) WITHOUT ROWID;
"""

State = Literal["waiting", "done", "failed"]


class Row(NamedTuple):
    """The state of a file.

    Attributes:
        name: of the file.
        path: of the file.
        input: hash of the file.
        state: of the file.
        attempts: number of attempts that failed.
        error: of the last attempt; None if it did not fail.
    """

    name: str
    path: str
    input: str
    state: State
    attempts: int
    error: str | None


class Manifest:
    """The table of files; for one process and thread.

    Args:
        path: of the SQLite file.
        configuration: what the outputs depend on: a hash of each value, by its key.
        digest: hash of the configuration.

    Attributes:
        began: when the batch job first started, s since 1970.

    Raises:
        ConfigError: it has files that were processed with another configuration.
        SinkError: it cannot be written.
    """

    def __init__(self, path: Path, configuration: dict[str, str], digest: str) -> None:
        self._path, self._digest = path, digest
        self._next_commit = 0.0
        try:
            self._connection = sqlite3.connect(path)
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(SCHEMA)
            self._check(configuration)
            ((self.began,),) = self._connection.execute("SELECT began FROM batch")
        except sqlite3.Error as error:
            raise SinkError(f"cannot write {str(path)!r}: {error}") from error

    def _check(self, configuration: dict[str, str]) -> None:
        """Check that the configuration is that of the files that are done."""
        found = self._connection.execute("SELECT version, configuration FROM batch").fetchone()
        done = self._connection.execute("SELECT 1 FROM files WHERE state = 'done'").fetchone()
        if found is not None and done is not None:
            version, text = found
            if version != VERSION:
                raise ConfigError(
                    f"run_dir={str(self._path.parent)!r} is of another version of vidan: choose "
                    "another folder"
                )
            if text == _json(configuration):
                return
            before = json.loads(text)
            both = before.keys() | configuration.keys()
            keys = sorted(key for key in both if before.get(key) != configuration.get(key))
            raise ConfigError(
                f"run_dir={str(self._path.parent)!r} has the outputs of another configuration "
                f"({', '.join(keys)}): choose another folder, or set the same values"
            )
        began = time.time()
        self._connection.execute("DELETE FROM batch")
        self._connection.execute("DELETE FROM files")
        values = VERSION, began, _json(configuration)
        self._connection.execute("INSERT INTO batch VALUES (?, ?, ?)", values)
        self._connection.commit()

    def add(self, files: Iterable[tuple[InputFile, str]], *, retry_failed: bool) -> None:
        """Add files with their hashes; one that has changed is to be processed again.

        Args:
            files: of the batch job.
            retry_failed: whether those that failed are to be processed again too.
        """
        rows = [(f.name, str(f.path), digest, self._digest) for f, digest in files]
        again = "OR files.state = 'failed'" if retry_failed else ""
        self._connection.executemany(
            f"""
            INSERT INTO files (name, path, input, configuration, state, attempts)
            VALUES (?, ?, ?, ?, 'waiting', 0)
            ON CONFLICT (name) DO UPDATE SET
                path = excluded.path, input = excluded.input, state = 'waiting', attempts = 0,
                error = NULL
            WHERE input != excluded.input {again}
            """,  # noqa: S608 - a constant
            rows,
        )
        self._connection.commit()

    def restart(self, names: Iterable[str]) -> None:
        """Let files wait as if they had never been tried."""
        self._connection.executemany(
            "UPDATE files SET state = 'waiting', attempts = 0, error = NULL WHERE name = ?",
            [(name,) for name in names],
        )
        self._connection.commit()

    def waiting(self) -> Iterator[Row]:
        """The files that are to be processed, in the order of their names."""
        return self._rows("waiting")

    def failed(self) -> Iterator[Row]:
        """The files that failed, in the order of their names."""
        return self._rows("failed")

    def _rows(self, state: State) -> Iterator[Row]:
        found = self._connection.execute(
            "SELECT name, path, input, state, attempts, error FROM files WHERE state = ? "
            "ORDER BY name",
            (state,),
        ).fetchall()
        return (Row(*values) for values in found)

    def done(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and summary of the files that are complete, in the order of their names."""
        found = self._connection.execute(
            "SELECT name, summary FROM files WHERE state = 'done' ORDER BY name"
        )
        return ((name, json.loads(text)) for name, text in found)

    def count(self) -> int:
        """Number of files."""
        ((count,),) = self._connection.execute("SELECT count(*) FROM files")
        return int(count)

    def record(self, name: str, state: State, attempts: int, outcome: Outcome) -> None:
        """Record what came of an attempt."""
        self._connection.execute(
            "UPDATE files SET state = ?, attempts = ?, error = ?, seconds = ?, worker = ?, "
            "summary = ?, outputs = ? WHERE name = ?",
            (
                state,
                attempts,
                outcome.error,
                outcome.seconds,
                outcome.worker,
                _json(outcome.summary),
                _json(outcome.outputs),
                name,
            ),
        )
        self.commit(COMMIT_S)

    def commit(self, at_most_every: float = 0.0) -> None:
        """Commit what has changed.

        Raises:
            SinkError: it cannot be written.
        """
        now = time.monotonic()
        if now < self._next_commit and at_most_every:
            return
        self._next_commit = now + at_most_every
        try:
            self._connection.commit()
        except sqlite3.Error as error:
            raise SinkError(f"cannot write {str(self._path)!r}: {error}") from error

    def close(self) -> None:
        """Commit and close it."""
        self.commit()
        self._connection.close()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True)
