"""Counts objects that go from one line or zone of the scene to another."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from msgspec import Meta

from vidan.errors import ConfigError
from vidan.events import CROSSED, ENTERED, EXITED, FLOW, PASSED, Event, Measure, Value
from vidan.types import Result

from .stitching import TrackMemory

SETTLE_S = 2.0
"""How long an event waits for others that happened before it, s; most are known within 1 s."""

PURGE_EVERY_S = 5.0
"""Interval at which objects are forgotten that had no track for long, s."""

LONG_AGO_S = 1e9
"""A time before any other, s; finite, for JSON."""

RULE = "flows"
"""Rule of the events."""

SOURCES = ("lines", "zones")
"""Analyzers whose events are used."""

PLACES = (CROSSED, ENTERED, EXITED, PASSED)
"""Kinds of events that say where an object was."""


@dataclass(slots=True)
class Place:
    """A line or zone that an object was at.

    Attributes:
        event: about it.
        reached: when the line was crossed or the zone entered, s.
        left: when the line was crossed or the zone left, s; None while the object is inside.
    """

    event: Event
    reached: float
    left: float | None

    @property
    def name(self) -> str:
        """Of the line or zone."""
        return self.event.rule

    def state(self) -> list[Any]:
        """What `restored` needs, ready for JSON."""
        return [self.event.record(), self.reached, self.left]

    @classmethod
    def restored(cls, state: Sequence[Any], offset: float) -> Place:
        """A place of a state, whose times are changed by `offset` s."""
        event, reached, left = state
        return cls(_event(event, offset), reached + offset, None if left is None else left + offset)


@dataclass(slots=True)
class Journey:
    """Where an object has been.

    Attributes:
        first: the first place; None if there is none yet.
        last: the last place.
        joined: whether broken tracks or visits were continued by others.
    """

    first: Place | None = None
    last: Place | None = None
    joined: bool = False

    def state(self) -> dict[str, Any]:
        """What `restored` needs, ready for JSON."""
        first, last = (None if p is None else p.state() for p in (self.first, self.last))
        # The first place is often the last one too, which may still be left.
        return {
            "first": first,
            "last": None if self.last is self.first else last,
            "joined": self.joined,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any], offset: float) -> Journey:
        """A journey of a state, whose times are changed by `offset` s."""
        first, last = (
            None if state[name] is None else Place.restored(state[name], offset)
            for name in ("first", "last")
        )
        return cls(first, last or first, bool(state["joined"]))


class Flows:
    """Reports `flow.completed` for each object that goes from one line or zone to another.

    An object is at a line when it crosses it, in either direction, and at a zone from entering to
    leaving it; an object that began inside came from there, which is known when it has left. Places
    are ordered by the time at which they were reached. Each place but the first completes a flow
    from the one before: an object that is at A, B and C gives A to B and B to C. To be at the same
    place again is not a flow.

    Events have `origin`; `destination`; `seconds`, from leaving the one until reaching the other, 0
    if the object was still in the origin; `joined`, whether broken tracks were continued by
    others; and `delay`, how much later the flow became known, s. They are dated where the
    destination was reached.

    The places come from the events of `lines` and `zones`, which must be before `flows` in the list
    of analyzers.

    Args:
        join_within: longest time between a track and the one that continues it, s; 0 to join none.
        forget_after: time without a track after which an object is forgotten, s.
        analyzers: names of the analyzers before this one; given by the run.

    Raises:
        ConfigError: neither `lines` nor `zones` is before this analyzer.
    """

    def __init__(
        self,
        join_within: Annotated[float, Meta(ge=0, le=1)] = 1.0,
        forget_after: Annotated[float, Meta(gt=0)] = 60.0,
        analyzers: Sequence[str] | None = None,
    ) -> None:
        if analyzers is not None and not set(analyzers) & set(SOURCES):
            raise ConfigError(
                "analytics.flows: expected lines or zones before it: set "
                "analytics=[lines,zones,flows]"
            )
        self._memory = TrackMemory(join_within)
        self._forget_after = forget_after
        self._waiting: list[Event] = []
        self._journeys: dict[int, Journey] = {}  # by track; a joined track shares one
        self._seen: dict[int, float] = {}  # when each of these tracks was there, s
        self._visits: dict[str, Journey] = {}  # those that go on, by the id of their events
        self._counts: Counter[tuple[str, str, str]] = Counter()  # origin, destination, label
        self._measures: dict[Measure, float] = {}
        self._number = 0
        self._purged = -math.inf
        self._last: Result | None = None

    def update(self, result: Result) -> list[Event]:
        """The flows that became known with this frame, by time."""
        memory = self._memory
        self._last = result = memory.distinct(result)
        memory.update(result)
        for join in memory.joins:
            self._join(int(memory.ids[join.old]), int(memory.ids[join.new]), result.frame.time)
        self._waiting += [e for e in result.events if e.kind in PLACES and e.track is not None]
        events = self._settle(result, result.frame.time - SETTLE_S) if self._waiting else []
        self._purge(result)
        return events

    def finish(self) -> list[Event]:
        """The flows that were not known for sure before the end of the stream."""
        return [] if self._last is None else self._settle(self._last, None)

    def measures(self) -> dict[Measure, float]:
        """`flows_total` by origin, destination and label."""
        return self._measures

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        journeys = list({id(j): j for j in self._journeys.values()}.values())
        index = {id(journey): n for n, journey in enumerate(journeys)}
        return {
            "counts": [[*key, count] for key, count in self._counts.items()],
            "number": self._number,
            "purged": max(self._purged, -LONG_AGO_S),
            "waiting": [event.record() for event in self._waiting],
            "journeys": [journey.state() for journey in journeys],
            "tracks": [[n, index[id(j)], self._seen[n]] for n, j in self._journeys.items()],
            "visits": [[n, index[id(j)]] for n, j in self._visits.items() if id(j) in index],
            "memory": self._memory.state(),
        }

    def restore(self, state: Mapping[str, Any], offset: float = 0.0) -> None:
        """Continue from a state, `offset` s later."""
        try:
            self._counts.update({(a, b, label): int(n) for a, b, label, n in state["counts"]})
            self._number, self._purged = int(state["number"]), float(state["purged"]) + offset
            self._waiting = [_event(record, offset) for record in state["waiting"]]
            journeys = [Journey.restored(journey, offset) for journey in state["journeys"]]
            for number, n, seen in state["tracks"]:
                self._journeys[number], self._seen[number] = journeys[n], seen + offset
            self._visits = {name: journeys[n] for name, n in state["visits"]}
            self._memory.restore(state["memory"], offset)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ValueError("not a state of the analyzer flows") from error
        self._measure()

    def reset_counts(self) -> None:
        """Start all counts from zero."""
        self._counts = Counter(dict.fromkeys(self._counts, 0))
        self._measure()

    def _measure(self) -> None:
        self._measures = {
            Measure(
                "flows_total", (("origin", origin), ("destination", destination), ("label", label))
            ): float(count)
            for (origin, destination, label), count in sorted(self._counts.items())
        }

    def _settle(self, result: Result, until: float | None) -> list[Event]:
        """Use the events that happened until then, by time; all of them if it is None."""
        self._waiting.sort(key=lambda event: (event.time, event.rule, event.id))
        known = [e for e in self._waiting if until is None or e.time <= until]
        if not known:
            return []
        self._waiting = self._waiting[len(known) :]
        flows = [flow for event in known for flow in self._use(event, result)]
        if flows:
            self._measure()
        return flows

    def _use(self, event: Event, result: Result) -> Iterator[Event]:
        """Take an event into account, which may complete a flow."""
        assert event.track is not None
        journey = self._journeys.setdefault(event.track, Journey())
        self._seen[event.track] = result.frame.time
        visited = self._visits.get(event.id, journey)
        if visited is not journey:  # the visit has been continued by another track
            yield from self._merge(visited, journey, result)
            journey = self._journeys[event.track] = visited
        journey.joined |= bool(event.data.get("joined"))
        if event.kind == ENTERED:
            self._visits[event.id] = journey
            yield from self._reach(journey, Place(event, event.time, None), result)
        elif event.kind != EXITED:
            yield from self._reach(journey, Place(event, event.time, event.time), result)
        elif self._visits.pop(event.id, None) is None:  # it began inside
            began = event.time - float(event.data.get("dwell", 0.0))
            yield from self._reach(journey, Place(event, began, event.time), result)
        elif journey.last is not None and journey.last.name == event.rule:
            journey.last.left = event.time

    def _merge(self, older: Journey, newer: Journey, result: Result) -> Iterator[Event]:
        """Let a journey continue with the places of another, whose object is the same."""
        older.joined = True
        if newer.first is not None and newer.last is not None:
            yield from self._reach(older, newer.first, result)
            older.last = newer.last

    def _reach(self, journey: Journey, place: Place, result: Result) -> Iterator[Event]:
        """Add a place to a journey, which may complete a flow."""
        first, last = journey.first, journey.last
        if first is None or last is None:
            journey.first = journey.last = place
        elif place.reached < first.reached:  # known only when the object left it
            journey.first = place
            yield from self._flow(journey, place, first, result)
        elif place.name == last.name:
            last.left = place.left
        elif place.reached >= last.reached:
            journey.last = place
            yield from self._flow(journey, last, place, result)

    def _flow(
        self, journey: Journey, origin: Place, destination: Place, result: Result
    ) -> Iterator[Event]:
        """Count a flow, unless it leads to where it began."""
        if origin.name == destination.name:
            return
        event, left = destination.event, origin.left
        label = event.label or ""
        self._number += 1
        self._counts[origin.name, destination.name, label] += 1
        seconds = 0.0 if left is None else max(destination.reached - left, 0.0)
        data: dict[str, Value] = {
            "origin": origin.name,
            "destination": destination.name,
            "seconds": seconds,
            "joined": journey.joined,
            "delay": result.frame.time - destination.reached,
        }
        yield replace(
            event,
            id=f"{event.stream}/flows/{self._number}",
            kind=FLOW,
            phase="point",
            rule=RULE,
            time=destination.reached,
            data=data,
        )

    def _join(self, old: int, new: int, now: float) -> None:
        """Let a track continue the journey of another."""
        journey = self._journeys[new] = self._journeys.setdefault(old, Journey())
        self._seen[old] = self._seen[new] = now
        journey.joined = True

    def _purge(self, result: Result) -> None:
        """Forget objects that had no track for long."""
        now = result.frame.time
        if abs(now - self._purged) < PURGE_EVERY_S:
            return
        self._purged = now
        for number in result.tracks.ids.tolist():
            if number in self._journeys:
                self._seen[number] = now
        kept = {n for n, seen in self._seen.items() if abs(now - seen) <= self._forget_after}
        self._seen = {n: self._seen[n] for n in kept}
        self._journeys = {n: self._journeys[n] for n in kept}
        known = {id(journey) for journey in self._journeys.values()}
        self._visits = {name: j for name, j in self._visits.items() if id(j) in known}


def _event(record: Mapping[str, Any], offset: float) -> Event:
    """An event from its record, `offset` s later."""
    points = {n: None if record[n] is None else tuple(record[n]) for n in ("box", "at")}
    return Event(**{**record, **points, "time": record["time"] + offset})
