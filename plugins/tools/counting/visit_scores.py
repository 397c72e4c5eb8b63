"""Matches reported visits with true ones, and adds up what was right and wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from .scores import ratio
from .visits import Visit

Pair = tuple[Visit, Visit]
"""A true visit, and the reported one that is matched with it."""


@dataclass(frozen=True)
class VisitScores:
    """What was reported right and wrong. Scores of several sequences add up.

    Attributes:
        pairs: matched expected visits.
        missed: expected visits that were not reported.
        wrong: reported visits that match none.
        ignored: reported visits that match one that is not expected.
    """

    pairs: tuple[Pair, ...] = ()
    missed: tuple[Visit, ...] = ()
    wrong: tuple[Visit, ...] = ()
    ignored: int = 0

    def __add__(self, other: VisitScores) -> VisitScores:
        return VisitScores(
            self.pairs + other.pairs,
            self.missed + other.missed,
            self.wrong + other.wrong,
            self.ignored + other.ignored,
        )

    def summary(self) -> dict[str, Any]:
        """The figures for JSON: counts, fractions, and times in s; None for 0 of 0."""
        true = [truth for truth, _ in self.pairs] + list(self.missed)
        counted = [found for _, found in self.pairs] + list(self.wrong)
        matched = len(self.pairs)
        errors = [abs(found.dwell / truth.dwell - 1) for truth, found in self.pairs]
        loitering = sum(truth.loiters and found.loiters for truth, found in self.pairs)
        loiterers, alerts = (sum(v.loiters for v in visits) for visits in (true, counted))
        seconds, reported = (sum(v.dwell for v in visits) for visits in (true, counted))
        return {
            "true": len(true),
            "counted": len(counted),
            "ignored": self.ignored,
            "matched": matched,
            "precision": ratio(matched, len(counted)),
            "recall": ratio(matched, len(true)),
            "f1": ratio(2 * matched, len(true) + len(counted)),
            "dwell_error": float(np.median(errors)) if errors else None,
            "person_seconds": seconds,
            "person_seconds_counted": reported,
            "person_seconds_ratio": ratio(reported, seconds),
            "loitering_true": loiterers,
            "loitering_counted": alerts,
            "loitering_precision": ratio(loitering, alerts),
            "loitering_recall": ratio(loitering, loiterers),
            "loitering_f1": ratio(2 * loitering, loiterers + alerts),
        }


def score_visits(true: Sequence[Visit], counted: Sequence[Visit]) -> VisitScores:
    """Compare reported visits of a sequence with true ones.

    A pair overlaps in time, and its bottom centers are at most half the height of the person
    apart: the median over the frames in which both have a box. Pairs are one to one, with the
    longest overlap in total. Reported visits that are matched with one that is not expected are
    ignored.
    """
    overlaps = np.array([[_overlap(t, c) for c in counted] for t in true])
    overlaps = overlaps.reshape(len(true), len(counted))
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    matched = [(r, c) for r, c in zip(rows, columns, strict=True) if overlaps[r, c] > 0]
    found = {r for r, _ in matched}
    used = {c for _, c in matched}
    pairs = tuple((true[r], counted[c]) for r, c in matched if true[r].expected)
    return VisitScores(
        pairs,
        tuple(visit for r, visit in enumerate(true) if visit.expected and r not in found),
        tuple(visit for c, visit in enumerate(counted) if c not in used),
        len(matched) - len(pairs),
    )


def _overlap(truth: Visit, counted: Visit) -> float:
    """How long two visits overlap, s, if they are of the same person; else 0."""
    overlap = min(truth.end, counted.end) - max(truth.start, counted.start)
    if overlap <= 0:
        return 0.0
    _, own, other = np.intersect1d(truth.frames, counted.frames, True, return_indices=True)
    if not len(own):
        return 0.0
    offsets = truth.anchors[own] - counted.anchors[other]
    distance = float(np.median(np.hypot(offsets[:, 0], offsets[:, 1])))
    return overlap if distance <= truth.height / 2 else 0.0
