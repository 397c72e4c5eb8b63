"""The intervals of one length that are not written yet."""

from __future__ import annotations

import math
from typing import Any

from ..clock import interval_end, interval_start
from .totals import Key, KnownKeys, Total


class Intervals:
    """Totals by interval, until they are written.

    Args:
        length: s.
        local: whether times are Unix times, and intervals count from local midnight.
    """

    def __init__(self, length: float, local: bool) -> None:
        self._length, self._local = length, local
        self._totals: dict[float, dict[Key, Total]] = {}  # by start of the interval
        self._written = -math.inf  # start of the latest interval that was

    def total(self, at: float, key: Key) -> Total:
        """The total that something at a time belongs to."""
        return self._totals.setdefault(self._start(at), {}).setdefault(key, Total())

    def occupy(self, now: float, objects: dict[Key, int]) -> None:
        """Take the objects in zones into account; the interval has a frame."""
        totals = self._totals.setdefault(self._start(now), {})
        for key, count in objects.items():
            total = totals.setdefault(key, Total())
            total.max_objects = max(total.max_objects, count)

    def finished(self, safe: float, known: KnownKeys) -> list[dict[str, Any]]:
        """The rows of the intervals that ended by a time, which are then forgotten."""
        starts = sorted(start for start in self._totals if self._end(start) <= safe)
        return [row for start in starts for row in self._rows(start, known)]

    def _rows(self, start: float, known: KnownKeys) -> list[dict[str, Any]]:
        totals = self._totals.pop(start)
        keys = set(totals)
        if start > self._written:
            self._written = start
            keys |= set(known)
        return [
            {
                "start": start,
                "interval": self._length,
                **key._asdict(),
                **totals.get(key, Total()).columns(key.type),
            }
            for key in sorted(keys)
        ]

    def _start(self, at: float) -> float:
        """When the interval that contains a time begins."""
        if self._local:
            return interval_start(at, self._length)
        return math.floor(at / self._length) * self._length

    def _end(self, start: float) -> float:
        return interval_end(start, self._length) if self._local else start + self._length
