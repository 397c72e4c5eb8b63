"""Results in the text format of MOTChallenge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from vidan.boxes import xyxy_to_xywh
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.types import Result

from ..formats.mot import track_line
from .textfiles import TextFiles


class MotFile:
    """Writes lines of `frame,id,x,y,width,height,score,class,visibility,-1`.

    Frames count from 1; x and y are the top-left corner of the box, and all four are in px. The
    visibility is 0 if the tracker predicted the box, else -1.

    Args:
        path: output file; with `keep`, the folder and pattern of several, which have `-{time}` in
            front of the suffix.
        boxes: `tracks`, or `detections` for a det.txt of MOTChallenge, where every id is -1.
        classes: whether to write the number of the class, from 1; else it is -1. MOTChallenge's
            own evaluation only accepts class 1, pedestrians.
        keep: maximum total size (`10GB`), age (`30d`) or number of the files, or several of
            them by name; None for one file with everything.

    Raises:
        ConfigError: `keep` is no limit.
        SinkError: the file cannot be opened or, later, written.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        boxes: Literal["tracks", "detections"] = "tracks",
        classes: bool = False,
        keep: Keep = None,
    ) -> None:
        self._files = TextFiles(path, keep)
        self._tracks = boxes == "tracks"
        self._classes = classes

    def resume_from(self, journal: RunJournal) -> None:
        """See `Resumable`."""
        self._files.resume_from(journal)

    def write(self, result: Result) -> None:
        """Write the lines of one frame."""
        self._files.write(self._lines(result))

    @property
    def outputs(self) -> list[str]:
        """The paths of the files."""
        return list(self._files.paths)

    def close(self) -> None:
        """Close the file."""
        self._files.close()

    def _lines(self, result: Result) -> Iterator[str]:
        found = result.tracks if self._tracks else result.detections
        ids = result.tracks.ids if self._tracks else np.full(len(found), -1)
        numbers = np.where(self._classes & (found.classes >= 0), found.classes + 1, -1)
        predicted = result.tracks.detection < 0 if self._tracks else np.zeros(len(found), bool)
        rows = zip(
            ids.tolist(),
            xyxy_to_xywh(found.boxes.astype(float)).tolist(),
            found.scores.tolist(),
            numbers.tolist(),
            np.where(predicted, 0, -1).tolist(),
            strict=True,
        )
        for row in rows:
            yield track_line(result.frame.index, *row)
