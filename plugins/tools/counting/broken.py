"""Tracks of the ground truth, broken on purpose.

What a counter gets wrong with them is its own error, since the tracker is perfect but for known
defects: noisy boxes, gaps, ids that change near gates, and labels that flicker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from vidan.boxes import xyxy_to_xywh
from vidan.geometry import Floats

from ...formats.mot import BOX, FRAME, ID, TRACK_COLUMNS
from .gates import Crossing
from .truth import Person

NOISE = 0.05
"""Standard deviation of the position and size of a box, as a fraction of its size."""

MAX_GAP_S = 1.0
"""Longest time between two boxes around a gap, s."""

BETWEEN_GAPS_S = 4.0
"""Mean time from one gap to the next, s; at least `MAX_GAP_S`."""

NEAR_GATE_S = 1.0
"""Longest time between a crossing and the change of the id, s."""

WRONG_LABELS = 0.2
"""Fraction of the boxes with a wrong label."""

LABELS = ("person", "bicycle")
"""The right label, and the wrong one."""

Rows = tuple[Floats, Floats]
"""Rows (N,10) of a file of tracks, and the indices (N,) of their labels."""


def broken_tracks(people: Iterable[Person], crossings: Iterable[Crossing], seed: int) -> Rows:
    """The tracks of the ground truth, broken, by frame.

    Args:
        people: the ground truth.
        crossings: near each of which the id changes.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    moments: dict[int, list[float]] = {}
    for crossing in crossings:
        moments.setdefault(crossing.identity, []).append(crossing.time)
    parts = []
    first_id = 1
    for person in people:
        changes = _changes(person, moments.get(person.id, []), random)
        parts.append(_break(person, changes, first_id, random))
        first_id += len(changes) + 1
    rows, classes = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((rows[:, ID], rows[:, FRAME]))
    return rows[order], classes[order]


def _changes(person: Person, moments: Sequence[float], random: np.random.Generator) -> Floats:
    """When the id of a person changes, s: near each of these moments."""
    changes = np.sort(np.array(moments) + random.uniform(-NEAR_GATE_S, NEAR_GATE_S, len(moments)))
    return np.asarray(changes[(changes > person.times[0]) & (changes <= person.times[-1])])


def _break(person: Person, changes: Floats, first_id: int, random: np.random.Generator) -> Rows:
    """The rows of a broken track, whose ids count from the first one."""
    kept = _without_gaps(person.times, random)
    rows = np.full((len(kept), TRACK_COLUMNS), -1.0)
    rows[:, FRAME] = person.frames + 1
    rows[:, ID] = first_id + np.searchsorted(changes, person.times, side="right")
    rows[:, BOX] = xyxy_to_xywh(_noisy(person.boxes, random))
    classes = (random.random(len(kept)) < WRONG_LABELS).astype(float)
    return rows[kept], classes[kept]


def _without_gaps(times: Floats, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which boxes (N,) are not in a gap; the first and the last never are."""
    kept = np.ones(len(times), np.bool_)
    start = times[0] + random.exponential(BETWEEN_GAPS_S)
    while start < times[-1]:
        before = int(np.searchsorted(times, start, side="right")) - 1
        end = times[before] + random.uniform(0, MAX_GAP_S)
        kept[before + 1 : int(np.searchsorted(times, end))] = False
        start = end + MAX_GAP_S + random.exponential(BETWEEN_GAPS_S - MAX_GAP_S)
    kept[-1] = True
    return kept


def _noisy(boxes: Floats, random: np.random.Generator) -> Floats:
    """Boxes (N,4) xyxy whose centers and sizes have noise."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2 + random.normal(0, NOISE, sizes.shape) * sizes
    halves = sizes * np.exp(random.normal(0, NOISE, sizes.shape)) / 2
    return np.concatenate([centers - halves, centers + halves], axis=1)
