"""The tracks of a file, frame by frame, as a tracker would return them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidan.boxes import xywh_to_xyxy
from vidan.errors import SourceError
from vidan.types import Detections, Result, Tracks

from ...formats.imageless import ImagelessFrame
from ...formats.mot import (
    BOX,
    CLASS,
    FRAME,
    ID,
    SCORE,
    VISIBILITY,
    Array,
    MotTable,
    check_rows,
    read_track_table,
)

log = logging.getLogger(__name__)

NOTHING = Detections.empty()


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of the rows of a file.

    Attributes:
        names: the labels.
        classes: for each class number in the file the index of its label; None: all rows have the
            first label.
    """

    names: tuple[str, ...]
    classes: Mapping[int, int] | None = None

    def indices(self, rows: Array) -> Array:
        """The index (N,) of the label of each row; -1 for a class without a label."""
        if self.classes is None:
            return np.zeros(len(rows))
        return np.array([self.classes.get(int(number), -1) for number in rows[:, CLASS]])


@dataclass(frozen=True, slots=True)
class TrackSequence:
    """The tracks of one sequence.

    Attributes:
        name: of the sequence.
        rows: (N,10), by frame.
        classes: (N,) indices of the labels.
        labels: the labels.
        rate: frames per second.
        size: width and height of the images, px.
        frames: number of frames.
    """

    name: str
    rows: Array
    classes: Array
    labels: tuple[str, ...]
    rate: float
    size: tuple[int, int]
    frames: int

    def results(self) -> Iterator[Result]:
        """The result of each frame, with or without tracks."""
        ends = np.searchsorted(self.rows[:, FRAME], np.arange(self.frames + 1) + 1).tolist()
        for index in range(self.frames):
            rows = slice(ends[index], ends[index + 1])
            tracks = _tracks(self.rows[rows], self.classes[rows])
            frame = ImagelessFrame.numbered(index, self.rate, self.name, self.size)
            yield Result(frame, NOTHING, tracks, self.labels)


def read_rows(path: Path, labels: Labels) -> tuple[Array, Array]:
    """The rows (N,10) of a file by frame, and the indices (N,) of their labels.

    Rows of ground truth that do not count in MOTChallenge, whose flag is 0, are left out, and so
    are classes without a label.

    Raises:
        SourceError: the file cannot be read, or is not one of tracks; names the line.
    """
    table = read_track_table(path)
    check_rows(table)
    _check_tracks(table)
    rows = table.values
    rows = rows[~((rows[:, CLASS] >= 1) & (rows[:, SCORE] == 0))]
    classes = labels.indices(rows)
    if len(rows) and not (classes >= 0).any():
        found = ", ".join(f"{number:g}" for number in np.unique(rows[:, CLASS]))
        raise SourceError(f"{path}: no row has a class with a label; there are: {found}")
    return rows[classes >= 0], classes[classes >= 0]


def _check_tracks(table: MotTable) -> None:
    """Check the ids, and that the rows of each are in order.

    Raises:
        SourceError: they are not; names the line.
    """
    ids = table.values[:, ID]
    table.reject((ids < 1) | (ids > 2**53), "expected a track id of at least 1")
    order = np.lexsort((table.places, ids))
    frames, ids = table.values[order, FRAME], ids[order]
    back = np.zeros(len(ids), bool)
    back[order[1:]] = (ids[1:] == ids[:-1]) & (frames[1:] < frames[:-1])
    table.reject(back, "expected the frames of a track in order: are these two sequences?")


def _tracks(rows: Array, classes: Array) -> Tracks:
    scores = np.where(rows[:, SCORE] < 0, 1.0, np.minimum(rows[:, SCORE], 1.0))
    predicted = rows[:, VISIBILITY] == 0
    return Tracks(
        rows[:, ID].astype(np.int64),
        xywh_to_xyxy(rows[:, BOX]).astype(np.float32),
        scores.astype(np.float32),
        classes.astype(np.int32),
        predicted.astype(np.int32),
        np.where(predicted, -1, np.arange(len(rows))).astype(np.int32),
    )
