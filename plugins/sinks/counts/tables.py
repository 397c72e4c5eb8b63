"""Tables that can be read while they are written."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from vidan.errors import ConfigError
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.support.text import csv_cell

from ..parquet_file import ParquetFormat, Row
from ..textfiles import TextFiles

REWRITE_AFTER_S = 10.0
"""A Parquet file is written at most this often, s."""

MAX_ROWS = 50_000
"""In one Parquet file: the rows of one file are in memory."""


class Table(Protocol):
    """A file of rows."""

    def resume_from(self, journal: RunJournal) -> None:
        """Delete the files of the interrupted run that a new one would not replace."""
        ...

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows.

        Raises:
            SinkError: the file cannot be written.
        """
        ...

    @property
    def outputs(self) -> list[str]:
        """Paths of the files."""
        ...

    def close(self) -> None:
        """Write what is left; a second call does nothing."""
        ...


class CsvTable:
    """Comma-separated values; each row is written at once, and survives a kill of the process.

    Args:
        path: of the file; an existing one is replaced. With `keep`, see TextFiles.
        columns: types by name.
        keep: how much is kept; None for one file with everything.

    Raises:
        ConfigError: `keep` is no limit.
        SinkError: the file cannot be opened.
    """

    def __init__(self, path: str, columns: Mapping[str, type], keep: Keep = None) -> None:
        self._columns = list(columns)
        self._files = TextFiles(path, keep, _csv_line(self._columns))

    def resume_from(self, journal: RunJournal) -> None:
        """See Table."""
        self._files.resume_from(journal)

    def add(self, rows: Sequence[Row]) -> None:
        """See Table."""
        if rows:
            self._files.write(_csv_line([row.get(name) for name in self._columns]) for row in rows)

    @property
    def outputs(self) -> list[str]:
        """See Table."""
        return list(self._files.paths)

    def close(self) -> None:
        """See Table."""
        self._files.close()


class ParquetTable:
    """Parquet files that are replaced as a whole, so that each can be read at any time.

    A file with MAX_ROWS is complete; the rows after it are in `<name>.part2.parquet`, and so on.

    Args:
        path: of the first file; existing ones are replaced.
        columns: types by name: str, int, float or datetime.

    Raises:
        ConfigError: pyarrow is not installed.
        SinkError: the file cannot be written.
    """

    def __init__(self, path: str, columns: Mapping[str, type]) -> None:
        self._format = ParquetFormat(path, columns)
        self._path = Path(path)
        self._parts: list[Path] = []
        self._rows: list[Row] = []
        self._changed = True
        self._written = time.monotonic()
        self._start_part()
        self._write()
        self._delete_other_parts()

    def resume_from(self, _: RunJournal) -> None:
        """See Table: they have the same names."""

    def add(self, rows: Sequence[Row]) -> None:
        """See Table."""
        self._rows += rows
        self._changed = self._changed or bool(rows)
        if len(self._rows) >= MAX_ROWS:
            self._write()
            self._start_part()
        elif time.monotonic() - self._written >= REWRITE_AFTER_S:
            self._write()

    @property
    def outputs(self) -> list[str]:
        """See Table."""
        return [str(path) for path in self._parts]

    def close(self) -> None:
        """See Table."""
        self._write()

    def _start_part(self) -> None:
        number = len(self._parts) + 1
        suffix = f".part{number}.parquet" if number > 1 else ".parquet"
        self._parts.append(self._path.with_suffix(suffix))
        self._rows, self._changed = [], number == 1

    def _write(self) -> None:
        """Replace the file of the current part by one with all of its rows."""
        if not self._changed:
            return
        self._changed = False  # also after a failure: closing does not retry
        self._format.write(self._parts[-1], self._rows)
        self._written = time.monotonic()

    def _delete_other_parts(self) -> None:
        """Delete the further parts of an earlier file of this name, which would be read with it."""
        own = re.compile(re.escape(self._path.stem) + r"\.part\d+\.parquet")
        for path in self._path.parent.iterdir():
            if own.fullmatch(path.name):
                path.unlink()


def open_table(path: str, columns: Mapping[str, type], keep: Keep = None) -> Table:
    """A table in the format that the suffix names.

    Raises:
        ConfigError: it is neither `.csv` nor `.parquet`, `keep` is no limit or set for Parquet, or
            pyarrow is not installed.
        SinkError: the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".csv":
        return CsvTable(path, columns, keep)
    if suffix == ".parquet" and keep is not None:
        raise ConfigError(f"keep={keep!r}: set a path with .csv, or use sink=parquet, which has it")
    if suffix == ".parquet":
        return ParquetTable(path, columns)
    raise ConfigError(f"path={path!r}: expected .csv or .parquet")


def _csv_line(values: Sequence[Any]) -> str:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="")
    writer.writerow([v.isoformat() if isinstance(v, datetime) else csv_cell(v) for v in values])
    return line.getvalue()
