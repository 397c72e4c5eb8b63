"""One row per track."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vidan.types import Result, label_of

GONE_S = 60.0
"""A track that has not been detected for so long has ended, s of stream time."""

STEP = 0.25
"""A path has a point wherever the object has moved by this part of its height, so that the noise of
boxes has no length."""

_DTYPE = np.dtype(
    [
        ("track", np.int64),
        ("class", np.int32),
        ("frames", np.int64),
        ("scores", np.float64),
        ("first_frame", np.int64),
        ("last_frame", np.int64),
        ("first_time", np.float64),
        ("last_time", np.float64),
        ("first_box", np.float64, 4),
        ("last_box", np.float64, 4),
        ("point", np.float64, 2),
        ("path_length", np.float64),
        ("changed", np.bool_),
    ]
)


class TrackTable:
    """Sums up the tracks of a stream: first and last detection, score, length of the path.

    Only detections count, not predicted positions. A track that is detected again after GONE_S has
    a further row.
    """

    def __init__(self) -> None:
        self._rows = np.zeros(64, _DTYPE)
        self._slots: dict[int, int] = {}  # by id of the track
        self._free = list(range(64))
        self._labels: Sequence[str] = ()

    def update(self, result: Result) -> None:
        """Take the detected tracks of a frame into account."""
        self._labels = result.labels
        tracks = result.tracks
        seen = tracks.detection >= 0
        if not seen.any():
            return
        boxes = tracks.boxes[seen].astype(np.float64)
        ids = tracks.ids[seen].tolist()
        new = [identity for identity in ids if identity not in self._slots]
        for identity in new:
            self._slots[identity] = self._take()
        at = np.array([self._slots[identity] for identity in ids])
        if new:
            self._start(at, tracks.ids[seen], boxes, result, new)
        rows = self._rows
        rows["class"][at] = tracks.classes[seen]
        rows["frames"][at] += 1
        rows["scores"][at] += tracks.scores[seen]
        rows["last_frame"][at] = result.frame.index
        rows["last_time"][at] = result.frame.time
        rows["last_box"][at] = boxes
        rows["changed"][at] = True
        self._walk(at, boxes)

    def ended(self, now: float) -> list[dict[str, Any]]:
        """The rows of the tracks that have ended by a stream time, which are then forgotten."""
        slots = [s for s in self._slots.values() if now - self._rows["last_time"][s] > GONE_S]
        return self._forget(slots)

    def changed(self) -> list[dict[str, Any]]:
        """The rows of the other tracks that were detected since the last call."""
        slots = [slot for slot in self._slots.values() if self._rows["changed"][slot]]
        self._rows["changed"][slots] = False
        return list(self._values(slots))

    def finish(self) -> list[dict[str, Any]]:
        """The rows of all tracks, which are then forgotten."""
        return self._forget(list(self._slots.values()))

    def _take(self) -> int:
        """A slot that is free."""
        if not self._free:
            size = len(self._rows)
            self._rows = np.concatenate([self._rows, np.zeros(size, _DTYPE)])
            self._free = list(range(size, 2 * size))
        return self._free.pop()

    def _start(
        self,
        at: npt.NDArray[np.intp],
        ids: npt.NDArray[np.int64],
        boxes: npt.NDArray[np.float64],
        result: Result,
        new: list[int],
    ) -> None:
        """Begin the rows of new tracks."""
        is_new = np.isin(ids, new)
        at, boxes = at[is_new], boxes[is_new]
        rows = self._rows
        rows[at] = np.zeros(1, _DTYPE)
        rows["track"][at] = ids[is_new]
        rows["first_frame"][at] = result.frame.index
        rows["first_time"][at] = result.frame.time
        rows["first_box"][at] = boxes
        rows["point"][at] = _feet(boxes)

    def _walk(self, at: npt.NDArray[np.intp], boxes: npt.NDArray[np.float64]) -> None:
        """Add to the paths of those that have moved far enough."""
        rows, feet = self._rows, _feet(boxes)
        steps = np.linalg.norm(feet - rows["point"][at], axis=1)
        moved = steps > STEP * (boxes[:, 3] - boxes[:, 1])
        rows["path_length"][at[moved]] += steps[moved]
        rows["point"][at[moved]] = feet[moved]

    def _forget(self, slots: list[int]) -> list[dict[str, Any]]:
        values = list(self._values(slots))
        for slot in slots:
            del self._slots[int(self._rows["track"][slot])]
        self._free += slots
        return values

    def _values(self, slots: list[int]) -> Iterator[dict[str, Any]]:
        for row in self._rows[slots]:
            yield {
                "track": int(row["track"]),
                "label": label_of(int(row["class"]), self._labels),
                "first_frame": int(row["first_frame"]),
                "last_frame": int(row["last_frame"]),
                "first_time": round(float(row["first_time"]), 6),
                "last_time": round(float(row["last_time"]), 6),
                **_edges("first", row["first_box"]),
                **_edges("last", row["last_box"]),
                "frames": int(row["frames"]),
                "mean_score": round(float(row["scores"] / row["frames"]), 4),
                "path_length": round(float(row["path_length"]), 2),
            }


def _feet(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The centers of the lower edges (M,2) of boxes (M,4)."""
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)


def _edges(which: str, box: npt.NDArray[np.float64]) -> dict[str, float]:
    names = (f"{which}_{edge}" for edge in ("x1", "y1", "x2", "y2"))
    return dict(zip(names, (round(value, 2) for value in box.tolist()), strict=True))
