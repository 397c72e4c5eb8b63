"""Results as JSON, one line per frame."""

from __future__ import annotations

import json
from typing import Any

from vidan.boxes import FloatArray
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.types import Result

from .textfiles import TextFiles


class JsonLines:
    """Writes one line of JSON per frame.

    `{"stream", "frame", "time", "width", "height", "image"?,
    "detections": [{"box": [x1, y1, x2, y2], "score", "label"}],
    "tracks": [{"id", "box", "score", "label", "coasting"}]}`: `time` is stream time in s, boxes
    are in px of the source image, and `image` is the file name where the source reads image files.

    Args:
        path: output file; with `keep`, the folder and pattern of several, which have `-{time}` in
            front of the suffix.
        keep: maximum total size (`10GB`), age (`30d`) or number of the files, or several of
            them by name; None for one file with everything.

    Raises:
        ConfigError: `keep` is no limit.
        SinkError: the file cannot be opened or, later, written.
    """

    lossless = True

    def __init__(self, path: str, keep: Keep = None) -> None:
        self._files = TextFiles(path, keep)

    def resume_from(self, journal: RunJournal) -> None:
        """See `Resumable`."""
        self._files.resume_from(journal)

    def write(self, result: Result) -> None:
        """Write the line of one frame."""
        self._files.write([json.dumps(record(result), ensure_ascii=False, allow_nan=False)])

    @property
    def outputs(self) -> list[str]:
        """The paths of the files."""
        return list(self._files.paths)

    def close(self) -> None:
        """Close the file."""
        self._files.close()


def record(result: Result) -> dict[str, Any]:
    """The JSON object of a frame: boxes to 0.01 px, scores to 1e-4, time to 1 µs."""
    frame, found, tracks = result.frame, result.detections, result.tracks
    return {
        "stream": frame.stream,
        "frame": frame.index,
        "time": round(frame.time, 6),
        "width": frame.width,
        "height": frame.height,
        **({} if frame.filename is None else {"image": frame.filename}),
        "detections": [
            {"box": box, "score": score, "label": result.label(class_index)}
            for box, score, class_index in zip(
                _rounded(found.boxes, 2),
                _rounded(found.scores, 4),
                found.classes.tolist(),
                strict=True,
            )
        ],
        "tracks": [
            {
                "id": identity,
                "box": box,
                "score": score,
                "label": result.label(class_index),
                "coasting": misses > 0,
            }
            for identity, box, score, class_index, misses in zip(
                tracks.ids.tolist(),
                _rounded(tracks.boxes, 2),
                _rounded(tracks.scores, 4),
                tracks.classes.tolist(),
                tracks.misses.tolist(),
                strict=True,
            )
        ],
    }


def _rounded(values: FloatArray, decimals: int) -> Any:
    """Python floats, rounded; as float64, because 0.1 in float32 prints as 0.10000000149."""
    return values.astype(float).round(decimals).tolist()
