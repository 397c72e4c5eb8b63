"""MOTChallenge's text formats: detections, tracks and ground truth.

All files of boxes have one row per box, with the numbers separated by commas:

    det.txt      frame, -1, left, top, width, height, score[, x, y, z]
    tracks       frame, id, left, top, width, height, score[, class, visibility, -1]
    gt.txt       frame, id, left, top, width, height, 1, class, visibility

Frames and classes count from 1, lengths are px; x, y and z, of 3D tracking, are ignored. In a file
of tracks, class and visibility are mostly -1; a visibility of 0 is that of a predicted box.
Source: Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", arXiv 1603.00831, section 4.4
and table 5.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vidan.errors import SinkError, SourceError

Array = npt.NDArray[np.float64]

FRAME, ID, BOX, SCORE, CLASS, VISIBILITY = 0, 1, slice(2, 6), 6, 7, 8
"""Columns of a row."""

FLAG = SCORE
"""Column of a gt.txt, 0 for what is to be ignored."""

PEDESTRIAN = 1
"""Class of the people that benchmarks count."""

MIN_DET_COLUMNS, MAX_DET_COLUMNS = 7, 10
"""Number of columns of a det.txt."""

TRUTH_COLUMNS = 9
"""Number of columns of a gt.txt since MOT16, with class and visibility; MOT15 has 10, or 7."""

TRACK_COLUMNS = 10
"""Number of columns of a file of tracks."""

IMAGES_FOLDER = "img1"
"""Folder of a sequence's images, unless its seqinfo.ini names another."""

_Lines = list[tuple[int, str]]  # numbers from 1, and texts

_MAX_FRAME = 2**53  # largest whole number up to which float64 represents all
_MAX_VALUE = 1e30  # the corners of a box remain finite in single precision
_MAX_SHOWN = 60  # characters of a line in an error

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MotTable:
    """Rows of numbers and their places in a file.

    Attributes:
        path: the file.
        values: (N,M) float64.
        places: (N,) int64, line numbers of a text from 1, or rows of an array from 0.
        unit: `line` or `row`.
    """

    path: Path
    values: Array
    places: npt.NDArray[np.int64]
    unit: str

    def where(self, row: int) -> str:
        """File and place of a row, for errors."""
        place = int(self.places[row])
        return f"{self.path}:{place}" if self.unit == "line" else f"{self.path}: row {place}"

    def reject(self, wrong: npt.ArrayLike, expected: str) -> None:
        """Raise an error for the first row in a mask (N,) bool.

        Raises:
            SourceError: there is one.
        """
        rows = np.flatnonzero(wrong)
        if rows.size:
            row = int(rows[0])
            got = ",".join(f"{value:g}" for value in self.values[row, : SCORE + 1])
            raise SourceError(f"{self.where(row)}: {expected}, got {got}")


def read_detections(path: Path) -> MotTable:
    """All rows of a det.txt: at least one, with 7 to 10 columns and boxes of any size.

    Raises:
        SourceError: the file cannot be read, or a row is invalid; names the line.
    """
    lines = _read_lines(path, "detections")
    if not lines:
        raise SourceError(f"the detections {str(path)!r} hold no rows")
    columns = lines[0][1].count(",") + 1
    values = [_detection(f"{path}:{number}", line, columns) for number, line in lines]
    table = MotTable(path, np.array(values), np.array([number for number, _ in lines]), "line")
    check_rows(table)
    return table


def check_rows(table: MotTable) -> None:
    """Check that numbers are finite and frames are whole numbers from 1.

    Raises:
        SourceError: names the first invalid row.
    """
    values = table.values[:, : SCORE + 1]
    frames = values[:, FRAME]
    table.reject((~(np.abs(values) <= _MAX_VALUE)).any(axis=1), "expected finite numbers")
    valid = (frames >= 1) & (frames <= _MAX_FRAME) & (frames % 1 == 0)
    table.reject(~valid, "expected a frame number of at least 1")


def has_area(table: MotTable) -> npt.NDArray[np.bool_]:
    """Which boxes (N,) have an area; warns about those that have none."""
    good = np.asarray((table.values[:, 4:6] > 0).all(axis=1))
    if not good.all():
        logger.warning(
            "%s: expected a width and height above 0: ignoring this and %d more of %d rows",
            table.where(int(np.flatnonzero(~good)[0])),
            int((~good).sum()) - 1,
            len(good),
        )
    return good


def read_tracks(path: Path) -> Array:
    """The rows of a file of tracks: (N,10), by frame, then id; -1 for missing columns.

    Raises:
        SourceError: the file cannot be read, or is not in this format.
    """
    return read_track_table(path).values


def read_track_table(path: Path) -> MotTable:
    """As `read_tracks`, with the numbers of the lines.

    Raises:
        SourceError: the file cannot be read, or is not in this format.
    """
    return _track_table(path, _read_lines(path, "tracks"))


