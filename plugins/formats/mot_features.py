"""Appearance vectors of detections, in the `.npy` format of DeepSORT's release.

Each row holds a row of `det.txt`, followed by the numbers of the vector.
"""

from __future__ import annotations

import logging
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from vidan.errors import ConfigError, SourceError

from .mot import BOX, FRAME, MAX_DET_COLUMNS, MIN_DET_COLUMNS, MotTable, check_rows

_TOLERANCE_PX = 0.01  # the text may have been written with fewer digits than the array
_LENGTH_MULTIPLE = 8  # typical lengths of appearance vectors are multiples: 64, 128, 512

_COMPARED_COLUMNS = [FRAME, *range(BOX.start, BOX.stop)]
_NO_ARRAY = "it is no .npy file of numbers, or cut off"

logger = logging.getLogger(__name__)

Features = npt.NDArray[np.float32]


def read_features(path: Path, start: int | None, columns: int | None) -> tuple[MotTable, Features]:
    """All rows of a features file, N at least 1: the detections, and their vectors (N,D).

    Args:
        path: the `.npy`.
        start: column of the first number of the vector; None to detect it.
        columns: number of columns of the corresponding `det.txt`; None if there is none.

    Raises:
        SourceError: the file cannot be read, or a row is invalid.
        ConfigError: the start of the vector cannot be detected, or is not a column.
    """
    table = _read_array(path)
    start = _feature_column(path, table.values.shape[1], columns, start)
    check_rows(table)
    features = table.values[:, start:].astype(np.float32)
    table.reject(~np.isfinite(features).all(axis=1), "expected finite features")
    return table, features


def match(detections: MotTable, features: MotTable) -> npt.NDArray[np.intp]:
    """For each row (N,) of a det.txt, the row of the features file with that frame and box.

    Both hold the same detections, possibly in a different order.

    Raises:
        SourceError: they hold different detections.
    """
    ours, theirs = detections.values, features.values
    if len(ours) != len(theirs):
        raise SourceError(
            f"{str(detections.path)!r} has {len(ours)} rows and {str(features.path)!r} has "
            f"{len(theirs)}: they do not belong together; leave out detector.path to take the "
            "boxes from the features file too"
        )
    for order in (_by_frame, _by_box):
        left, right = order(ours), order(theirs)
        off = np.abs(ours[left] - theirs[right, : ours.shape[1]])
        different = (off > _TOLERANCE_PX)[:, _COMPARED_COLUMNS]
        matched = np.empty(len(left), np.intp)
        matched[left] = right
        if not different.any():
            return matched
    row = int(left[different.any(axis=1)].min())
    raise SourceError(
        f"{detections.where(row)}: {str(features.path)!r} has no features for this detection: "
        "the two files do not belong together"
    )


def _by_frame(values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    return np.argsort(values[:, FRAME], kind="stable")


def _by_box(values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    left, top, width, height = values[:, BOX].T
    return np.lexsort((height, width, top, left, values[:, FRAME]))


def _read_array(path: Path) -> MotTable:
    try:
        with path.open("rb") as file:
            values = np.load(file, allow_pickle=False)
    except OSError as error:
        reason = error.strerror or _NO_ARRAY
        raise SourceError(f"cannot read the features {str(path)!r}: {reason}") from error
    except (ValueError, EOFError, MemoryError, BadZipFile) as error:
        raise SourceError(f"cannot read the features {str(path)!r}: {_NO_ARRAY}") from error
    if not isinstance(values, np.ndarray):
        raise SourceError(f"cannot read the features {str(path)!r}: {_NO_ARRAY}")
    if values.ndim != 2 or values.dtype.kind not in "fiu" or not len(values):
        raise SourceError(
            f"the features {str(path)!r}: expected an array (N,M) of numbers with at least one "
            f"row, got ({','.join(map(str, values.shape))}) {values.dtype}"
        )
    return MotTable(path, values.astype(np.float64), np.arange(len(values)), "row")


def _feature_column(path: Path, width: int, columns: int | None, start: int | None) -> int:
    """Column where the features start: as given, or such that their number is a typical one."""
    if start is not None:
        if not MIN_DET_COLUMNS <= start < width:
            raise ConfigError(
                f"feature_column={start!r}: expected {MIN_DET_COLUMNS} to {width - 1}, since the "
                f"rows of {str(path)!r} have {width} numbers"
            )
        return start
    candidates = range(MIN_DET_COLUMNS, min(MAX_DET_COLUMNS + 1, width))
    typical = [n for n in candidates if (width - n) % _LENGTH_MULTIPLE == 0]
    found = typical[0] if typical else columns
    if found is None or found >= width:
        raise ConfigError(
            f"feature_column: cannot tell where the features start in the {width} numbers of a "
            f"row of {str(path)!r}: set feature_column=<number of columns before them>"
        )
    logger.info("%s: %d features from column %d", path, width - found, found)
    return found
