"""Numbers of objects over time, in the image and in each zone."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from .span import BIN, Span
from .store import MINUTE_S, minute_of, rows

Level = float | None
"""Of an interval; None where there were no frames."""

INSIDE = "time >= :first AND time < :end"
"""Which minutes a span has."""


def all_levels(
    database: sqlite3.Connection, span: Span
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mean and maximum per interval, of the objects of each label and of those in each zone."""
    slots = _Slots.of(database, span)
    chosen = "label != '' AND (:label IS NULL OR label = :label)"
    return _levels(database, slots, "objects", "label", chosen), _zone_levels(database, slots)


def _zone_levels(database: sqlite3.Connection, slots: _Slots) -> list[dict[str, Any]]:
    """Mean and maximum of the objects in each zone per interval; none in older files."""
    known = "SELECT 1 FROM sqlite_master WHERE name = 'zones'"
    if not rows(database, known, {}):
        return []
    chosen = "label = ifnull(:label, '') AND (:rule IS NULL OR rule = :rule)"
    return _levels(database, slots, "zones", "rule", chosen)


def occupancy_table(
    database: sqlite3.Connection, span: Span
) -> Iterator[tuple[float, str, float, int]]:
    """Rows `start, zone, mean, peak` for CSV; only of intervals with frames."""
    zones = _zone_levels(database, _Slots.of(database, span))
    for n in range(span.bins):
        for zone in zones:
            if zone["mean"][n] is not None:
                yield span.begin + n * span.step, zone["rule"], zone["mean"][n], zone["peak"][n]


class _Slots(NamedTuple):
    """The minutes of a span that had frames, by the intervals that show them.

    An interval that is shorter than a minute shows the minute in which it begins.

    Attributes:
        expression: SQL of the slot of a row.
        shown: the slot of each interval.
        values: for queries.
        minutes: number of minutes with frames of each slot.
    """

    expression: str
    shown: list[int]
    values: dict[str, Any]
    minutes: dict[int, int]

    @classmethod
    def of(cls, database: sqlite3.Connection, span: Span) -> _Slots:
        """Count the minutes of a span."""
        slot, shown, first = BIN, list(range(span.bins)), span.begin
        if span.step < MINUTE_S:
            slot = "time"
            shown = [minute_of(span.begin + n * span.step) for n in range(span.bins)]
            first = shown[0]
        values = span.values() | {"first": first}
        query = f"""
            SELECT {slot} AS slot, count(*) AS count
            FROM (SELECT DISTINCT time FROM objects WHERE {INSIDE}) GROUP BY slot
        """  # noqa: S608 - constants
        minutes = {row["slot"]: row["count"] for row in rows(database, query, values)}
        return cls(slot, shown, values, minutes)


def _levels(
    database: sqlite3.Connection, slots: _Slots, table: str, key: str, chosen: str
) -> list[dict[str, Any]]:
    """Mean and maximum per interval and value of the column `key`."""
    query = f"""
        SELECT {key} AS name, {slots.expression} AS slot, sum(mean) AS total, max(peak) AS peak
        FROM {table} WHERE {INSIDE} AND {chosen} GROUP BY name, slot
    """  # noqa: S608 - constants
    found: dict[str, dict[int, tuple[Level, Level]]] = defaultdict(dict)
    for row in rows(database, query, slots.values):
        mean = round(row["total"] / slots.minutes[row["slot"]], 3)
        found[row["name"]][row["slot"]] = mean, row["peak"]
    empty: dict[int, tuple[Level, Level]] = {
        n: (0, 0) if n in slots.minutes else (None, None) for n in slots.shown
    }
    series = {name: empty | levels for name, levels in sorted(found.items())}
    return [
        {
            key: name,
            **{of: [levels[n][i] for n in slots.shown] for i, of in enumerate(("mean", "peak"))},
        }
        for name, levels in series.items()
    ]
