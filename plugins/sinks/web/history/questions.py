"""What the page asks the history."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Any

from .level_questions import all_levels
from .span import BIN, Span
from .store import rows

MAX_EVENTS = 200
"""Events of one answer, at most."""

CROSSED = "kind = 'line.crossed'"


CHOSEN = (
    "time >= :begin AND time < :end AND (:rule IS NULL OR rule = :rule) "
    "AND (:label IS NULL OR label = :label)"
)


def summary(database: sqlite3.Connection, span: Span) -> dict[str, Any]:
    """Lines, zones, flows and objects in a span, ready for JSON."""
    objects, occupancy = all_levels(database, span)
    return {
        "begin": span.begin,
        "step": span.step,
        "bins": span.bins,
        "lines": _counted(database, span, CROSSED, "direction"),
        "zones": _zones(database, span),
        "flows": _flows(database, span),
        "objects": objects,
        "occupancy": occupancy,
        "rules": _distinct(database, span, "rule"),
        "labels": _distinct(database, span, "label"),
    }


def _distinct(database: sqlite3.Connection, span: Span, column: str) -> list[str]:
    """Values of a column of events in the span."""
    query = f"""
        SELECT DISTINCT {column} FROM events
        WHERE time >= :begin AND time < :end AND {column} IS NOT NULL ORDER BY {column}
    """  # noqa: S608 - constants
    return [row[0] for row in rows(database, query, span.values())]


def extent(database: sqlite3.Connection) -> tuple[float, float] | None:
    """Times of the first and the last entry; None if there is none."""
    times = [
        database.execute(f"SELECT min(time), max(time) FROM {table}").fetchone()  # noqa: S608
        for table in ("events", "objects")
    ]
    known = [tuple(pair) for pair in times if pair[0] is not None]
    return (min(p[0] for p in known), max(p[1] for p in known)) if known else None


def events(
    database: sqlite3.Connection,
    *,
    before: int | None,
    limit: int,
    rule: str | None,
    label: str | None,
    kind: str | None,
) -> list[dict[str, Any]]:
    """The latest events, the newest first.

    Args:
        database: the history.
        before: number of the event after the last one; None for the newest.
        limit: number of events.
        rule: of the events; None for all.
        label: of the events; None for all.
        kind: of the events; None for all.
    """
    query = """
        SELECT number, id, kind, phase, rule, label, track, time, stream_time, direction, dwell,
               origin, destination, image IS NOT NULL AS image
        FROM events
        WHERE (:before IS NULL OR number < :before) AND (:rule IS NULL OR rule = :rule)
            AND (:label IS NULL OR label = :label) AND (:kind IS NULL OR kind = :kind)
        ORDER BY number DESC LIMIT :limit
    """
    values = {"before": before, "rule": rule, "label": label, "kind": kind}
    return [dict(row) for row in rows(database, query, values | {"limit": min(limit, MAX_EVENTS)})]


def image(database: sqlite3.Connection, number: int) -> bytes | None:
    """The image of an event; None if there is none."""
    row = database.execute("SELECT image FROM events WHERE number = ?", (number,)).fetchone()
    return None if row is None else row["image"]


def table(database: sqlite3.Connection, span: Span) -> Iterable[tuple[Any, ...]]:
    """Rows `start, rule, kind, direction, label, count` for CSV."""
    query = f"""
        SELECT {BIN} AS bin, rule, kind, direction, label, count(*) AS count
        FROM events WHERE {CHOSEN} AND ({CROSSED} OR kind IN ('zone.entered', 'zone.left'))
        GROUP BY bin, rule, kind, direction, label ORDER BY bin, rule, kind, direction, label
    """  # noqa: S608 - constants
    for row in rows(database, query, span.values()):
        yield (span.begin + row["bin"] * span.step, *tuple(row)[1:])


def _counted(
    database: sqlite3.Connection, span: Span, condition: str, column: str
) -> list[dict[str, Any]]:
    """Counts per interval of each rule and value of a column, and by label."""
    query = f"""
        SELECT rule, {column} AS of, label, {BIN} AS bin, count(*) AS count
        FROM events WHERE {CHOSEN} AND {condition} GROUP BY rule, of, label, bin
    """  # noqa: S608 - constants
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * span.bins)
    labels: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows(database, query, span.values()):
        key = row["rule"], row["of"] or ""
        counts[key][min(row["bin"], span.bins - 1)] += row["count"]
        labels[key][row["label"] or ""] += row["count"]
    return [
        {
            "rule": rule,
            column: of,
            "total": sum(values),
            "labels": dict(labels[rule, of]),
            "counts": values,
        }
        for (rule, of), values in sorted(counts.items())
    ]


def _zones(database: sqlite3.Connection, span: Span) -> list[dict[str, Any]]:
    visits = _counted(database, span, "kind = 'zone.left'", "phase")
    query = f"SELECT rule, dwell FROM events WHERE {CHOSEN} AND kind = 'zone.left'"  # noqa: S608
    dwells: dict[str, list[float]] = defaultdict(list)
    for row in rows(database, query, span.values()):
        if row["dwell"] is not None:
            dwells[row["rule"]].append(row["dwell"])
    return [
        {**zone, "dwell": median(dwells[zone["rule"]]) if dwells[zone["rule"]] else None}
        for zone in visits
    ]


def _flows(database: sqlite3.Connection, span: Span) -> list[dict[str, Any]]:
    query = f"""
        SELECT origin, destination, label, count(*) AS count FROM events
        WHERE {CHOSEN} AND kind = 'flow.completed' GROUP BY origin, destination, label
        ORDER BY count DESC
    """  # noqa: S608 - constants
    return [dict(row) for row in rows(database, query, span.values())]
