"""Which tracks are at rest, and whether a new track is at the place of one that was lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from vidan.types import Result, label_of

from .columns import Columns
from .stitching import Rows, TrackMemory

UNCERTAIN = label_of(-1, ())

MOVED = 0.5
"""Distance from its place, in box sizes, from which on an object has moved."""

MOVED_AFTER_S = 1.0
"""Time for which it is that far away, s; a single bad box is not a movement."""

REST_AFTER_S = 3.0
"""Time without movement after which a lost object is expected at the same place, s."""

REST_EVERY_S = 0.2
"""Interval at which movements are checked, s."""

MAX_SIZE_RATIO = 1.6
"""Ratio of the widths or heights of two boxes of one object at rest."""

NEVER_S = 1e12
"""A time that no stream reaches, s; finite, for JSON."""

REST_COLUMNS = {
    "rest_x": (np.float64, 0.0),  # center of the box when the object came to rest, px
    "rest_y": (np.float64, 0.0),
    "rest_since": (np.float64, -NEVER_S),  # s
    "rest_until": (np.float64, -NEVER_S),  # when it was last at its place, s
    "away_since": (np.float64, NEVER_S),  # since when it is elsewhere, s
}
"""What is remembered of each track, in the first row of each column."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


Key = TypeVar("Key")


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


def begin_rest(columns: Columns, rows: Rows, boxes: Floats, now: float) -> None:
    """Let tracks be at the places of their boxes (N,4) from now on."""
    columns["rest_x"][0, rows] = (boxes[:, 0] + boxes[:, 2]) / 2
    columns["rest_y"][0, rows] = (boxes[:, 1] + boxes[:, 3]) / 2
    columns["rest_since"][0, rows] = columns["rest_until"][0, rows] = now
    columns["away_since"][0, rows] = NEVER_S


def follow_rest(columns: Columns, rows: Rows, boxes: Floats, now: float) -> Bools:
    """Note which of N tracks are still at their places.

    Returns:
        (N,) those that have moved, for which `begin_rest` is to be called.
    """
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    size = (boxes[:, 2] - boxes[:, 0] + boxes[:, 3] - boxes[:, 1]) / 2
    distance = np.hypot(x - columns["rest_x"][0, rows], y - columns["rest_y"][0, rows])
    near = distance <= MOVED * size
    away = np.where(near, NEVER_S, np.minimum(columns["away_since"][0, rows], now))
    columns["away_since"][0, rows] = away
    columns["rest_until"][0, rows[near]] = now
    return np.asarray(now - away >= MOVED_AFTER_S)


def place_of(memory: TrackMemory, columns: Columns, row: int, result: Result) -> Place:
    """The place of a track, with the size of its last box."""
    x, y, since = (float(columns[name][0, row]) for name in ("rest_x", "rest_y", "rest_since"))
    x1, y1, x2, y2 = memory.boxes[row].tolist()
    return Place(x, y, x2 - x1, y2 - y1, since, memory.labels(row, result))


def take_place(columns: Columns, row: int, place: Place) -> None:
    """Let a track be at rest at a place."""
    columns["rest_x"][0, row], columns["rest_y"][0, row] = place.x, place.y
    columns["rest_since"][0, row] = place.since
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


def match_places(
    places: Mapping[Key, Place], boxes: Mapping[int, tuple[Floats, str]]
) -> Iterator[tuple[Key, int]]:
    """Which boxes, with their labels, are at which places: nearest first, one to one."""
    found = [
        (distance, n, m)
        for n, place in enumerate(places.values())
        for m, (box, label) in boxes.items()
        if (distance := distance_from(place, box, label)) <= MOVED
    ]
    keys, taken = list(places), set[tuple[str, int]]()
    for _, n, m in sorted(found):
        if not {("place", n), ("box", m)} & taken:
            taken |= {("place", n), ("box", m)}
            yield keys[n], m
