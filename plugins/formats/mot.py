"""Reads detections as MOTChallenge writes them.

A row of `det.txt` is `frame, id, left, top, width, height, score`, then up to three numbers
that only ground truth and 3D tracking use. Frames count from 1, lengths are px.
Source: Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", arXiv 1603.00831, table 5.
"""

from __future__ import annotations

import configparser
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vidan.errors import SourceError

FEWEST, MOST = 7, 10
"""Columns of a row of det.txt."""


FRAME, BOX, SCORE = 0, slice(2, 6), 6
"""Where they are in a row."""


_LAST_FRAME = 2**53  # beyond, a double does not hold every whole number


_LARGEST = 1e30  # so that corners, too, are finite in single precision


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of numbers and where they stand in a file.

    Attributes:
        path: the file.
        values: (N,M) float64.
        places: (N,) int64, lines of a text from 1, or rows of an array from 0.
        unit: `line` or `row`.
    """

    path: Path
    values: npt.NDArray[np.float64]
    places: npt.NDArray[np.int64]
    unit: str

    def where(self, row: int) -> str:
        """File and place of a row, for errors."""
        place = int(self.places[row])
        return f"{self.path}:{place}" if self.unit == "line" else f"{self.path}: row {place}"

    def refuse(self, wrong: npt.ArrayLike, expected: str) -> None:
        """Raise for the first of the rows that are wrong, a mask (N,) bool.

        Raises:
            SourceError: there is one.
        """
        rows = np.flatnonzero(wrong)
        if rows.size:
            row = int(rows[0])
            got = ",".join(f"{value:g}" for value in self.values[row, : SCORE + 1])
            raise SourceError(f"{self.where(row)}: {expected}, got {got}")


def read_lines(path: Path, what: str) -> list[tuple[int, str]]:
    """The lines of a text that are not blank, each with its number from 1; `what` is for errors.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SourceError(f"cannot read the {what} {str(path)!r}: {reason}") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def read_detections(path: Path) -> Table:
    """All rows of a det.txt: 7 to 10 columns, at least one row, boxes of any size.

    Raises:
        SourceError: it cannot be read, or a row of it makes no sense; names the line.
    """
    rows = read_lines(path, "detections")
    if not rows:
        raise SourceError(f"the detections {str(path)!r} hold no rows")
    columns = rows[0][1].count(",") + 1
    values = [_numbers(f"{path}:{number}", line, columns) for number, line in rows]
    table = Table(path, np.array(values), np.array([number for number, _ in rows]), "line")
    check_rows(table)
    return table


def _numbers(where: str, line: str, columns: int) -> list[float]:
    fields = line.split(",")
    if not FEWEST <= len(fields) <= MOST:
        raise SourceError(
            f"{where}: expected {FEWEST} to {MOST} numbers with commas between "
            f"(frame,id,left,top,width,height,score,…), got {len(fields)}: {_short(line)!r}"
        )
    if len(fields) != columns:
        raise SourceError(
            f"{where}: expected {columns} numbers as in the first row, got {len(fields)}: is the "
            f"file cut off?"
        )
    try:
        return [float(field) for field in fields]
    except ValueError as error:
        raise SourceError(f"{where}: expected numbers, got {_short(line)!r}") from error


def check_rows(table: Table) -> None:
    """Refuse rows whose numbers make no sense.

    Raises:
        SourceError: naming the first.
    """
    values = table.values[:, : SCORE + 1]
    frames = values[:, FRAME]
    table.refuse((~(np.abs(values) <= _LARGEST)).any(axis=1), "expected finite numbers")
    whole = (frames >= 1) & (frames <= _LAST_FRAME) & (frames % 1 == 0)
    table.refuse(~whole, "expected a frame from 1 on")


def have_area(table: Table) -> npt.NDArray[np.bool_]:
    """Which boxes (N,) have an area; says how many have none, and where the first is."""
    good = np.asarray((table.values[:, 4:6] > 0).all(axis=1))
    if not good.all():
        logger.warning(
            "%s: a width and height above 0 expected: left out this and %d more of %d rows",
            table.where(int(np.flatnonzero(~good)[0])),
            int((~good).sum()) - 1,
            len(good),
        )
    return good


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= 60 else line[:60] + "…"


def read_seqinfo(file: Path) -> Mapping[str, str]:
    """The `[Sequence]` of a seqinfo.ini, its keys in lower case; {} if there is none."""
    info = configparser.ConfigParser(interpolation=None)
    try:
        info.read(file, encoding="utf-8")
        return dict(info["Sequence"]) if "Sequence" in info else {}
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"cannot read {str(file)!r}: {reason}: mend or remove it") from error
