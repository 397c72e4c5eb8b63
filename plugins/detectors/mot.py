"""Detections that were made before, from a MOTChallenge file."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.boxes import xywh_to_xyxy
from vidan.errors import ConfigError
from vidan.types import Detections, Frame

from ..formats.mot import (
    BOX,
    FRAME,
    MIN_DET_COLUMNS,
    SCORE,
    MotTable,
    has_area,
    read_detections,
)
from ..formats.mot_features import Features, match, read_features

logger = logging.getLogger(__name__)


class MotDetector:
    """Gives each frame the detections that a file holds for it, in the file's order.

    A frame with index i gets the rows of frame i + 1, whatever its stream. FloatArray are as in
    the file, also where they reach beyond the image. Scores that are no probabilities,
    some being outside [0,1], are mapped there by the logistic function.

    Args:
        path: a MOTChallenge `det.txt`; None where the features' file has the boxes.
        features: an `.npy` whose rows are the columns of `det.txt`, then an appearance vector.
        feature_column: where the vector begins in a row, from 0; None to find out.
        label: of every detection.
        min_score: rows with a lower score, as it stands in the file, are left out; None: none.

    Attributes:
        labels: the one label.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: a file cannot be read, or a row of it makes no sense; names file and line.
    """

    def __init__(
        self,
        path: str | None = None,
        features: str | None = None,
        feature_column: int | None = None,
        label: str = "person",
        min_score: float | None = None,
    ) -> None:
        lowest = -np.inf if min_score is None else options.number("detector.min_score", min_score)
        self.labels = (options.text("detector.label", label),)
        table, vectors = _read(path, features, feature_column)
        scores = table.values[:, SCORE]
        wanted = np.flatnonzero(has_area(table) & (scores >= lowest))
        # Sorted by frame; within a frame the file's order stays.
        rows = wanted[np.argsort(table.values[wanted, FRAME], kind="stable")]
        self._frames = table.values[rows, FRAME]
        self._detections = Detections(
            xywh_to_xyxy(table.values[rows, BOX]).astype(np.float32),
            _probabilities(scores, str(table.path))[rows],
            np.zeros(len(rows), np.int32),
            None if vectors is None else vectors[rows],
        )

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame; none for frames that the file does not know."""
        return [self._of(frame.index + 1) for frame in frames]

    def close(self) -> None:
        """Nothing to release."""

    def _of(self, number: int) -> Detections:
        first, end = np.searchsorted(self._frames, [number, number + 1])
        return self._detections[np.arange(first, end)]


def _read(
    path: str | None, features: str | None, feature_column: int | None
) -> tuple[MotTable, Features | None]:
    """The detections of either file, or of both, and their features (N,D)."""
    column = feature_column
    if column is not None:
        column = options.whole("detector.feature_column", column, MIN_DET_COLUMNS)
    table = None if path is None else read_detections(options.path("detector.path", path))
    if features is None and table is None:
        raise ConfigError("detector.path is missing: say detector.path=<det.txt>")
    if features is None:
        assert table is not None
        return table, None
    columns = None if table is None else table.values.shape[1]
    described, vectors = read_features(options.path("detector.features", features), column, columns)
    return (described, vectors) if table is None else (table, vectors[match(table, described)])


def _probabilities(scores: npt.NDArray[np.float64], path: str) -> npt.NDArray[np.float32]:
    """Scores (N,) in [0,1]: as they are if all of them lie there, else their logistic."""
    if ((scores >= 0) & (scores <= 1)).all():
        return scores.astype(np.float32)
    logger.info("%s: scores %g to %g mapped to [0,1]", path, scores.min(), scores.max())
    # exp of -|x| cannot overflow.
    small = np.exp(-np.abs(scores))
    return np.asarray(np.where(scores >= 0, 1, small) / (1 + small), np.float32)
