"""How fast objects move on the ground, and which have stopped, go the wrong way or speed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from vidan.errors import ConfigError
from vidan.events import MEASURED, SPEEDING, STOPPED, WRONG_WAY, Event, Measure, Phase, Shape, Value
from vidan.geometry import ANCHOR_HEIGHTS, Anchor, anchor_points
from vidan.scene import SceneContext
from vidan.types import Result

from ...formats.ground import GroundPlane, fit_ground
from ...formats.scene_file import Scene, Zone, load_scene
from ..polygons import Polygons
from ..scene_change import kept_shapes, same_ground
from ..stitching import Rows
from .memory import NEVER_S, TOLERANCE_S, MotionMemory
from .motion import Motion
from .track import Condition, Interval, Key, Moment, SpeedTrack

log = logging.getLogger(__name__)

EVERY_S = 0.2
"""Interval of the estimates, s."""

LEFT_AFTER_S = 2.0
"""Time without a track after which an object has left, s."""

MAX_ERROR = 0.1
"""Standard error of a speed above which it is not used, as a fraction of the speed."""

AGAINST = -0.5
"""Cosine of the angle to the direction of a zone, 120°, from which on an object goes against it."""

MIN_WRONG_WAY = 1.0
"""Speed against the direction of a zone that is no jitter, m/s."""

RULE = "speed"
"""Rule of the events that are about no zone."""

UNKNOWN = SpeedTrack()
"""A track without a speed."""

UNITS = {"km/h": 3.6, "m/s": 1.0, "mph": 3600 / 1609.344}

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Speed:
    """Measures speeds on the ground, and reports what stops, speeds or goes the wrong way.

    The positions of an object on the ground during the last `window` seconds give its speed in
    the middle of that time, by a robust fit that trusts distant positions less. An object is
    measured where its box touches no border of the image and the horizon is not near.

    - `speed.measured`, once for each track with a speed, when it has left: `median`, `max`, m/s;
      `median_kmh`, `max_kmh`; `duration`, for which its speed was known, s; `residual`, of
      `scene.ground`, m; `joined`, whether broken tracks were continued by others.
    - `object.stopped` begins when an object that moved has been slower than `stop_below` for
      `stop_after` seconds, and ends when it is twice as fast.
    - `object.wrong_way` begins when an object in a zone with a `direction` has moved against it,
      at an angle of more than 120°, for `alert_after` seconds.
    - `object.speeding` begins when an object has been faster than `limit` for `alert_after`
      seconds.

    The three intervals also end when the object leaves. They are dated when they began; in their
    data is `delay`, how much later that became known, s, and at their end `duration`, s.

    Draws the speed of each track. Measures `speed_meters_per_second`, the mean speed of the present
    objects by label; `speed_measured_total`, the number of measured objects by label; and
    `ground_residual_meters`.

    Args:
        scene: its ground, and its zones; given by the run. A path or the content of a scene file
            elsewhere.
        anchor: the point of a box that is on the ground.
        window: time over which a speed is measured, s.
        stop_below: speed below which an object has stopped, m/s.
        stop_after: time for which it must have stopped to be reported, s.
        limit: speed above which an object is speeding, m/s; None for any speed.
        alert_after: time for which it must speed or go the wrong way to be reported, s.
        join_within: longest time between a track and the one that continues it, s; 0 to join none.
        unit: of the speeds that are drawn; None to draw none.

    Raises:
        ConfigError: the scene is invalid or has no ground.
    """

    def __init__(
        self,
        scene: SceneContext | Mapping[str, Any] | str | None = None,
        anchor: Anchor = "bottom",
        window: Annotated[float, Meta(ge=0.5, le=10)] = 2.0,
        stop_below: Annotated[float, Meta(gt=0)] = 0.5,
        stop_after: Annotated[float, Meta(ge=0)] = 3.0,
        limit: Annotated[float, Meta(gt=0)] | None = None,
        alert_after: Annotated[float, Meta(ge=0)] = 1.0,
        join_within: Annotated[float, Meta(ge=0, le=1)] = 1.0,
        unit: Literal["km/h", "m/s", "mph"] | None = "km/h",
    ) -> None:
        self._scene = load_scene(scene)
        if self._scene.ground is None:
            raise ConfigError(
                "analytics.speed: the scene has no ground: set scene.ground={points:[...],"
                "meters:[...]}, four or more points in the image and where they are, in m"
            )
        self._anchor, self._unit = anchor, unit
        self._stop_below, self._limit = stop_below, limit
        self._after = {STOPPED: stop_after, WRONG_WAY: alert_after, SPEEDING: alert_after}
        self._options = anchor, window, join_within
        self._memory = MotionMemory(*self._options)
        self._due = NEVER_S
        self._tracks: dict[int, SpeedTrack] = {}  # those that had a speed, by id
        self._numbers: Counter[str] = Counter()  # of the events, by kind
        self._measured: Counter[str] = Counter()  # tracks by label
        self._measures: dict[Measure, float] = {}
        self._size: tuple[int, int] | None = None
        self._labels: tuple[str, ...] | None = None
        self._last: Result | None = None
        if isinstance(scene, SceneContext) and scene.size is not None:
            self._place(*scene.size)

    def update(self, result: Result) -> list[Event]:
        """What began or ended with this frame, and the speeds of objects that have left."""
        events = [*self._fit(result), *self._leave(result, LEFT_AFTER_S)]
        memory = self._memory
        self._last = result = memory.distinct(result)
        rows = memory.update(result)
        for join in memory.joins:
            self._continue(int(memory.ids[join.old]), int(memory.ids[join.new]))
        if len(rows):
            memory.settle()
            memory.remember(rows, result, self._plane)
        now = result.frame.time
        if now >= self._due or now < self._due - 2 * EVERY_S:
            self._due = now + EVERY_S - TOLERANCE_S
            events += self._estimate(rows, result) if len(rows) else []
            self._measure(result)
        return events

    def change_scene(self, scene: SceneContext) -> list[Event]:
        """See SceneEditable. Speeds go on unless the ground changes, which ends all tracks.

        Without a ground, the one before stays. A scene with a direction that is not on the ground
        is not used; both are logged.
        """
        after = load_scene(scene)
        if after.ground is None:
            log.warning("speed: the scene has no ground anymore: the one before is used")
            after = replace(after, ground=self._scene.ground)
        if self._size is None:
            self._scene = after
            return []
        try:
            _directions(after, _plane(after, *self._size), *self._size)
        except ConfigError as error:
            log.warning("speed: the scene before the change is used: %s", error)
            return []
        if same_ground(self._scene.ground, after.ground):
            kept = kept_shapes(self._scene.zones, after.zones)
            names = {z.name for z, old in zip(after.zones, kept, strict=True) if old is not None}
            events = self._end_others(names)
        else:
            events = self.finish()
            self._memory = MotionMemory(*self._options)
        self._scene = after
        self._place(*self._size)
        return events

    def _end_others(self, zones: Container[str]) -> list[Event]:
        """End what goes on in all zones but some."""
        self._memory.settle()
        return [
            event
            for number, track in self._tracks.items()
            for key in list(track.intervals)
            if key[0] == WRONG_WAY and key[1] not in zones and self._last is not None
            if (row := self._memory.row(number)) is not None
            for event in self._end(key, number, self._memory.last(row), self._last)
        ]

    def finish(self) -> list[Event]:
        """The speeds of the objects that are there at the end of the stream."""
        return [] if self._last is None else self._leave(self._last, 0.0)

    def measures(self) -> dict[Measure, float]:
        """The measures that are listed above."""
        return self._measures

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {
            "size": self._size,
            "due": self._due,
            "numbers": dict(self._numbers),
            "measured": dict(self._measured),
            "measures": [[*measure, value] for measure, value in self._measures.items()],
            "tracks": [[number, track.state()] for number, track in self._tracks.items()],
            "memory": self._memory.state(),
        }

    def restore(self, state: Mapping[str, Any], offset: float = 0.0) -> None:
        """Continue from a state, `offset` s later."""
        try:
            self._due = float(state["due"]) + offset
            self._numbers.update({kind: int(count) for kind, count in state["numbers"].items()})
            self._measured.update({label: int(n) for label, n in state["measured"].items()})
            for number, track in state["tracks"]:
                self._tracks[int(number)] = SpeedTrack.restored(track, offset)
            self._memory.restore(state["memory"], offset)
            if state["size"] is not None:
                width, height = state["size"]
                self._place(width, height)
            for name, labels, value in state["measures"]:
                self._measures[Measure(name, tuple((k, v) for k, v in labels))] = float(value)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError("not a state of the analyzer speed") from error

    def reset_counts(self) -> None:
        """Start the numbers of measured objects from zero."""
        self._measured = Counter(dict.fromkeys(self._measured, 0))

    def shapes(self) -> list[Shape]:
        """The speed of each track of the last frame, at its anchor."""
        if self._unit is None or self._last is None:
            return []
        tracks = self._last.tracks
        anchors = anchor_points(tracks.boxes, self._anchor).astype(np.float32)
        return [
            Shape("path", anchors[n : n + 1], number, _caption(speed, self._unit))
            for n, number in enumerate(tracks.ids.tolist())
            if np.isfinite(speed := self._track(number).current)
        ]

    def _fit(self, result: Result) -> list[Event]:
        """Convert the scene to px of the frames; all tracks end where their size changes."""
        size = result.frame.width, result.frame.height
        if result.labels != self._labels:
            self._scene.check_labels(result.labels)
            self._labels = result.labels
        if size == self._size:
            return []
        events = self._leave(result, 0.0)
        self._memory = MotionMemory(*self._options)
        self._scene.check_size(*size)
        self._place(*size)
        return events

    def _place(self, width: int, height: int) -> None:
        """Compute where the scene is in images of a size."""
        self._size = width, height
        self._plane = _plane(self._scene, width, height)
        assert self._scene.ground is not None
        count, residual = len(self._scene.ground.meters), self._plane.residual
        log.info("speed: the fit of %d ground points has a residual of %.2f m", count, residual)
        self._zones = _with_direction(self._scene)
        self._directions = _directions(self._scene, self._plane, width, height)
        outlines = [zone.outline.pixels(width, height) for zone in self._zones]
        self._polygons = Polygons(outlines) if outlines else None

    def _track(self, number: int) -> SpeedTrack:
        return self._tracks.get(number, UNKNOWN)

    def _continue(self, old: int, new: int) -> None:
        """Let a track take over the speeds of the one that it continues."""
        track = self._tracks.pop(old, None)
        if track is not None:
            track.joined = True
            self._tracks[new] = track

    def _estimate(self, rows: Rows, result: Result) -> list[Event]:
        """Estimate the speeds of tracks (N,), and report what began or ended."""
        motion = self._memory.motion(rows, result.frame.time)
        precise = motion.error <= np.maximum(MAX_ERROR * motion.speed, self._stop_below)
        certain = motion.speed > 3 * motion.error
        ids = result.tracks.ids.tolist()
        for n in np.flatnonzero(~precise).tolist():
            if ids[n] in self._tracks:
                self._tracks[ids[n]].current = np.nan
        known = np.flatnonzero(precise).tolist()
        for n in known:
            track = self._tracks.setdefault(ids[n], SpeedTrack())
            track.label = self._memory.label(int(rows[n]), result)
            track.add(*(float(values[n]) for values in (motion.time, motion.speed, motion.error)))
            track.moved |= bool(certain[n] and motion.speed[n] > 2 * self._stop_below)
        return [
            event
            for condition in self._conditions(motion, certain, result)
            for n in known
            for event in self._follow(condition, n, int(rows[n]), motion, result)
        ]

    def _conditions(self, motion: Motion, certain: Bools, result: Result) -> list[Condition]:
        """What N objects may be doing, and whether they are."""
        speed, slow = motion.speed, self._stop_below
        moved = np.array([self._track(n).moved for n in result.tracks.ids.tolist()])
        found = [Condition(STOPPED, RULE, moved & (speed < slow), speed > 2 * slow)]
        if self._limit is not None:
            found.append(Condition(SPEEDING, RULE, speed > self._limit, speed <= self._limit))
        if self._polygons is None:
            return found
        along = motion.velocity @ self._directions.T / np.maximum(speed, slow)[:, None]
        for zone, inside, cosine in zip(self._zones, self._inside(result), along.T, strict=True):
            begins = inside & certain & (speed > MIN_WRONG_WAY) & (cosine < AGAINST)
            ends = ~inside | (cosine >= 0)
            found.append(Condition(WRONG_WAY, zone.name, begins, ends))
        return found

    def _inside(self, result: Result) -> Bools:
        """Which objects are in which of the zones with a direction (Z,N)."""
        assert self._polygons is not None
        x1, y1, x2, y2 = result.tracks.boxes.astype(np.float64).T
        heights = np.array([[ANCHOR_HEIGHTS[zone.anchor]] for zone in self._zones])
        inside = self._polygons.contain((x1 + x2) / 2, y1 + heights * (y2 - y1))
        labels = [self._track(n).label for n in result.tracks.ids.tolist()]
        for zone, row in zip(self._zones, inside, strict=True):
            if zone.labels is not None:
                row &= [label in zone.labels for label in labels]
        return inside

    def _follow(
        self, condition: Condition, n: int, row: int, motion: Motion, result: Result
    ) -> Iterator[Event]:
        """Report that an interval of a track began or ended."""
        number = int(result.tracks.ids[n])
        track, time, speed = self._tracks[number], float(motion.time[n]), float(motion.speed[n])
        key, begins = (condition.kind, condition.rule), bool(condition.begins[n])
        interval = track.intervals.get(key)
        if interval is None:
            if begins:
                track.intervals[key] = Interval(self._begin(key, row, time, result), top=speed)
            return
        interval.top = max(interval.top, speed)
        if condition.ends[n]:
            yield from self._end(key, number, self._memory.moment(row, time), result)
        elif interval.id is None and not begins:
            del track.intervals[key]
        elif interval.id is None and time - interval.since.time >= self._after[condition.kind]:
            interval.id = self._new_id(key[0], result)
            data = {"speed": interval.top} if condition.kind != STOPPED else {}
            yield self._event(interval.id, key, "start", number, interval.since, result, **data)

    def _begin(self, key: Key, row: int, time: float, result: Result) -> Moment:
        if key[0] == STOPPED:
            return self._memory.stop(row, result.frame.time)
        return self._memory.moment(row, time)

    def _end(self, key: Key, number: int, moment: Moment, result: Result) -> Iterator[Event]:
        """End an interval, which is reported if its start was."""
        interval = self._tracks[number].intervals.pop(key)
        if interval.id is not None:
            data = {"duration": max(moment.time - interval.since.time, 0.0)}
            if key[0] != STOPPED:
                data["speed"] = interval.top
            yield self._event(interval.id, key, "end", number, moment, result, **data)

    def _leave(self, result: Result, after: float) -> list[Event]:
        """End the tracks that have had no box for `after` s."""
        memory = self._memory
        events: list[Event] = []
        for row in memory.lost(result.frame.time, after):
            number = int(memory.ids[row])
            track = self._tracks.get(number)
            if track is None:
                continue
            last = memory.last(row)
            for key in list(track.intervals):
                events += self._end(key, number, last, result)
            events.append(self._summary(track, number, last, result))
            del self._tracks[number]
        return events

    def _summary(self, track: SpeedTrack, number: int, last: Moment, result: Result) -> Event:
        self._measured[track.label] += 1
        key, median = (MEASURED, RULE), track.median
        top = max(track.top, median)
        return self._event(
            self._new_id(key[0], result),
            key,
            "point",
            number,
            last,
            result,
            median=median,
            max=top,
            median_kmh=median * UNITS["km/h"],
            max_kmh=top * UNITS["km/h"],
            duration=track.ended - track.began,
            residual=self._plane.residual,
            joined=track.joined,
        )

    def _new_id(self, kind: str, result: Result) -> str:
        self._numbers[kind] += 1
        name = kind.rpartition(".")[2]
        return f"{result.frame.stream}/{RULE}/{name}/{self._numbers[kind]}"

    def _event(
        self,
        name: str,
        key: Key,
        phase: Phase,
        number: int,
        moment: Moment,
        result: Result,
        **data: Value,
    ) -> Event:
        ((x, y),) = anchor_points([moment.box], self._anchor).tolist()
        return Event(
            id=name,
            kind=key[0],
            phase=phase,
            stream=result.frame.stream,
            rule=key[1],
            time=moment.time,
            frame=moment.frame,
            track=number,
            label=self._tracks[number].label,
            box=moment.box,
            at=(x, y),
            data=data | {"delay": result.frame.time - moment.time},
        )

    def _measure(self, result: Result) -> None:
        """Compute the measures of this frame."""
        speeds: dict[str, list[float]] = {}
        for track in map(self._track, result.tracks.ids.tolist()):
            if np.isfinite(track.current):
                speeds.setdefault(track.label, []).append(track.current)
        labels, ended = sorted(speeds), sorted(self._measured)
        self._measures = {
            Measure("ground_residual_meters"): self._plane.residual,
            **{_measure("speed_meters_per_second", n): float(np.mean(speeds[n])) for n in labels},
            **{_measure("speed_measured_total", n): float(self._measured[n]) for n in ended},
        }


def _measure(name: str, label: str) -> Measure:
    return Measure(name, (("label", label),))


def _caption(speed: float, unit: str) -> str:
    return f"{speed * UNITS[unit]:.{int(unit == 'm/s')}f} {unit}"


def _plane(scene: Scene, width: int, height: int) -> GroundPlane:
    """The ground of a scene in images of a size."""
    assert scene.ground is not None
    return fit_ground(scene.ground.outline.pixels(width, height), scene.ground.meters)


def _with_direction(scene: Scene) -> list[Zone]:
    return [zone for zone in scene.zones if zone.direction is not None]


def _directions(scene: Scene, plane: GroundPlane, width: int, height: int) -> Floats:
    """The unit vectors (Z,2) on the ground of the zones with a direction."""
    found = [_direction(zone, plane, (width, height)) for zone in _with_direction(scene)]
    return np.array(found).reshape(-1, 2)


def _direction(zone: Zone, plane: GroundPlane, size: tuple[int, int]) -> Floats:
    """The unit vector (2,) on the ground of the direction of a zone."""
    assert zone.direction is not None
    start, end = plane.meters(zone.direction.pixels(*size))
    length = float(np.hypot(*(end - start)))
    if not length > 0:
        raise ConfigError(f"{zone.direction.key}: expected points on the ground, below the horizon")
    return np.asarray((end - start) / length)
