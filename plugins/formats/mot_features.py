"""Reads the appearance vectors that DeepSORT adds to detections.

Each row of its `.npy` is a row of `det.txt`, followed by the numbers of a vector.
"""

from __future__ import annotations

import logging
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from vidan.errors import ConfigError, SourceError

from .mot import BOX, FEWEST, FRAME, MOST, Table, check_rows

_SAME = 0.01  # px: the text may have been written with fewer digits than the array
_EVEN = 8  # lengths of appearance vectors are multiples of it: 64, 128, 512

_COLUMNS = [FRAME, *range(BOX.start, BOX.stop)]
_NO_ARRAY = "it is no .npy file of numbers, or cut off"

logger = logging.getLogger(__name__)

Features = npt.NDArray[np.float32]


def read_features(path: Path, wanted: int | None, columns: int | None) -> tuple[Table, Features]:
    """All rows of such a file, N at least 1: the detections, and their vectors (N,D).

    Args:
        path: the `.npy`.
        wanted: where the vector begins in a row; None to find out.
        columns: of the `det.txt` that belongs to it; None if there is none.

    Raises:
        SourceError: it cannot be read, or a row of it makes no sense.
        ConfigError: where the vector begins cannot be found out, or is no column.
    """
    table = _read_array(path)
    start = _feature_column(path, table.values.shape[1], columns, wanted)
    check_rows(table)
    features = table.values[:, start:].astype(np.float32)
    table.refuse(~np.isfinite(features).all(axis=1), "expected finite features")
    return table, features


def match(detections: Table, described: Table) -> npt.NDArray[np.intp]:
    """For each row (N,) of a det.txt, the row of the features' file with that frame and box.

    Both hold the same detections, though perhaps in another order.

    Raises:
        SourceError: they do not.
    """
    ours, theirs = detections.values, described.values
    if len(ours) != len(theirs):
        raise SourceError(
            f"{str(detections.path)!r} has {len(ours)} rows and {str(described.path)!r} has "
            f"{len(theirs)}: they do not belong together; leave out detector.path to take the "
            "boxes from the features' file too"
        )
    for order in (_by_frame, _by_box):
        left, right = order(ours), order(theirs)
        different = (np.abs(ours[left] - theirs[right, : ours.shape[1]]) > _SAME)[:, _COLUMNS]
        matched = np.empty(len(left), np.intp)
        matched[left] = right
        if not different.any():
            return matched
    row = int(left[different.any(axis=1)].min())
    raise SourceError(
        f"{detections.where(row)}: {str(described.path)!r} has no features for this detection: "
        "the two files do not belong together"
    )


def _by_frame(values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    return np.argsort(values[:, FRAME], kind="stable")


def _by_box(values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    left, top, width, height = values[:, BOX].T
    return np.lexsort((height, width, top, left, values[:, FRAME]))


def _read_array(path: Path) -> Table:
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
            f"the features {str(path)!r}: expected an array (N,M) of numbers with a row or more, "
            f"got ({','.join(map(str, values.shape))}) {values.dtype}"
        )
    return Table(path, values.astype(np.float64), np.arange(len(values)), "row")


def _feature_column(path: Path, width: int, columns: int | None, wanted: int | None) -> int:
    """Where the features begin in a row: as wanted, or so that their number is an even one."""
    if wanted is not None:
        if not FEWEST <= wanted < width:
            raise ConfigError(
                f"detector.feature_column={wanted!r}: expected {FEWEST} to {width - 1}, as the "
                f"rows of {str(path)!r} have {width} numbers"
            )
        return wanted
    even = [n for n in range(FEWEST, MOST + 1) if n < width and (width - n) % _EVEN == 0]
    found = even[0] if even else columns
    if found is None or found >= width:
        raise ConfigError(
            f"cannot tell where the features begin in the {width} numbers of a row of "
            f"{str(path)!r}: give detector.feature_column=<columns before them>"
        )
    logger.info("%s: %d features from column %d on", path, width - found, found)
    return found
