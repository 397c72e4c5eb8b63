"""Reports objects that stay at one place: parked or left behind."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from vidan.errors import ConfigError, did_you_mean
from vidan.events import STATIONARY, Event, Measure, Phase, Value
from vidan.geometry import anchor_points, beyond_sides
from vidan.scene import SceneContext
from vidan.types import Result

from ..formats.scene_file import Zone, load_scene
from .columns import Columns
from .polygons import Polygons
from .resting import (
    MOVED,
    NEVER_S,
    REST_AFTER_S,
    REST_COLUMNS,
    REST_EVERY_S,
    Place,
    begin_rest,
    distance_from,
    follow_rest,
    match_places,
    place_of,
    take_place,
)
from .stitching import Rows, TrackMemory, shared_memory
from .zone_paths import MAX_STEP_S

log = logging.getLogger(__name__)

COLUMNS = REST_COLUMNS | {"joined": (np.bool_, False)}
"""What is remembered of each track."""

TIMES = ("rest_since", "rest_until", "away_since")
"""The columns that are times."""


@dataclass(slots=True)
class Stay:
    """An object at one place.

    Attributes:
        track: id of the track, or of the last one of several.
        label: of the object.
        number: in the ids of its events; 0 if it was lost before it was there for long enough.
        joined: whether it continued as another track.
        place: where it is.
        until: when it was last detected there, s; up to date once it is lost.
        frame: index of the frame of its last detection; likewise.
    """

    track: int
    label: str
    place: Place
    until: float
    frame: int
    number: int = 0
    joined: bool = False

    def shifted(self, offset: float) -> Stay:
        """Itself, with all times changed by `offset` s."""
        self.until += offset
        self.place = self.place._replace(since=self.place.since + offset)
        return self


class Stationary:
    """Reports objects that have not moved for long, such as parked cars, as `object.stationary`.

    An object moves if its box is more than half its size from where it was, for a second. The
    interval starts `after` s after the last movement, and ends when the object was last detected
    at its place. In the data are `since`, when it came to rest, s; `joined`, whether it continued
    as another track; and in the end `duration`, s. Both have `delay`, how much later they became
    known, s.

    A stay continues while the object is not detected, for up to `forget_after`, unless another
    object stays at the same place. A new track at its place continues it.

    The label is the one that most boxes of the track had so far.

    Args:
        scene: zones; given by the run. A path or the content of a scene file elsewhere.
        after: time without movement after which an object is stationary, s.
        forget_after: time without a detection after which it has left, s.
        zones: names of the zones that count, with their anchors and labels; null for the whole
            image.
        labels: of the objects that count; null for all.
        join_within: longest time between a moving track and the one that continues it, s.
        shared: what the analyzers of a stream have in common; given by the run.

    Raises:
        ConfigError: the scene is invalid, or has no zone of that name.
    """

    def __init__(
        self,
        scene: SceneContext | Mapping[str, Any] | str | None = None,
        after: Annotated[float, Meta(gt=0)] = 30.0,
        forget_after: Annotated[float, Meta(ge=0)] = 60.0,
        zones: list[str] | None = None,
        labels: list[str] | None = None,
        join_within: Annotated[float, Meta(ge=0, le=1)] = 1.0,
        shared: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._scene = load_scene(scene)
        known = [zone.name for zone in self._scene.zones]
        self._names = zones or []
        for name in self._names:
            if name not in known:
                raise ConfigError(
                    f"zones: the scene has no zone {name!r}: {did_you_mean(name, known)}"
                )
        self._zones = self._chosen()
        if isinstance(scene, SceneContext):
            _check_labels(labels, scene.labels)
        self._labels, self._after, self._forget_after = labels, after, forget_after
        self._join_within, self._shared = join_within, shared
        self._memory = TrackMemory(join_within)
        self._columns = Columns(COLUMNS, 1)
        self._stays: dict[int, Stay] = {}  # by id
        self._absent: dict[int, Stay] = {}  # those without a track in the last frame
        self._number = 0
        self._totals: Counter[str] = Counter()
        self._next_check = -NEVER_S
        self._ids = np.zeros(0, np.int64)
        self._now: float | None = None
        self._polygons: Polygons | None = None
        self._size: tuple[int, int] | None = None
        self._last: Result | None = None
        self._measures: dict[Measure, float] | None = None

    def update(self, result: Result) -> list[Event]:
        """The stays that began or ended, by time."""
        events = self._fit(result)
        memory, now = self._memory, result.frame.time
        result = memory.distinct(result)
        rows = memory.update(result)
        self._columns.follow(memory)
        returned = self._notice(result)
        self._last = result
        for old, new in memory.joins:
            self._take_over(int(memory.ids[old]), int(memory.ids[new]), new)
        if len(rows):
            events += self._begin(rows, returned, result)
        if now >= self._next_check:
            self._next_check = now + REST_EVERY_S
            events += self._check(rows, result)
        return sorted(events, key=lambda event: event.time)

    def change_scene(self, scene: SceneContext) -> list[Event]:
        """See SceneEditable. All stays continue; those that begin later count in the new zones."""
        self._scene = load_scene(scene)
        self._zones = self._chosen()
        for name in set(self._names) - {zone.name for zone in self._zones}:
            log.warning("stationary: the scene has no zone %r anymore: it counts nothing", name)
        if self._size is not None:
            self._place(*self._size)
        return []

    def finish(self) -> list[Event]:
        """The ends of the stays that last until the end of the stream."""
        if self._last is None:
            return []
        self._memory.settle()
        for stay in self._stays.values():
            if stay.track not in self._absent:
                self._locate(stay, self._last)
        ended = [stay for stay in self._stays.values() if stay.number]
        return [self._event("end", stay, self._last, True) for stay in ended]

    def measures(self) -> dict[Measure, float]:
        """Stationary objects now, and stays so far, by label."""
        if self._measures is None:
            now = Counter(stay.label for stay in self._stays.values() if stay.number)
            self._measures = {
                Measure(name, (("label", label),)): float(counter[label])
                for name, counter in (
                    ("stationary_objects", now),
                    ("stationary_total", self._totals),
                )
                for label in sorted(self._totals)
            }
        return self._measures

    def state(self) -> dict[str, Any]:
        """Counts, stays and what is known of tracks, ready for JSON."""
        return {
            "stays": msgspec.to_builtins(list(self._stays.values())),
            "absent": list(self._absent),
            "number": self._number,
            "totals": dict(self._totals),
            "next_check": self._next_check,
            "ids": self._ids.tolist(),
            "now": self._now,
            "size": None if self._size is None else list(self._size),
            "memory": self._memory.state(),
            "columns": self._columns.state(),
        }

    def restore(self, state: Mapping[str, Any], offset: float = 0.0) -> None:
        """Continue from a state.

        Raises:
            ValueError: it is not one of this analyzer.
        """
        try:
            stays = msgspec.convert(state["stays"], list[Stay])
            self._stays = {stay.track: stay.shifted(offset) for stay in stays}
            self._absent = {track: self._stays[track] for track in state["absent"]}
            self._number, self._totals = state["number"], Counter(state["totals"])
            self._next_check = state["next_check"] + offset
            self._ids = np.array(state["ids"], np.int64)
            self._now = None if state["now"] is None else state["now"] + offset
            if state["size"] is not None:
                self._scale(state["size"][0], state["size"][1])
            self._memory.restore(state["memory"], offset)
            self._columns.restore(state["columns"], self._memory)
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise ValueError(f"not a state of stationary objects: {error}") from error
        for name in TIMES:
            self._columns[name] += offset
        self._measures = None

    def reset_counts(self) -> None:
        """Start the number of stays from zero."""
        self._totals = Counter(dict.fromkeys(self._totals, 0))
        self._measures = None

    def _fit(self, result: Result) -> list[Event]:
        """Convert the zones to px of the frames; if their size changes, all stays end."""
        size = result.frame.width, result.frame.height
        if self._last is None or result.labels != self._last.labels:
            self._scene.check_labels(result.labels)
            _check_labels(self._labels, result.labels)
        if size == self._size:
            return []
        events = self.finish()
        self._stays.clear()
        self._absent.clear()
        self._scale(*size)
        return events

    def _scale(self, width: int, height: int) -> None:
        self._size = width, height
        self._memory = shared_memory(self._shared, self._join_within, self._size)
        self._columns.clear()
        self._place(width, height)

    def _chosen(self) -> list[Zone]:
        """The zones that count, as far as the scene has them."""
        return [zone for zone in self._scene.zones if zone.name in self._names]

    def _place(self, width: int, height: int) -> None:
        """Compute where the zones are in images of a size."""
        outlines = [zone.outline.pixels(width, height) for zone in self._zones]
        beyond = [beyond_sides(points, width, height) for points in outlines]
        self._polygons = Polygons(beyond) if beyond else None

    def _notice(self, result: Result) -> list[Stay]:
        """Note which objects at rest have no track now; returns those that have one again."""
        ids, now = result.tracks.ids, result.frame.time
        paused = self._now is not None and now - self._now > MAX_STEP_S
        self._now = now
        if not paused and np.array_equal(ids, self._ids):
            return []
        present = set(ids.tolist())
        for track in self._ids.tolist():
            if paused or track not in present:
                stay = self._stays.get(track) or self._resting(track, result)
                if stay is not None:
                    self._locate(stay, result)
                    self._stays[track] = self._absent[track] = stay
        self._ids = ids
        returned = [stay for stay in self._absent.values() if stay.track in present]
        for stay in returned:
            del self._absent[stay.track]
        return returned

    def _resting(self, track: int, result: Result) -> Stay | None:
        """A stay of an object that has been at rest for a while."""
        row = self._memory.row(track)
        if row is None:
            return None
        since, until = (self._columns[name][0, row] for name in ("rest_since", "rest_until"))
        if until - since < REST_AFTER_S:
            return None
        return Stay(track, "", place_of(self._memory, self._columns, row, result), float(until), 0)

    def _locate(self, stay: Stay, result: Result) -> None:
        """Note where an object that has a track was last."""
        row = self._memory.row(stay.track)
        assert row is not None
        stay.place = place_of(self._memory, self._columns, row, result)
        stay.until = float(self._columns["rest_until"][0, row])
        stay.frame = int(self._memory.frame[row])

    def _take_over(self, old: int, new: int, row: int) -> None:
        """Let a track that continues another continue its stay too."""
        stay = self._stays.pop(old, None)
        self._absent.pop(old, None)
        self._columns["joined"][0, row] = True
        if stay is not None and stay.number:
            stay.track, stay.joined = new, True
            self._stays[new] = stay

    def _begin(self, rows: Rows, returned: list[Stay], result: Result) -> list[Event]:
        """Begin new tracks, some of which continue stays; ends stays of objects found elsewhere."""
        columns, tracks, now = self._columns, result.tracks, result.frame.time
        new = columns["rest_since"][0, rows] < -NEVER_S / 2
        begin_rest(columns, rows[new], tracks.boxes[new].astype(np.float64), now)
        labels = [result.label(number) for number in tracks.classes.tolist()]
        boxes = {n: (tracks.boxes[n], labels[n]) for n in np.flatnonzero(new).tolist()}
        index = {number: n for n, number in enumerate(tracks.ids.tolist())}
        events: list[Event] = []
        for stay in returned:
            box = boxes.pop(index[stay.track], None)
            if box is None:  # its track was not forgotten
                if not stay.number:
                    del self._stays[stay.track]
            elif distance_from(stay.place, *box) > MOVED:
                events += self._leave(stay, result)
            else:
                take_place(columns, int(rows[index[stay.track]]), stay.place)
                if not stay.number:
                    del self._stays[stay.track]
        places = {track: stay.place for track, stay in self._absent.items()}
        for track, n in match_places(places, boxes):
            take_place(columns, int(rows[n]), places[track])
            self._take_over(track, int(tracks.ids[n]), int(rows[n]))
        return events

    def _check(self, rows: Rows, result: Result) -> list[Event]:
        """Find out what has moved, what has not for long, and what is gone."""
        columns, now = self._columns, result.frame.time
        boxes = result.tracks.boxes.astype(np.float64)
        moved = follow_rest(columns, rows, boxes, now)
        events: list[Event] = []
        for row in rows[moved].tolist():
            stay = self._stays.get(int(self._memory.ids[row]))
            if stay is not None:
                self._locate(stay, result)
                events += self._leave(stay, result)
        begin_rest(columns, rows[moved], boxes[moved], now)
        columns["joined"][0, rows[moved]] = False
        still = (now - columns["rest_since"][0, rows] >= self._after) & (
            columns["away_since"][0, rows] >= NEVER_S / 2
        )
        for n in np.flatnonzero(still).tolist():
            if int(result.tracks.ids[n]) not in self._stays and self._counts(n, rows, result):
                events += self._stay(n, int(rows[n]), result)
        gone = [s for s in self._absent.values() if now - s.until >= self._forget_after]
        return events + [event for stay in gone for event in self._leave(stay, result)]

    def _counts(self, n: int, rows: Rows, result: Result) -> bool:
        """Whether an object is in one of the zones and has one of the labels."""
        label = self._memory.label(int(rows[n]), result)
        if self._labels is not None and label not in self._labels:
            return False
        if not self._names:
            return True
        return self._polygons is not None and any(
            (zone.labels is None or label in zone.labels)
            and self._polygons.contains(k, *anchor_points(result.tracks.boxes[n], zone.anchor)[0])
            for k, zone in enumerate(self._zones)
        )

    def _stay(self, n: int, row: int, result: Result) -> list[Event]:
        """Report a stay; if another object was lost at this place, its stay has ended."""
        box, label = result.tracks.boxes[n], result.label(int(result.tracks.classes[n]))
        events = []
        for other in list(self._absent.values()):
            if distance_from(other.place, box, label) <= MOVED:
                events += self._leave(other, result)
        self._number += 1
        label, track = self._memory.label(row, result), int(self._memory.ids[row])
        place, frame = place_of(self._memory, self._columns, row, result), result.frame
        joined = bool(self._columns["joined"][0, row])
        stay = Stay(track, label, place, frame.time, frame.index, self._number, joined)
        self._stays[track] = stay
        self._totals[label] += 1
        self._measures = None
        return [*events, self._event("start", stay, result)]

    def _leave(self, stay: Stay, result: Result) -> list[Event]:
        """Forget a stay; its end, if its start was reported."""
        del self._stays[stay.track]
        self._absent.pop(stay.track, None)
        self._measures = None
        return [self._event("end", stay, result)] if stay.number else []

    def _event(
        self, phase: Phase, stay: Stay, result: Result, end_of_stream: bool = False
    ) -> Event:
        frame, place = result.frame, stay.place
        data: dict[str, Value] = {"since": place.since, "joined": stay.joined}
        time = place.since + self._after
        if phase == "end":
            time = stay.until
            data |= {"duration": time - place.since, "end_of_stream": end_of_stream}
        return Event(
            id=f"{frame.stream}/stationary/{stay.number}",
            kind=STATIONARY,
            phase=phase,
            stream=frame.stream,
            rule="stationary",
            time=time,
            frame=stay.frame,
            track=stay.track,
            label=stay.label,
            box=(
                *(place.x - place.width / 2, place.y - place.height / 2),
                *(place.x + place.width / 2, place.y + place.height / 2),
            ),
            at=(place.x, place.y + place.height / 2),
            data={**data, "delay": frame.time - time},
        )


def _check_labels(labels: list[str] | None, known: tuple[str, ...]) -> None:
    """Check that the labels are among those of the model; () for any labels."""
    for label in labels or ():
        if known and label not in known:
            near = did_you_mean(label, known)
            raise ConfigError(f"labels: the model has no label {label!r}: {near}")
