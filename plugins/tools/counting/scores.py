"""Matches counted crossings with true ones, and adds up what was right and wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from vidan.geometry import Floats

from .gates import Crossing, Direction, by_gate


@dataclass(frozen=True)
class Pair:
    """A true crossing and the counted one that is matched with it."""

    truth: Crossing
    counted: Crossing


@dataclass(frozen=True)
class Scores:
    """What was counted right and wrong. Scores of several sequences add up.

    Attributes:
        pairs: matched visible crossings.
        missed: visible crossings that were not counted.
        wrong: counted crossings that match none.
        ignored: counted crossings that match an invisible one.
        invisible: number of true crossings that are not visible.
        excess: |counted - true| of visible crossings, summed over gates and directions.
        excess_all: the same with invisible crossings, and with the counted ones that match them.
        journeys: people with at least two visible crossings.
        complete: those whose first and last crossing were counted as the first and last of one
            track.
    """

    pairs: tuple[Pair, ...] = ()
    missed: tuple[Crossing, ...] = ()
    wrong: tuple[Crossing, ...] = ()
    ignored: int = 0
    invisible: int = 0
    excess: int = 0
    excess_all: int = 0
    journeys: int = 0
    complete: int = 0
    gates: dict[str, tuple[int, int]] = field(default_factory=dict)
    """True and counted crossings by gate and direction, of a single sequence."""

    def __add__(self, other: Scores) -> Scores:
        return Scores(
            self.pairs + other.pairs,
            self.missed + other.missed,
            self.wrong + other.wrong,
            self.ignored + other.ignored,
            self.invisible + other.invisible,
            self.excess + other.excess,
            self.excess_all + other.excess_all,
            self.journeys + other.journeys,
            self.complete + other.complete,
        )

    @property
    def true(self) -> int:
        """Number of visible true crossings."""
        return len(self.pairs) + len(self.missed)

    @property
    def counted(self) -> int:
        """Number of counted crossings that are not ignored."""
        return len(self.pairs) + len(self.wrong)

    @property
    def f1(self) -> float:
        """F1 of the visible crossings; 1 if there are none and none were counted."""
        either = self.true + self.counted
        return 2 * len(self.pairs) / either if either else 1.0

    @property
    def count_error(self) -> float:
        """Σ|ΔN| / ΣN of visible crossings over gates and directions; 1 without true ones."""
        return self.excess / self.true if self.true else float(self.excess > 0)

    def summary(self) -> dict[str, Any]:
        """The figures for JSON: counts, fractions, and times in s; None for 0 of 0."""
        everything = self.true + self.invisible
        errors = [abs(p.counted.time - p.truth.time) for p in self.pairs]
        return {
            "true": self.true,
            "invisible": self.invisible,
            "counted": self.counted,
            "ignored": self.ignored,
            "matched": len(self.pairs),
            "precision": ratio(len(self.pairs), self.counted),
            "recall": ratio(len(self.pairs), self.true),
            "f1": self.f1 if self.true + self.counted else None,
            "time_error": float(np.median(errors)) if errors else None,
            "count_error": ratio(self.excess, self.true),
            "count_error_with_invisible": ratio(self.excess_all, everything),
            "journeys": self.journeys,
            "origin_destination": ratio(self.complete, self.journeys),
            **({"gates": self.gates} if self.gates else {}),
        }


def ratio(part: float, whole: float) -> float | None:
    """A fraction; None for 0 of 0."""
    return part / whole if whole else None


def score(
    true: Sequence[Crossing],
    counted: Sequence[Crossing],
    tolerance: float,
    reach: float = 0.5,
) -> Scores:
    """Compare counted crossings of a sequence with true ones.

    A pair has the same gate and direction, times that differ by at most `tolerance`, and places
    along the gate that differ by at most `reach`. Pairs are one to one: as
    many as possible, with the smallest differences. Counted crossings that are matched with an
    invisible one are ignored.

    Args:
        true: crossings of people.
        counted: crossings of tracks.
        tolerance: s.
        reach: heights of the person.
    """
    true_by, counted_by = by_gate(true), by_gate(counted)
    matched: list[Pair] = []
    excess = excess_all = 0
    gates: dict[str, tuple[int, int]] = {}
    for key in sorted(true_by.keys() | counted_by.keys()):
        expected, found = true_by.get(key, []), counted_by.get(key, [])
        pairs = _match(expected, found, tolerance, reach)
        matched += pairs
        visible = sum(crossing.visible for crossing in expected)
        ignored = sum(not pair.truth.visible for pair in pairs)
        gates[_title(*key)] = visible, len(found) - ignored
        excess += abs(len(found) - ignored - visible)
        excess_all += abs(len(found) - len(expected))
    pairs_of_visible = tuple(pair for pair in matched if pair.truth.visible)
    journeys, complete = _journeys(true, counted, pairs_of_visible)
    used = {id(item) for pair in matched for item in (pair.truth, pair.counted)}
    return Scores(
        pairs_of_visible,
        tuple(c for c in true if c.visible and id(c) not in used),
        tuple(c for c in counted if id(c) not in used),
        len(matched) - len(pairs_of_visible),
        sum(not c.visible for c in true),
        excess,
        excess_all,
        journeys,
        complete,
        gates,
    )


def _title(gate: str, direction: Direction) -> str:
    return f"{gate} {direction}"


def _match(
    true: Sequence[Crossing], counted: Sequence[Crossing], tolerance: float, reach: float
) -> list[Pair]:
    """Pairs of true and counted crossings of one gate and direction."""
    if not true or not counted:
        return []
    times = _differences([c.time for c in true], [c.time for c in counted]) / tolerance
    reaches = np.array([[reach * max(c.height, 1.0)] for c in true])
    places = _differences([c.along for c in true], [c.along for c in counted]) / reaches
    possible = (times <= 1 + 1e-9) & (places <= 1 + 1e-9)
    # An impossible pair costs more than any number of possible ones.
    cost = np.where(possible, times + places, 3.0 * (len(true) + len(counted)))
    rows, columns = linear_sum_assignment(cost)
    return [Pair(true[r], counted[c]) for r, c in zip(rows, columns, strict=True) if possible[r, c]]


def _differences(rows: Sequence[float], columns: Sequence[float]) -> Floats:
    return np.asarray(np.abs(np.subtract.outer(rows, columns)))


def _journeys(
    true: Sequence[Crossing], counted: Sequence[Crossing], pairs: Sequence[Pair]
) -> tuple[int, int]:
    """People with at least two visible crossings, and how many of them one track followed."""
    matched = {id(pair.truth): pair.counted for pair in pairs}
    paths = [path for path in _by_identity(c for c in true if c.visible) if len(path) > 1]
    tracks = {path[0].identity: path for path in _by_identity(counted)}
    complete = 0
    for path in paths:
        first, last = (matched.get(id(path[n])) for n in (0, -1))
        if first is not None and last is not None and first.identity == last.identity:
            track = tracks[first.identity]
            complete += track[0] is first and track[-1] is last
    return len(paths), complete


def _by_identity(crossings: Iterable[Crossing]) -> list[list[Crossing]]:
    """The crossings of each identity, by time."""
    found: dict[int, list[Crossing]] = {}
    for crossing in sorted(crossings, key=lambda c: c.time):
        found.setdefault(crossing.identity, []).append(crossing)
    return list(found.values())
