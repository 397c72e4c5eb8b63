"""Precomputed detections from a MOTChallenge file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from vidan import options
from vidan.boxes import xywh_to_xyxy
from vidan.errors import ConfigError, SourceError
from vidan.labels import Rename, Renaming
from vidan.support.score_scale import COMMON
from vidan.types import Detections, Frame

from ..formats.mot import (
    BOX,
    CLASS,
    FRAME,
    MIN_DET_COLUMNS,
    SCORE,
    MotTable,
    has_area,
    read_detections,
)
from ..formats.mot_features import Features, match, read_features

logger = logging.getLogger(__name__)

Label = Annotated[str, Meta(min_length=1)]


class MotDetector:
    """Returns the detections that a file has for each frame, in the file's order.

    A frame with index i gets the rows of frame i + 1, whatever its stream. Boxes are those of the
    file, even if they reach beyond the image. If some scores are outside [0,1], all of them are
    mapped to it by the logistic function.

    Args:
        path: a MOTChallenge `det.txt`; None if the features file has the boxes too.
        features: an `.npy` whose rows are the columns of `det.txt`, then an appearance vector.
        feature_column: first column of the vector, from 0; None to infer it.
        label: of every detection; or the label of each class in column 8, which counts from 1,
            as `sink=mot` writes it with `classes: true`.
        rename: new names of labels, such as `{"car": "vehicle"}`; None as a name leaves a label
            out.
        min_score: minimum score, as in the file; None to keep all rows.

    Attributes:
        labels: the label, or the labels, by their new names.
        own_labels: the labels in `label` that each of them stands for.
        score_scale: the common one: the scores are used as they are.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: a file cannot be read, or a row is invalid; names file and line.
    """

    score_scale = COMMON

    def __init__(
        self,
        path: str | None = None,
        features: str | None = None,
        feature_column: Annotated[int, Meta(ge=MIN_DET_COLUMNS)] | None = None,
        label: Label | Annotated[list[Label], Meta(min_length=1)] = "person",
        rename: Rename | None = None,
        min_score: float | None = None,
    ) -> None:
        renaming = Renaming([label] if isinstance(label, str) else label, rename)
        self.labels, self.own_labels = renaming.labels, renaming.origins
        table, vectors = _read(path, features, feature_column)
        scores = table.values[:, SCORE]
        lowest = -np.inf if min_score is None else min_score
        kept = np.flatnonzero(has_area(table) & (scores >= lowest))
        own = _classes(table, kept, None if isinstance(label, str) else len(label))
        classes = renaming.classes[own]
        kept, classes = kept[classes >= 0], classes[classes >= 0]
        # Sorted by frame; within a frame the file's order stays.
        order = np.argsort(table.values[kept, FRAME], kind="stable")
        rows = kept[order]
        self._frames = table.values[rows, FRAME]
        self._detections = Detections(
            xywh_to_xyxy(table.values[rows, BOX]).astype(np.float32),
            _probabilities(scores, str(table.path))[rows],
            classes[order],
            None if vectors is None else vectors[rows],
        )

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame; none for frames that are not in the file."""
        return [self._rows_of(frame.index + 1) for frame in frames]

    def close(self) -> None:
        """There is nothing to release."""

    def _rows_of(self, number: int) -> Detections:
        first, end = np.searchsorted(self._frames, [number, number + 1])
        return self._detections[np.arange(first, end)]


def _read(
    path: str | None, features: str | None, feature_column: int | None
) -> tuple[MotTable, Features | None]:
    """The detections of either file, or of both, and their features (N,D)."""
    table = None if path is None else read_detections(options.path("path", path))
    if features is None and table is None:
        raise ConfigError("path: missing, set detector.path=<det.txt>")
    if features is None:
        assert table is not None
        return table, None
    columns = None if table is None else table.values.shape[1]
    file = options.path("features", features)
    described, vectors = read_features(file, feature_column, columns)
    return (described, vectors) if table is None else (table, vectors[match(table, described)])


def _classes(
    table: MotTable, rows: npt.NDArray[np.intp], count: int | None
) -> npt.NDArray[np.int32]:
    """Class indices (K,) of rows: those in the file if there are `count` of them, else 0.

    Raises:
        SourceError: the file has no classes, or another one; names the line.
    """
    if count is None:
        return np.zeros(len(rows), np.int32)
    values = table.values
    if values.shape[1] <= CLASS:
        raise SourceError(f"{table.path} has no classes in column 8: set label=<one label>")
    numbers = values[:, CLASS]
    wrong = np.zeros(len(values), np.bool_)
    wrong[rows] = ~np.isin(numbers[rows], np.arange(1, count + 1))
    table.reject(wrong, f"expected a class from 1 to {count} in column 8")
    return (numbers[rows] - 1).astype(np.int32)


def _probabilities(scores: npt.NDArray[np.float64], path: str) -> npt.NDArray[np.float32]:
    """Scores (N,) mapped to [0,1] by the logistic function, unless all are in [0,1]."""
    if ((scores >= 0) & (scores <= 1)).all():
        return scores.astype(np.float32)
    logger.info("%s: scores %g to %g mapped to [0,1]", path, scores.min(), scores.max())
    # exp of -|x| cannot overflow.
    small = np.exp(-np.abs(scores))
    return np.asarray(np.where(scores >= 0, 1, small) / (1 + small), np.float32)
