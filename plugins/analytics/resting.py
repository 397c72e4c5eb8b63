"""Which tracks are at rest, and whether a new track is at the place of one that was lost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.types import Result, label_of

from .stitching import Rows, TrackMemory

UNCERTAIN = label_of(-1, ())

MOVED = 0.5
"""Distance from its place, in box sizes, from which on an object has moved."""

MOVED_AFTER_S = 1.0
"""Time for which it is that far away, s; a single bad box is not a movement."""

MAX_SIZE_RATIO = 1.6
"""Ratio of the widths or heights of two boxes of one object at rest."""

NEVER_S = 1e12
"""A time that no stream reaches, s; finite, for JSON."""

REST_COLUMNS = {
    "rest_x": (np.float64, 0.0),  # center of the box when the object came to rest, px
    "rest_y": (np.float64, 0.0),
    "rest_since": (np.float64, -NEVER_S),  # s
    "away_since": (np.float64, NEVER_S),  # since when it is elsewhere, s
}
"""What is remembered of each track, in the first row of each column."""

Floats = npt.NDArray[np.float64]


class Place(NamedTuple):
    """Where an object was at rest when it was lost.

    Attributes:
        x, y: center of its box, px.
        width, height: of the box, px.
        since: when it came to rest, s.
        labels: that its boxes had.
    """

    x: float
    y: float
    width: float
    height: float
    since: float
    labels: tuple[str, ...]


def begin_rest(columns: Mapping[str, Any], row: int, box: Any, now: float) -> None:
    """Begin a track with its first box (4,)."""
    x1, y1, x2, y2 = box.tolist()
    columns["rest_x"][0, row], columns["rest_y"][0, row] = (x1 + x2) / 2, (y1 + y2) / 2
    columns["rest_since"][0, row], columns["away_since"][0, row] = now, NEVER_S


def follow_rest(columns: Mapping[str, Any], rows: Rows, boxes: Floats, now: float) -> None:
    """Update the columns of tracks with the boxes (N,4) of a frame."""
    old_x, old_y = columns["rest_x"][0, rows], columns["rest_y"][0, rows]
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    size = boxes[:, 2] - boxes[:, 0] + boxes[:, 3] - boxes[:, 1]
    far = np.hypot(x - old_x, y - old_y) > MOVED / 2 * size
    away = np.where(far, np.minimum(columns["away_since"][0, rows], now), NEVER_S)
    columns["away_since"][0, rows] = away
    moved = now - away >= MOVED_AFTER_S
    if moved.any():
        which = rows[moved]
        columns["rest_x"][0, which], columns["rest_y"][0, which] = x[moved], y[moved]
        columns["rest_since"][0, which] = now
        columns["away_since"][0, which] = NEVER_S


def place_of(memory: TrackMemory, row: int, result: Result) -> Place:
    """The place of a track, with the size of its last box."""
    x, y, since = (
        float(memory.columns[name][0, row]) for name in ("rest_x", "rest_y", "rest_since")
    )
    x1, y1, x2, y2 = memory.boxes[row].tolist()
    return Place(x, y, x2 - x1, y2 - y1, since, memory.labels(row, result))


def take_place(columns: Mapping[str, Any], row: int, place: Place) -> None:
    """Let a track be at rest at a place."""
    for name, value in (("rest_x", place.x), ("rest_y", place.y), ("rest_since", place.since)):
        columns[name][0, row] = value
    columns["away_since"][0, row] = NEVER_S


def distance_from(place: Place, box: Floats, label: str) -> float:
    """How far a box (4,) is from a place, in box sizes; infinite if size or label differ."""
    if UNCERTAIN not in (label, *place.labels) and label not in place.labels:
        return math.inf
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    for one, other in ((width, place.width), (height, place.height)):
        if max(one, other) > MAX_SIZE_RATIO * min(one, other):
            return math.inf
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    return 4 * math.hypot(x - place.x, y - place.y) / (width + height + place.width + place.height)