def _track_table(path: Path, lines: _Lines) -> MotTable:
    values = (_track(f"{path}:{n}", line) for n, line in lines)
    rows = np.fromiter(values, np.dtype((np.float64, TRACK_COLUMNS)), len(lines))
    order = np.lexsort((rows[:, ID], rows[:, FRAME]))
    rows = rows[order]
    duplicate = (rows[1:, :2] == rows[:-1, :2]).all(axis=1)
    if duplicate.any():
        frame, track = rows[int(np.flatnonzero(duplicate)[0]), :2]
        raise SourceError(f"{path}: track {track:g} has two boxes in frame {frame:g}")
    places = np.array([number for number, _ in lines], np.int64)[order]
    return MotTable(path, np.asarray(rows), places, "line")


def has_classes(truth: Path) -> bool:
    """Whether a gt.txt has classes and visibilities, as since MOT16.

    Raises:
        SourceError: it cannot be read.
    """
    return _have_classes(_read_lines(truth, "ground truth"))


def _have_classes(lines: _Lines) -> bool:
    return bool(lines) and lines[0][1].count(",") + 1 == TRUTH_COLUMNS


def read_people(path: Path) -> Array:
    """The rows of a gt.txt that count as people: (N,10), by frame, then id.

    Without classes everyone counts and is fully visible.

    Raises:
        SourceError: the file cannot be read, or is not in this format.
    """
    lines = _read_lines(path, "tracks")
    rows = _track_table(path, lines).values
    rows = rows[rows[:, FLAG] == 1]
    if not _have_classes(lines):
        rows[:, CLASS], rows[:, VISIBILITY] = PEDESTRIAN, 1.0
    return np.asarray(rows[rows[:, CLASS] == PEDESTRIAN])


def write_tracks(path: Path, rows: Array) -> None:
    """Write rows (N,10) of tracks; the folder is created.

    Raises:
        SinkError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, rows, fmt="%d,%d,%.2f,%.2f,%.2f,%.2f,%.4f,%g,%g,%g")
    except OSError as error:
        raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error


def track_line(
    index: int,
    track: int,
    xywh: Sequence[float],
    score: float,
    class_number: int = -1,
    visibility: float = -1,
) -> str:
    """A line of a file of tracks, or of a det.txt with -1 for `track`; without a line break.

    Boxes are exact to 1e-6 px and scores to float32, so that detections have the same tracks, and
    tracks the same events, when they are read again.

    Args:
        index: of the frame, from 0.
        track: id of the track.
        xywh: left, top, width and height of the box, px.
        score: in [0,1].
        class_number: from 1; -1 for none.
        visibility: 0 for a predicted box; -1 if it is not known.
    """
    texts = [f"{value:.6f}" for value in xywh]
    box = ",".join(text[:-4] + text[-4:].rstrip("0") for text in texts)  # 2 to 6 decimals
    exact = np.format_float_positional(np.float32(score), min_digits=4)
    return f"{index + 1},{track},{box},{exact},{class_number},{visibility:g},-1"


def truth_line(
    index: int, track: int, xywh: Sequence[float], class_index: int, visibility: float
) -> str:
    """A line of a gt.txt, without a line break.

    Args:
        index: of the frame, from 0.
        track: id of the object.
        xywh: left, top, width and height of the box, px.
        class_index: from 0.
        visibility: visible fraction of the object, in [0,1].
    """
    left, top, width, height = xywh
    box = f"{left:.2f},{top:.2f},{width:.2f},{height:.2f}"
    return f"{index + 1},{track},{box},1,{class_index + 1},{visibility:.3f}"


def last_frame(path: Path) -> int:
    """The highest frame number, from 1, in a file of boxes; 0 without rows.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        return max((int(float(line.split(",")[0])) for line in lines if line.strip()), default=0)
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {str(path)!r}: {error}") from error


def _read_lines(path: Path, content: str) -> _Lines:
    """The lines that are not blank, with their numbers from 1; `content` is for errors.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SourceError(f"cannot read the {content} {str(path)!r}: {reason}") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _detection(where: str, line: str, columns: int) -> list[float]:
    fields = line.split(",")
    if not MIN_DET_COLUMNS <= len(fields) <= MAX_DET_COLUMNS:
        raise SourceError(
            f"{where}: expected {MIN_DET_COLUMNS} to {MAX_DET_COLUMNS} numbers separated by commas "
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


def _track(where: str, line: str) -> list[float]:
    try:
        values = [float(field) for field in line.split(",")[:TRACK_COLUMNS]]
    except ValueError:
        values = []
    complete = len(values) >= BOX.stop and bool(np.isfinite(values).all())
    if not complete or values[0] < 1 or values[0] % 1 or values[1] % 1 or min(values[4:6]) < 0:
        raise SourceError(
            f"{where}: {_short(line)!r} is not a track: expected frame,id,left,top,width,height,..."
        )
    return values + [-1.0] * (TRACK_COLUMNS - len(values))


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= _MAX_SHOWN else line[:_MAX_SHOWN] + "…"
