"""Numbers of objects over time, in the image and in each zone."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from .span import BIN, Span
from .store import MINUTE_S, minute_of, rows

Level = float | None
"""Of an interval; None where there were no frames."""


def object_levels(database: sqlite3.Connection, span: Span) -> list[dict[str, Any]]:
    """Mean and maximum of the objects of each label per interval."""
    chosen = "label != '' AND (:label IS NULL OR label = :label)"
    return _levels(database, span, "objects", "label", chosen)


def zone_levels(database: sqlite3.Connection, span: Span) -> list[dict[str, Any]]:
    """Mean and maximum of the objects in each zone per interval; none in older files."""
    known = "SELECT 1 FROM sqlite_master WHERE name = 'zones'"
    if not rows(database, known, {}):
        return []
    chosen = "label = ifnull(:label, '') AND (:rule IS NULL OR rule = :rule)"
    return _levels(database, span, "zones", "rule", chosen)


def occupancy_table(
    database: sqlite3.Connection, span: Span
) -> Iterator[tuple[float, str, float, int]]:
    """Rows `start, zone, mean, peak` for CSV; only of intervals with frames."""
    zones = zone_levels(database, span)
    for n in range(span.bins):
        for zone in zones:
            if zone["mean"][n] is not None:
                yield span.begin + n * span.step, zone["rule"], zone["mean"][n], zone["peak"][n]


def _levels(
    database: sqlite3.Connection, span: Span, table: str, key: str, chosen: str
) -> list[dict[str, Any]]:
    """Mean and maximum per interval and value of the column `key`.

    An interval that is shorter than a minute has the values of the minute in which it begins.
    """
    slot, slots, first = BIN, list(range(span.bins)), span.begin
    if span.step < MINUTE_S:
        slot = "time"
        slots = [minute_of(span.begin + n * span.step) for n in range(span.bins)]
        first = slots[0]
    values = span.values() | {"first": first}
    inside = "time >= :first AND time < :end"
    minutes = f"""
        SELECT {slot} AS slot, count(*) AS count
        FROM (SELECT DISTINCT time FROM objects WHERE {inside}) GROUP BY slot
    """  # noqa: S608 - constants
    seen = {row["slot"]: row["count"] for row in rows(database, minutes, values)}
    query = f"""
        SELECT {key} AS name, {slot} AS slot, sum(mean) AS total, max(peak) AS peak
        FROM {table} WHERE {inside} AND {chosen} GROUP BY name, slot
    """  # noqa: S608 - constants
    found: dict[str, dict[int, tuple[Level, Level]]] = defaultdict(dict)
    for row in rows(database, query, values):
        mean = round(row["total"] / seen[row["slot"]], 3)
        found[row["name"]][row["slot"]] = mean, row["peak"]
    empty: dict[int, tuple[Level, Level]] = {
        n: (0, 0) if n in seen else (None, None) for n in slots
    }
    series = {name: empty | levels for name, levels in sorted(found.items())}
    return [
        {key: name, **{of: [levels[n][i] for n in slots] for i, of in enumerate(("mean", "peak"))}}
        for name, levels in series.items()
    ]
