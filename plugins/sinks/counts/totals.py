"""Totals of one interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from vidan.events import CROSSED, ENTERED, EXITED, FLOW, PASSED, Event, Shape


class Key(NamedTuple):
    """What is counted: empty where it does not apply.

    Attributes:
        type: `line`, `zone` or `flow`.
        name: of the line or zone, or the one that a flow begins at.
        direction: across a line, `in` or `out`.
        destination: line or zone that a flow ends at.
        label: of the objects.
    """

    type: str
    name: str
    direction: str = ""
    destination: str = ""
    label: str = ""


@dataclass(slots=True)
class Total:
    """Of one key in one interval.

    Attributes:
        count: crossings, completed flows, or objects that entered a zone.
        exited: objects that left a zone.
        passed: objects that moved through a zone without a visit.
        visits: visits of a zone that ended, with the stream or otherwise.
        dwell: total duration of these, s.
        max_objects: most objects in a zone at a time.
    """

    count: int = 0
    exited: int = 0
    passed: int = 0
    visits: int = 0
    dwell: float = 0.0
    max_objects: int = 0

    def columns(self, kind: str) -> dict[str, Any]:
        """The values that apply to a `Key.type`, by column."""
        if kind != "zone":
            return {"count": self.count}
        return {
            "count": self.count,
            "exited": self.exited,
            "passed": self.passed,
            "visits": self.visits,
            "mean_dwell": round(self.dwell / self.visits, 3) if self.visits else None,
            "max_objects": self.max_objects,
        }

    def add(self, event: Event) -> None:
        """Count an event that has a key."""
        if event.kind in (CROSSED, FLOW, ENTERED):
            self.count += 1
        elif event.kind == PASSED:
            self.passed += 1
        else:
            self.visits += 1
            self.dwell += float(event.data.get("dwell", 0.0))
            self.exited += not event.data.get("end_of_stream", False)


def key_of(event: Event) -> Key | None:
    """What an event counts for; None if it is not counted."""
    label = event.label or ""
    if event.kind == CROSSED:
        return Key("line", event.rule, direction=str(event.data.get("direction", "")), label=label)
    if event.kind in (ENTERED, EXITED, PASSED):
        return Key("zone", event.rule, label=label)
    if event.kind == FLOW:
        origin, destination = (str(event.data.get(k, "")) for k in ("origin", "destination"))
        return Key("flow", origin, destination=destination, label=label)
    return None


class KnownKeys:
    """Everything that has been counted, or could have been: rows that may be zero.

    A line or zone that has had no event yet has a row without a label.
    """

    def __init__(self) -> None:
        self._counted: dict[Key, None] = {}
        self._drawn: dict[Key, None] = {}

    def add(self, key: Key) -> None:
        """Note a key; both directions across a line."""
        for direction in ("in", "out") if key.type == "line" else (key.direction,):
            self._counted[key._replace(direction=direction)] = None

    def add_shapes(self, shapes: Iterable[Shape]) -> None:
        """Note the lines and zones of the scene."""
        for shape in shapes:
            if shape.rule is None:
                continue
            if shape.kind == "polygon":
                self._drawn[Key("zone", shape.rule)] = None
            elif shape.inward is not None:
                for direction in ("in", "out"):
                    self._drawn[Key("line", shape.rule, direction=direction)] = None

    def __iter__(self) -> Iterator[Key]:
        counted = {(key.type, key.name) for key in self._counted}
        yield from (key for key in self._drawn if (key.type, key.name) not in counted)
        yield from self._counted
