"""Tables of counts: lines by direction, zones with visits and dwell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.table import Table

from ..support.text import one_line

Record = Mapping[str, Any]
"""A measure with `name`, `labels` and `value`."""

CROSSINGS = "line_crossings_total"
VISITS, OBJECTS = "zone_visits_total", "zone_objects"
DWELL_SUM, DWELL_COUNT = "zone_dwell_seconds_sum", "zone_dwell_seconds_count"


def count_tables(measures: Iterable[Record], stream: str = "") -> list[Table]:
    """A table of the lines and one of the zones; none without counts.

    Args:
        measures: of a stream.
        stream: its name, where there are several.
    """
    listed = list(measures)
    tables = [table for table in (_lines(listed), _zones(listed)) if table.row_count]
    for table in tables:
        table.title = one_line(stream) or None
        table.title_justify = "left"
    return tables


def _lines(measures: list[Record]) -> Table:
    """Crossings by direction; with a row for each label if there are several."""
    table = _table("line", "in", "out")
    for line in _values(measures, "line", CROSSINGS):
        of_line = [m for m in measures if m["labels"].get("line") == line]
        for title, rows in _groups(of_line, line):
            counts = [_sum(rows, CROSSINGS, direction=way) for way in ("in", "out")]
            table.add_row(title, *(f"{count:.0f}" for count in counts))
    return table


def _zones(measures: list[Record]) -> Table:
    """Visits, objects that are inside now, and mean dwell; by label as for lines."""
    table = _table("zone", "visits", "now", "mean dwell, s")
    for zone in _values(measures, "zone", VISITS, OBJECTS):
        of_zone = [m for m in measures if m["labels"].get("zone") == zone]
        for title, rows in _groups(of_zone, zone):
            ended = _sum(rows, DWELL_COUNT)
            dwell = f"{_sum(rows, DWELL_SUM) / ended:.1f}" if ended else "-"
            visits, now = _sum(rows, VISITS), _sum(rows, OBJECTS)
            table.add_row(title, f"{visits:.0f}", f"{now:.0f}", dwell)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _groups(measures: list[Record], name: str) -> Iterator[tuple[str, list[Record]]]:
    """The titles and measures of rows: of a whole shape, and of each label if there are several."""
    yield one_line(name), measures
    labels = sorted({m["labels"]["label"] for m in measures if "label" in m["labels"]})
    for label in labels if len(labels) > 1 else ():
        yield f"  {one_line(label)}", [m for m in measures if m["labels"].get("label") == label]


def _values(measures: list[Record], key: str, *names: str) -> list[str]:
    """The values of a label, in order of appearance."""
    return list(dict.fromkeys(m["labels"][key] for m in measures if m["name"] in names))


def _sum(measures: list[Record], name: str, **labels: str) -> float:
    found = (m for m in measures if m["name"] == name and labels.items() <= m["labels"].items())
    return sum(float(m["value"]) for m in found)
