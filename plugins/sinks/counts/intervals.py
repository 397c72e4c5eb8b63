"""The intervals of one length that are not written yet."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from ..clock import interval_number, interval_start
from .totals import Key, KnownKeys, Total


class Intervals:
    """Totals by interval, until they are written.

    Args:
        length: s.
        local: whether times are Unix times, and intervals count from local midnight.
    """

    def __init__(self, length: float, local: bool) -> None:
        self._length, self._local = length, local
        self._totals: dict[int, dict[Key, Total]] = {}  # by number of the interval
        self._written = -math.inf  # number of the latest interval that was

    def total(self, at: float, key: Key) -> Total:
        """The total that something at a time belongs to."""
        return self._totals.setdefault(self._number(at), {}).setdefault(key, Total())

    def occupy(self, now: float, objects: dict[Key, int]) -> None:
        """Take the objects in zones into account; the interval has a frame."""
        totals = self._totals.setdefault(self._number(now), {})
        for key, count in objects.items():
            total = totals.setdefault(key, Total())
            total.max_objects = max(total.max_objects, count)

    def finished(self, safe: float, known: KnownKeys) -> list[list[dict[str, Any]]]:
        """The rows of each interval that ended by a time, which are then forgotten."""
        numbers = sorted(n for n in self._totals if self._start(n + 1) <= safe)
        return [self._rows(number, known) for number in numbers]

    def _rows(self, number: int, known: KnownKeys) -> list[dict[str, Any]]:
        totals = self._totals.pop(number)
        keys = set(totals)
        if number > self._written:
            self._written = number
            keys |= set(known)
        begins = self._start(number)
        start = datetime.fromtimestamp(begins).astimezone() if self._local else begins
        return [
            {
                "start": start,
                "interval": self._length,
                **key._asdict(),
                **totals.get(key, Total()).columns(key.type),
            }
            for key in sorted(keys)
        ]

    def _number(self, at: float) -> int:
        return interval_number(at, self._length) if self._local else math.floor(at / self._length)

    def _start(self, number: int) -> float:
        """When an interval begins."""
        return interval_start(number, self._length) if self._local else number * self._length
