"""A partitioned Parquet dataset: files in folders that are named after what is in them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from vidan.journal import RunJournal
from vidan.retention import Keep, Limits

from ..errors import write_error
from ..parquet_file import ParquetFormat
from ..rotation import item_of
from .tables import COUNTS, EVENTS, TRACKS, Row

DATASET_TABLES = {table.name: table for table in (EVENTS, TRACKS, COUNTS)}
"""Tables of a dataset, by name."""

TIMESTAMPS = {EVENTS.name: "timestamp", TRACKS.name: "first_timestamp", COUNTS.name: "timestamp"}
"""Column of each table that its rows are partitioned by."""

_OWN_NAME = re.compile(r"part-([0-9a-z]+)-\d+\.parquet(\.part)?")
"""Name of a file, with the id of its run."""


class Partition(NamedTuple):
    """What the rows in one folder have in common.

    Attributes:
        table: name of the table.
        date: of the rows, in UTC.
        stream: name of the stream.
    """

    table: str
    date: str
    stream: str

    @property
    def folder(self) -> Path:
        """Where it is in the dataset; special characters of the stream are percent-encoded."""
        stream = quote(self.stream, safe=" ") or "__HIVE_DEFAULT_PARTITION__"
        return Path(self.table, f"date={self.date}", f"stream={stream}")


class Dataset:
    """Writes files `<table>/date=<date>/stream=<stream>/part-<run>-<number>.parquet`.

    Each file is complete at any time. Rows whose date and time are not known have the date on which
    their run began.

    Args:
        path: folder of the dataset.
        keep: how much of it is kept: see `vidan.retention.Limits.parse`.

    Raises:
        ConfigError: `keep` is invalid, or pyarrow is not installed.
    """

    def __init__(self, path: str, keep: Keep = None) -> None:
        self.root = Path(path)
        self._limits = Limits.parse("keep", keep)
        self._formats = {
            table.name: ParquetFormat(
                path,
                {
                    column.name: str if column.type is dict else column.type
                    for column in table.columns
                    if column.name != "stream"  # in the name of the folder
                },
            )
            for table in DATASET_TABLES.values()
        }
        self._job: RunJournal | None = None

    def write(self, rows: Sequence[Row], began: str, number: int) -> None:
        """Write rows of one run, as one file for each partition.

        Args:
            rows: of the tables of a dataset.
            began: date on which their run began, in UTC.
            number: of the files; those of the same run and number are replaced.

        Raises:
            SinkError: a file cannot be written.
        """
        parts: dict[Partition, list[Mapping[str, Any]]] = {}
        for row in rows:
            parts.setdefault(_partition(row, began), []).append(_file_values(row))
        for partition, values in parts.items():
            folder = self.root / partition.folder
            path = folder / f"part-{values[0]['run']}-{number}.parquet"
            if self._job is not None:
                self._job.note(path)
            self._formats[partition.table].write(path, values)

    def prune(self) -> None:
        """Delete the oldest files, also those of other runs, until the rest is within the limits.

        Raises:
            SinkError: a file cannot be deleted.
        """
        if self._limits.keeps_all:
            return
        items = [item for path in self._files() if (item := item_of(path))]
        self._delete(self._limits.surplus(items, time.time()))

    def resume_from(self, job: RunJournal) -> None:
        """Delete the files of an interrupted run, and record new ones in its journal."""
        self._job = job
        made = {str(path) for path in job.files}
        self._delete(p for p in self._files() if str(p.resolve()).removesuffix(".part") in made)

    def delete_other_runs(self, run: str) -> None:
        """Delete the files of other runs.

        Raises:
            SinkError: a file cannot be deleted.
        """
        self._delete(path for path in self._files() if _run_of(path) != run)

    def _files(self) -> Iterator[Path]:
        """The files of the dataset; no symbolic links."""
        for table in DATASET_TABLES:
            for path in self.root.glob(f"{table}/date=*/stream=*/part-*"):
                if _OWN_NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                    yield path

    def _delete(self, paths: Iterable[Path]) -> None:
        for path in list(paths):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise write_error(path, error, "choose another path") from error
            with suppress(OSError):  # it has other files
                path.parent.rmdir()
                path.parent.parent.rmdir()


def _run_of(path: Path) -> str:
    found = _OWN_NAME.fullmatch(path.name)
    assert found is not None
    return found[1]


def _partition(row: Row, began: str) -> Partition:
    when = row.values.get(TIMESTAMPS[row.table])
    date = f"{when:%Y-%m-%d}" if isinstance(when, datetime) else began
    return Partition(row.table, date, row.values["stream"])


def _file_values(row: Row) -> Mapping[str, Any]:
    """The values as they are in a file: JSON is text."""
    data = row.values.get("data")
    if data is None:
        return row.values
    return {**row.values, "data": json.dumps(data, ensure_ascii=False, allow_nan=False)}


def check_folder(path: Path) -> None:
    """Create the folder of a dataset.

    Raises:
        SinkError: it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error, "choose another path") from error
