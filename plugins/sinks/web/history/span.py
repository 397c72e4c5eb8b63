"""A time and its intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_BINS = 400
"""Intervals of a chart, at most."""

BIN = "CAST((time - :begin) / :step AS INTEGER)"
"""The interval of a row."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time and its intervals.

    Attributes:
        begin: s since 1970, or stream time.
        step: length of an interval, s.
        bins: number of intervals.
        rule: of events; None for all.
        label: of events and objects; None for all.
    """

    begin: float
    step: float
    bins: int
    rule: str | None = None
    label: str | None = None

    @property
    def end(self) -> float:
        """Exclusive."""
        return self.begin + self.step * self.bins

    def values(self) -> dict[str, Any]:
        """For queries."""
        return {
            "begin": self.begin,
            "end": self.end,
            "step": self.step,
            "rule": self.rule,
            "label": self.label,
        }
