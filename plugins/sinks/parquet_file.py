"""Parquet files of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from vidan.support.extras import import_extra
from vidan.support.replace import replaced

from .errors import write_error

Row = Mapping[str, Any]
"""Values by column; a datetime, a number, a text, true or false, or None."""


class ParquetFormat:
    """Writes files that have the same columns, each complete at any time.

    Args:
        path: value of the option `path`, for errors.
        columns: types by name: str, int, float, bool or datetime.

    Raises:
        PluginError: pyarrow is not installed.
    """

    def __init__(self, path: str, columns: Mapping[str, type]) -> None:
        why = f"path={path!r}"
        arrow = import_extra("pyarrow", "parquet", why)
        parquet = import_extra("pyarrow.parquet", "parquet", why)
        types = {
            str: arrow.string(),
            int: arrow.int64(),
            float: arrow.float64(),
            bool: arrow.bool_(),
            datetime: arrow.timestamp("us", tz="UTC"),
        }
        self._arrow, self._parquet = arrow, parquet
        self._schema = arrow.schema([(name, types[kind]) for name, kind in columns.items()])

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        """Write rows as a file, which replaces one of this name; its folder is created.

        Raises:
            SinkError: it cannot be written; the file is as it was.
        """
        table = self._arrow.Table.from_pylist(rows, schema=self._schema)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced(path) as part:
                self._parquet.write_table(table, part)
        except OSError as error:
            raise write_error(path, error) from error
