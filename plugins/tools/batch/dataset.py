"""One Parquet dataset of the files of a batch job."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from vidan.errors import SinkError
from vidan.support.extras import import_extra

from ...sinks.store.dataset import DATASET_TABLES
from .layout import DATASET, FILES

ROWS = 100_000
"""Rows that are in memory at a time."""


def merge(
    run_dir: Path,
    files: Iterable[str],
    progress: Callable[[Iterable[str]], Iterable[str]] = lambda names: names,
) -> Path:
    """Merge the datasets of files into one, which replaces an earlier one.

    Its files are `<table>/date=<date>/part-0.parquet`; `stream` is a column, since as many folders
    as there are streams would make it slow to read.

    Args:
        run_dir: of the batch job.
        files: their names, in the order of the rows.
        progress: shows how many are done.

    Returns:
        Its folder.

    Raises:
        PluginError: pyarrow is not installed.
        SinkError: it cannot be read or written.
    """
    part, whole = run_dir / f"{DATASET}.part", run_dir / DATASET
    arrow_error = import_extra("pyarrow", "parquet").ArrowException
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        with ExitStack() as stack:
            writers = Writers(part, stack)
            for name in progress(files):
                for table, date, stream, path in _parts(run_dir / FILES / name / DATASET):
                    writers.add(table, date, stream, path)
            writers.flush()
        if whole.exists():
            shutil.rmtree(whole)
        part.rename(whole)
    except (OSError, arrow_error) as error:
        raise SinkError(f"cannot write {str(whole)!r}: {error}") from error
    return whole


def _parts(folder: Path) -> Iterator[tuple[str, str, str, Path]]:
    """Table, date, stream and path of each file of a dataset."""
    for table in DATASET_TABLES:
        for path in sorted(folder.glob(f"{table}/date=*/stream=*/part-*.parquet")):
            stream = path.parent.name.partition("=")[2]
            date = path.parent.parent.name.partition("=")[2]
            yield table, date, unquote(stream), path


class Writers:
    """Writes one file for each table and date.

    Args:
        root: folder of the dataset.
        stack: closes the files.
    """

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self._arrow = import_extra("pyarrow", "parquet")
        self._parquet = import_extra("pyarrow.parquet", "parquet")
        self._root, self._stack = root, stack
        self._open: dict[tuple[str, str], Any] = {}
        self._tables: dict[tuple[str, str], list[Any]] = {}
        self._rows = 0

    def add(self, table: str, date: str, stream: str, path: Path) -> None:
        """Add the rows of a file."""
        found = self._parquet.ParquetFile(path).read()
        column = self._arrow.array([stream] * len(found), self._arrow.string())
        found = found.add_column(1, "stream", column)
        self._tables.setdefault((table, date), []).append(found)
        self._rows += len(found)
        if self._rows >= ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the rows so far."""
        for (table, date), tables in self._tables.items():
            whole = self._arrow.concat_tables(tables)
            if (table, date) not in self._open:
                folder = self._root / table / f"date={date}"
                folder.mkdir(parents=True, exist_ok=True)
                writer = self._parquet.ParquetWriter(folder / "part-0.parquet", whole.schema)
                self._open[table, date] = self._stack.enter_context(writer)
            self._open[table, date].write_table(whole)
        self._tables.clear()
        self._rows = 0
