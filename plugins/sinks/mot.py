"""Results in the text format of MOTChallenge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from vidan.boxes import xyxy_to_xywh
from vidan.types import Result

from ..formats.mot import track_line
from .textfile import TextFile


class MotFile:
    """Writes lines of `frame,id,x,y,width,height,score,-1,-1,-1`.

    Frames count from 1; x and y are the top-left corner of the box, and all four are in px.

    Args:
        path: output file.
        boxes: `tracks`, or `detections` for a det.txt of MOTChallenge, where every id is -1.

    Raises:
        SinkError: the file cannot be opened or, later, written.
    """

    lossless = True

    def __init__(self, path: str, boxes: Literal["tracks", "detections"] = "tracks") -> None:
        self._file = TextFile(path)
        self._tracks = boxes == "tracks"

    def write(self, result: Result) -> None:
        """Write the lines of one frame."""
        self._file.write(self._lines(result))

    @property
    def outputs(self) -> list[str]:
        """The path of the file."""
        return [self._file.path]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _lines(self, result: Result) -> Iterator[str]:
        found = result.tracks if self._tracks else result.detections
        ids = result.tracks.ids.tolist() if self._tracks else [-1] * len(found)
        boxes = xyxy_to_xywh(found.boxes.astype(float)).tolist()
        for track, box, score in zip(ids, boxes, found.scores, strict=True):
            yield track_line(result.frame.index, track, box, score)
