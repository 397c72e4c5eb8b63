"""The questions that a report answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .selection import Axis

BUSIEST_S = 900.0
"""Length of the intervals of which the busiest one is shown, s."""

TOTALS = {
    "in": "kind = 'line.crossed' AND direction = 'in'",
    "out": "kind = 'line.crossed' AND direction = 'out'",
    "entered": "kind = 'zone.entered'",
    "left": "kind = 'zone.left'",
    "flows": "kind = 'flow.completed'",
}
"""What is counted in each interval: a column, and the events in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A table.

    Attributes:
        title: what it is.
        columns: their names.
        rows: values: text, whole numbers, durations in s, or None.
        times: columns with times, s, on the axis of the report.
    """

    title: str
    columns: list[str]
    rows: list[tuple[Any, ...]]
    times: tuple[str, ...] = ()


def hours(connection: Any, axis: Axis, length: float) -> Answer:
    """How many crossed, entered and left in each interval, those without events included."""
    _put_intervals(connection, axis, length)
    present = {
        name: condition
        for name, condition in TOTALS.items()
        if connection.execute(f"SELECT count(*) FROM events WHERE {condition}").fetchone()[0]  # noqa: S608
    }
    totals = "".join(f', count(*) FILTER ({where}) AS "{n}"' for n, where in present.items())
    query = f"""
        SELECT start {totals}
        FROM intervals LEFT JOIN (FROM events ASOF JOIN intervals ON t >= start) USING (start)
        GROUP BY start ORDER BY start
    """  # noqa: S608 - constants
    return _answer(connection, "over time", query, times=("start",))


def lines(connection: Any, *_: object) -> Answer:
    """Crossings of each line by direction."""
    query = """
        SELECT stream, rule AS line, label, count(*) FILTER (direction = 'in') AS "in",
               count(*) FILTER (direction = 'out') AS "out"
        FROM events WHERE kind = 'line.crossed' GROUP BY ALL ORDER BY ALL
    """
    return _answer(connection, "crossings of lines", query)


def zones(connection: Any, *_: object) -> Answer:
    """Visits to each zone, and how long they took."""
    query = """
        SELECT stream, rule AS zone, label, count(*) FILTER (kind = 'zone.entered') AS entered,
               count(*) FILTER (kind = 'zone.passed') AS passed,
               count(*) FILTER (kind = 'zone.left') AS visits,
               median(dwell) FILTER (kind = 'zone.left') AS "median, s",
               quantile_cont(dwell, 0.9) FILTER (kind = 'zone.left') AS "p90, s"
        FROM events WHERE starts_with(kind, 'zone.') GROUP BY ALL ORDER BY ALL
    """
    return _answer(connection, "visits to zones, and their duration", query)


def flows(connection: Any, *_: object) -> Answer:
    """From where to where."""
    query = """
        SELECT stream, origin AS "from", destination AS "to", label, count(*) AS count,
               median(seconds) AS "median, s"
        FROM events WHERE kind = 'flow.completed' GROUP BY ALL ORDER BY ALL
    """
    return _answer(connection, "flows", query)


def busiest(connection: Any, axis: Axis, _: float) -> Answer:
    """The 15 minutes in which most objects crossed each line or entered each zone."""
    _put_intervals(connection, axis, BUSIEST_S)
    query = """
        WITH counted AS (
            SELECT stream, rule, start, count(*) AS count
            FROM events ASOF JOIN intervals ON t >= start
            WHERE kind IN ('line.crossed', 'zone.entered') GROUP BY ALL
        )
        SELECT stream, rule AS "line or zone", start, count FROM counted
        QUALIFY row_number() OVER (PARTITION BY stream, rule ORDER BY count DESC, start) = 1
        ORDER BY ALL
    """
    return _answer(connection, "busiest 15 minutes", query, times=("start",))


QUESTIONS: Mapping[str, Callable[[Any, Axis, float], Answer]] = {
    "hours": hours,
    "lines": lines,
    "zones": zones,
    "flows": flows,
    "busiest": busiest,
}
"""By name, what answers a question, given the connection, the axis and `every`, s."""


def _put_intervals(connection: Any, axis: Axis, length: float) -> None:
    """Make the table `intervals` of those that contain the events and all times between."""
    first, last = connection.execute("SELECT min(t), max(t) FROM events").fetchone()
    starts = [] if first is None else axis.intervals(first, last, length)
    connection.execute("CREATE OR REPLACE TABLE intervals (start DOUBLE)")
    connection.execute("INSERT INTO intervals SELECT unnest(?::DOUBLE[])", [starts])


def _answer(connection: Any, title: str, query: str, times: tuple[str, ...] = ()) -> Answer:
    found = connection.execute(query)
    return Answer(title, [column[0] for column in found.description], found.fetchall(), times)
