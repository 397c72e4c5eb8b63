"""Convert results for other libraries: supervision, PyArrow and pandas.

These libraries are not installed with vidan.

    from vidan.convert import to_pandas, to_supervision
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .support.extras import import_extra
from .types import Detections, Result, Tracks, label_of

COLUMNS = (
    "stream", "frame", "time", "id", "label", "score", "x1", "y1", "x2", "y2", "misses",
)  # fmt: skip
"""Columns of a table of results, with a row for each track in each frame: `frame` is the frame
index, `time` the stream time in s, the box is in px, and `misses` is the number of frames since the
last detection of the track. Detections without a track have a row without an id."""


def to_supervision(found: Detections | Tracks, labels: Sequence[str] = ()) -> Any:
    """Detections or tracks as `supervision.Detections`.

    Args:
        found: the ids of tracks become `tracker_id`; class -1 (uncertain) stays -1.
        labels: the label of each class, as in `Result.labels`; they become `data["class_name"]`.

    Raises:
        PluginError: supervision is not installed.
    """
    supervision = import_extra("supervision", None)
    names = [label_of(c, labels) for c in found.classes.tolist()]
    return supervision.Detections(
        xyxy=found.boxes.copy(),
        confidence=found.scores.copy(),
        class_id=found.classes.astype(int),
        tracker_id=found.ids.astype(int) if isinstance(found, Tracks) else None,
        data={"class_name": np.array(names)} if labels else {},
    )


def from_supervision(found: Any) -> Detections:
    """`supervision.Detections` as detections, for a detector around a model that returns those.

    Missing scores become 1, missing classes 0.

    Raises:
        ValueError: a score is outside [0,1].
    """
    count = len(found)
    scores = found.confidence
    classes = found.class_id
    return Detections(
        np.asarray(found.xyxy, np.float32).reshape(-1, 4),
        np.ones(count, np.float32) if scores is None else np.asarray(scores, np.float32),
        np.zeros(count, np.int32) if classes is None else np.asarray(classes, np.int32),
    )


def to_arrow(results: Iterable[Result]) -> Any:
    """Results as a `pyarrow.Table` with `COLUMNS`.

    Raises:
        PluginError: pyarrow is not installed.
    """
    return import_extra("pyarrow", "parquet").table(_columns(results))


def to_pandas(results: Iterable[Result]) -> Any:
    """Results as a `pandas.DataFrame` with `COLUMNS`.

    Raises:
        PluginError: pandas is not installed.
    """
    frame = import_extra("pandas", None).DataFrame(_columns(results))
    return frame.astype({"id": "Int64"})  # detections without a track have none


def _columns(results: Iterable[Result]) -> dict[str, list[Any]]:
    rows = [row for result in results for row in _rows(result)]
    return {name: [row[i] for row in rows] for i, name in enumerate(COLUMNS)}


def _rows(result: Result) -> Iterator[tuple[Any, ...]]:
    """The tracks of a frame, then the detections without a track."""
    frame, found, tracks = result.frame, result.detections, result.tracks
    start = (frame.stream, frame.index, frame.time)
    of_tracks = zip(
        tracks.ids.tolist(), tracks.classes.tolist(), tracks.scores.tolist(),
        tracks.boxes.tolist(), tracks.misses.tolist(), strict=True,
    )  # fmt: skip
    for identity, class_index, score, box, misses in of_tracks:
        yield (*start, identity, result.label(class_index), score, *box, misses)
    claimed = set(tracks.detection.tolist())
    for row in range(len(found)):
        if row not in claimed:
            label = result.label(int(found.classes[row]))
            yield (*start, None, label, float(found.scores[row]), *found.boxes[row].tolist(), 0)
