"""Reports who is in the zones of the scene, for how long, and when there are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, MutableMapping
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from vidan.errors import ConfigError
from vidan.events import (
    CROWDED,
    ENTERED,
    EXITED,
    LOITERING,
    PASSED,
    Event,
    Measure,
    Phase,
    Shape,
    Value,
)
from vidan.scene import SceneContext
from vidan.types import Result

from ..formats.scene_file import load_scene
from .resting import NEVER_S
from .scene_change import kept_shapes
from .stitching import Rows
from .visitors import Visitors, moment
from .visits import Crowd, Moment, Totals, Visit
from .zone_paths import EPSILON_S, Pair, ZonePaths

LABELS_EVERY_S = 0.25
"""Interval at which the label of an object that may loiter or does not count is checked, s."""


class Zones:
    """Reports visits to the zones of the scene, and crowds.

    An object is inside or outside while its anchor is beyond the dead band around the border, whose
    width is proportional to the size of its box. A visit is a stay of at least `enter_after` that
    ends with a time outside of at least `leave_after`. Its events share an id: `zone.entered`, if
    the object was not detected inside first; `zone.loitering`, once, after the time that the zone
    has for its label; and `zone.left`, with `dwell`, the duration in s, and `began_inside`. They
    are dated where the path crossed the border, or at the last detection.

    A visit continues while the object has no track: for `forget_after` if it was at rest, or if
    there are no frames at all, else for `lost_after`. A new track at the place of an object that
    was at rest, or on the path of one that was moving, continues its visit, which is then `joined`.
    Objects that have had no track for a second are not counted as present, nor in crowds.

    `zone.passed` is for a path through a zone that is no visit, in or between detections.
    `zone.crowded` is an interval with more visitors than the zone allows, for longer than it
    allows. All events have `delay`, how much later they became known, s.

    The label is the one that most boxes of the track had so far.

    Args:
        scene: lines and zones; given by the run. A path or the content of a scene file elsewhere.
        dead_band: half the width of the dead band, in extents of the box across the border.
        enter_after: duration of the shortest visit, s.
        leave_after: time outside after which a visit has ended, s.
        lost_after: time without a track after which the visit of a moving object has ended, s.
        forget_after: time without a track after which any visit has ended, s.
        join_within: longest time between a track and the one that continues it, s; 0 to join none.
        required: whether a scene without zones is an error; else nothing is done then.
        shared: what the analyzers of a stream have in common; given by the run.

    Raises:
        ConfigError: the scene is invalid or has no zone.
    """

    def __init__(
        self,
        scene: SceneContext | Mapping[str, Any] | str | None = None,
        dead_band: Annotated[float, Meta(ge=0, le=1)] = 0.2,
        enter_after: Annotated[float, Meta(ge=0)] = 0.5,
        leave_after: Annotated[float, Meta(ge=0)] = 0.5,
        lost_after: Annotated[float, Meta(ge=0)] = 5.0,
        forget_after: Annotated[float, Meta(ge=0)] = 60.0,
        join_within: Annotated[float, Meta(ge=0, le=1)] = 1.0,
        required: bool = True,
        shared: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._scene = load_scene(scene)
        self._zones = self._scene.zones
        if required and not self._zones:
            raise ConfigError(
                "analytics.zones: the scene has no zone: set scene=<file>, or "
                "scene.zones.<name>.polygon=[[x,y],[x,y],[x,y]]"
            )
        self._paths = ZonePaths(
            self._zones, dead_band, enter_after, leave_after, join_within, shared
        )
        self._visitors = Visitors(self._paths, leave_after, lost_after, forget_after)
        self._crowds = [Crowd() for _ in self._zones]
        self._changed: dict[tuple[int, bool], Moment] = {}  # by zone, and whether one entered
        self._numbers = [0] * len(self._zones)  # of events
        self._retired: dict[str, int] = {}  # numbers of earlier zones, by name: ids do not repeat
        self._totals = Totals([zone.name for zone in self._zones])
        self._present: Counter[tuple[int, str]] = Counter()  # by zone and label
        self._measures: dict[Measure, float] | None = None
        self._size: tuple[int, int] | None = None
        self._last: Result | None = None

    def update(self, result: Result) -> list[Event]:
        """The events that became known with this frame, by time."""
        if not self._zones:
            return []
        events = self._fit(result)
        self._last = result = self._paths.memory.distinct(result)
        rows = self._paths.update(result)
        self._visitors.notice(result)
        if self._paths.memory.joins:
            self._visitors.take_over()
        if len(rows):
            begun = self._paths.advance(rows, result)
            for visit in self._visitors.resume(begun, rows, result):
                events.append(self._end(visit, result))
        events += self._due(result, rows)
        for visit in self._visitors.lose(result.frame.time, result):
            events.append(self._end(visit, result))
        if self._visitors.changed:
            self._count()
        if self._changed or any(crowd.since for crowd in self._crowds):
            events += self._crowd(result)
        return _in_order(events) if events else events

    def change_scene(self, scene: SceneContext) -> list[Event]:
        """See SceneEditable. Zones that are as they were continue; others start from zero.

        Returns:
            the ends of visits to zones that were changed or deleted, and of their crowds.
        """
        self._scene = load_scene(scene)
        before, self._measures = self._zones, None
        kept = kept_shapes(before, self._scene.zones)
        new = {old: index for index, old in enumerate(kept) if old is not None}
        events = [] if self._last is None else self._abandon(new.keys(), self._last)
        self._retired |= {zone.name: n for zone, n in zip(before, self._numbers, strict=True)}
        self._zones = self._scene.zones
        self._numbers = [self._retired.get(zone.name, 0) for zone in self._zones]
        self._crowds = [Crowd() if old is None else self._crowds[old] for old in kept]
        self._changed.clear()
        self._totals.change([zone.name for zone in self._zones], new)
        self._visitors.renumber(new)
        if not self._zones:
            self._size = None  # begin anew with all tracks when there is a zone again
        self._paths.change(self._zones, kept, self._size)
        self._count()
        return events

    def _abandon(self, kept: Container[int], last: Result) -> list[Event]:
        """End the visits and crowds of all zones but some."""
        others = [zone for zone in range(len(self._zones)) if zone not in kept]
        self._paths.memory.settle()
        events = [self._end(visit, last) for visit in self._visitors.end(others, last)]
        for zone in others:
            if self._crowds[zone].number:
                events += self._disperse(zone, last, end_of_stream=False)
        return _in_order(events)

    def finish(self) -> list[Event]:
        """The ends of the visits and crowds that last until the end of the stream."""
        return [] if self._last is None else self._close(self._last)

    def _close(self, last: Result) -> list[Event]:
        """End all visits and crowds."""
        self._paths.memory.settle()
        events = [e for p in self._paths.due(NEVER_S / 2) for e in self._leave(p, last)]
        events += [self._end(v, last, True) for v in self._visitors.finish(last)]
        self._count()
        events += self._crowd(last, end_of_stream=True)
        return _in_order(events)

    def measures(self) -> dict[Measure, float]:
        """Objects present, visits so far, and number and total duration of those that ended."""
        if self._measures is None:
            self._measures = self._totals.measures(self._present)
        return self._measures

    def shapes(self) -> list[Shape]:
        """The zones, with the objects that are in them and the visits so far."""
        if self._size is None:
            return []
        return [
            Shape(
                "polygon",
                zone.outline.pixels(*self._size).astype(np.float32),
                caption=self._caption(n),
                rule=zone.name,
            )
            for n, zone in enumerate(self._zones)
        ]

    def state(self) -> dict[str, Any]:
        """Counts, visits and what is known of tracks, ready for JSON."""
        return {
            "zones": [zone.name for zone in self._zones],
            "size": None if self._size is None else list(self._size),
            "numbers": list(self._numbers),
            "retired": dict(self._retired),
            "totals": self._totals.state(),
            "crowds": msgspec.to_builtins(self._crowds),
            "visitors": self._visitors.state(self._last),
            "paths": self._paths.state(),
        }

    def restore(self, state: Mapping[str, Any], offset: float = 0.0) -> None:
        """Continue from a state of the same zones.

        Raises:
            ValueError: it is not one.
        """
        names = [zone.name for zone in self._zones]
        if state.get("zones") != names:
            raise ValueError(f"it is of the zones {state.get('zones')}, not {names}")
        try:
            self._size = None if state["size"] is None else tuple(state["size"])
            self._numbers = list(state["numbers"])
            self._retired = dict(state.get("retired", {}))
            self._totals.restore(state["totals"])
            crowds = msgspec.convert(state["crowds"], list[Crowd])
            self._crowds = [crowd.shifted(offset) for crowd in crowds]
            self._visitors.restore(state["visitors"], offset)
            if self._size is not None:
                self._paths.fit(*self._size)
                self._paths.restore(state["paths"], offset)
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise ValueError(f"not a state of zones: {error}") from error
        self._count()

    def reset_counts(self) -> None:
        """Start visits and durations from zero."""
        self._totals.reset()
        self._measures = None

    def _caption(self, zone: int) -> str:
        now, visits = (
            sum(count for (n, _), count in counter.items() if n == zone)
            for counter in (self._present, self._totals.visits)
        )
        return f"{self._zones[zone].name} now {now} visits {visits}"

    def _fit(self, result: Result) -> list[Event]:
        """Convert the zones to px of the frames; if their size changes, all visits end."""
        size = result.frame.width, result.frame.height
        if self._last is None or result.labels != self._last.labels:
            self._scene.check_labels(result.labels)
        if size == self._size:
            return []
        if self._size is None:
            self._scene.check_size(*size)
        events = self._close(result) if self._visitors.all else []
        self._size = size
        self._paths.fit(*size)
        return events

    def _due(self, result: Result, rows: Rows) -> list[Event]:
        """What has become a visit, has ended, or has lasted for too long."""
        events: list[Event] = []
        for pair in self._paths.due(result.frame.time):
            if self._paths.columns["side"][pair] < 0:
                events += self._leave(pair, result)
            elif pair.row not in rows:
                continue
            elif self._paths.columns["visiting"][pair]:
                events += self._loiter(pair, result)
            elif self._counts(pair, result):
                if self._paths.is_due(pair):
                    events += self._begin(pair, result)
            else:
                self._paths.check_again(pair, result.frame.time + LABELS_EVERY_S)
        return events

    def _begin(self, pair: Pair, result: Result) -> list[Event]:
        """Begin a visit; reported if the object was not inside first."""
        columns, memory = self._paths.columns, self._paths.memory
        zone, row = pair.zone, pair.row
        self._numbers[zone] += 1
        visit = Visit(
            zone=zone,
            number=self._numbers[zone],
            track=int(memory.ids[row]),
            label=memory.label(row, result),
            began=moment(columns["entry"][pair]),
            began_inside=bool(columns["began"][pair]),
            joined=bool(columns["joined"][pair]),
        )
        self._visitors.add(visit, row)
        self._changed[zone, True] = visit.began
        self._totals.visits[zone, visit.label] += 1
        if visit.began_inside:
            return []
        return [self._event(ENTERED, "start", visit, visit.began, result, joined=visit.joined)]

    def _leave(self, pair: Pair, result: Result) -> list[Event]:
        """The end of a stay or passage."""
        columns, events = self._paths.columns, list[Event]()
        if columns["side"][pair] > 0:
            return []
        if columns["visiting"][pair]:
            events.append(self._end(self._visitors.leave(pair, result), result))
        elif columns["staying"][pair] and self._paths.is_visit(pair):
            if self._counts(pair, result):
                events += self._begin(pair, result)
                events.append(self._end(self._visitors.leave(pair, result), result))
        elif columns["through"][pair] and self._counts(pair, result):
            events.append(self._pass(pair, result))
        self._paths.end(pair)
        return events

    def _counts(self, pair: Pair, result: Result) -> bool:
        return self._paths.counts(pair.zone, self._paths.memory.label(pair.row, result))

    def _pass(self, pair: Pair, result: Result) -> Event:
        memory, zone = self._paths.memory, pair.zone
        entry, left = (moment(self._paths.columns[name][pair]) for name in ("entry", "exit"))
        self._numbers[zone] += 1
        joined = bool(self._paths.columns["joined"][pair])
        label, track = memory.label(pair.row, result), int(memory.ids[pair.row])
        passed = Visit(zone, self._numbers[zone], track, label, entry, False, joined)
        data: dict[str, Value] = {"dwell": left.time - entry.time, "joined": joined}
        return self._event(PASSED, "point", passed, entry, result, **data)

    def _loiter(self, pair: Pair, result: Result) -> list[Event]:
        """An alert, if the visit has lasted for too long for the label that the object has now."""
        memory, now = self._paths.memory, result.frame.time
        visit = self._visitors.all[pair.zone, int(memory.ids[pair.row])]
        label = self._visitors.label(visit, pair.row, result)
        after = self._zones[pair.zone].loiter_after(label)
        due = NEVER_S if after is None else visit.began.time + after
        if after is None or due > now + EPSILON_S:
            self._paths.check_again(pair, min(due, now + LABELS_EVERY_S))
            return []
        self._relabel(visit, label)
        visit.loitered = True
        self._paths.visit(visit, pair.row)
        n = int(np.flatnonzero(result.tracks.ids == visit.track)[0])
        x1, y1, x2, y2 = result.tracks.boxes[n].tolist()
        at = Moment(due, result.frame.index, (x1, y1, x2, y2))
        return [self._event(LOITERING, "update", visit, at, result, dwell=after)]

    def _end(self, visit: Visit, result: Result, end_of_stream: bool = False) -> Event:
        """The end of a visit that is over."""
        assert visit.last is not None
        self._relabel(visit, visit.vote)
        dwell = visit.last.time - visit.began.time
        data: dict[str, Value] = {
            "dwell": dwell,
            "began_inside": visit.began_inside,
            "joined": visit.joined,
            "end_of_stream": end_of_stream and not visit.leaving,
        }
        self._changed[visit.zone, False] = visit.last
        self._totals.end(visit, dwell)
        return self._event(EXITED, "end", visit, visit.last, result, **data)

    def _count(self) -> None:
        """Count the objects that are present."""
        self._present = self._visitors.present()
        self._visitors.changed = False
        self._measures = None

    def _relabel(self, visit: Visit, label: str) -> None:
        """Let a visit have the label that its object has now."""
        self._visitors.changed |= label != visit.label
        visit.label = label

    def _crowd(self, result: Result, end_of_stream: bool = False) -> list[Event]:
        """Zones that have been crowded for long enough, or no longer are."""
        events: list[Event] = []
        for zone, crowd in enumerate(self._crowds):
            rule = self._zones[zone].crowd
            if rule is None:
                continue
            most, after = rule
            count = sum(n for (z, _), n in self._present.items() if z == zone)
            if count > most and crowd.since is None:
                crowd.since = self._changed.get((zone, True), _now(result))
            if crowd.since is None:
                continue
            seconds = result.frame.time - crowd.since.time
            if count > most and not crowd.number and seconds + EPSILON_S >= after:
                self._numbers[zone] += 1
                crowd.number = self._numbers[zone]
                events.append(self._crowd_event("start", zone, crowd.since, result, objects=count))
            if count <= most:
                events += self._disperse(zone, result, end_of_stream)
        self._changed.clear()
        return events

    def _disperse(self, zone: int, result: Result, end_of_stream: bool) -> list[Event]:
        """The end of a crowd, if it was reported."""
        crowd, left = self._crowds[zone], self._changed.get((zone, False), _now(result))
        assert crowd.since is not None
        events = []
        if crowd.number:
            left = left._replace(time=max(left.time, crowd.since.time))
            data = {"duration": left.time - crowd.since.time, "end_of_stream": end_of_stream}
            events.append(self._crowd_event("end", zone, left, result, **data))
        crowd.since, crowd.number = None, 0
        return events

    def _crowd_event(
        self, phase: Phase, zone: int, at: Moment, result: Result, **data: Value
    ) -> Event:
        name, frame = self._zones[zone].name, result.frame
        return Event(
            id=f"{frame.stream}/zones/{name}/{self._crowds[zone].number}",
            kind=CROWDED,
            phase=phase,
            stream=frame.stream,
            rule=name,
            time=at.time,
            frame=at.frame,
            data={**data, "delay": frame.time - at.time},
        )

    def _event(
        self, kind: str, phase: Phase, visit: Visit, at: Moment, result: Result, **data: Value
    ) -> Event:
        name, frame = self._zones[visit.zone].name, result.frame
        x, y = self._paths.anchor(visit.zone, at.box)
        return Event(
            id=f"{frame.stream}/zones/{name}/{visit.number}",
            kind=kind,
            phase=phase,
            stream=frame.stream,
            rule=name,
            time=at.time,
            frame=at.frame,
            track=visit.track,
            label=visit.label,
            box=at.box,
            at=(x, y),
            data={**data, "delay": frame.time - at.time},
        )


def _now(result: Result) -> Moment:
    return Moment(result.frame.time, result.frame.index, (0.0, 0.0, 0.0, 0.0))


def _in_order(events: list[Event]) -> list[Event]:
    """Events by time; of those at the same time, such as two zones that touch, ends come first."""
    return sorted(events, key=lambda event: (event.time, event.phase != "end"))
