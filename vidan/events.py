"""What analyzers report: events, current values, and shapes to draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

Phase = Literal["point", "start", "update", "end"]
"""`point` for something that happened at one moment; the others for an interval."""

Value = str | float | int | bool
"""What `Event.data` may hold."""

APPEARED = "object.appeared"
"""A track was reported for the first time, or again after it had left."""

CONFIRMED = "object.confirmed"
"""The object was detected often enough to be believed; once for each id."""

LEFT = "object.left"
"""The object has had no track for a while."""

CROSSED = "line.crossed"
"""The object crossed a line."""

ENTERED = "zone.entered"
"""The object entered a zone: the start of a visit."""

EXITED = "zone.left"
"""The object left a zone: the end of a visit, with its duration as `dwell`, s, in the data."""

PASSED = "zone.passed"
"""The object moved across a zone between two frames in which it was detected."""

LOITERING = "zone.loitering"
"""The object has been in a zone for too long: an update of its visit."""

CROWDED = "zone.crowded"
"""There are too many objects in a zone: an interval."""

STATIONARY = "object.stationary"
"""The object has not moved for long: an interval."""

STOPPED = "object.stopped"
"""The object moved and has stopped: an interval that ends when it moves on."""

WRONG_WAY = "object.wrong_way"
"""The object moves against the direction of its zone: an interval."""

SPEEDING = "object.speeding"
"""The object is faster than a limit: an interval."""

MEASURED = "speed.measured"
"""The object has left; its speed is in the data."""

FLOW = "flow.completed"
"""The object went from one line or zone to another."""

KINDS = (
    *(APPEARED, CONFIRMED, LEFT),
    *(CROSSED, ENTERED, EXITED, PASSED, LOITERING, CROWDED),
    *(STATIONARY, STOPPED, WRONG_WAY, SPEEDING, MEASURED, FLOW),
)
"""The kinds of events of vidan's own analyzers; those of plugins may report others."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a stream.

    An interval, such as a visit, is several events with one id: a `start`, any number of
    `update`, and an `end`. An event that is known only later is dated when it happened and
    carries `delay`, in s, in its data.

    Attributes:
        id: unique in the stream, and the same when the run is repeated.
        kind: what happened, such as `object.appeared`.
        phase: which part of an interval this is, or `point`.
        stream: name of the stream.
        rule: name of the line, zone or analyzer that reports it.
        time: stream time, s.
        frame: index of the frame.
        track: id of the track; None if the event is not about one.
        label: label of the object; None if the event is not about one.
        box: `x1, y1, x2, y2` of the object, px of the source image.
        at: `x, y` of the event, px of the source image.
        data: further numbers and strings.

    Raises:
        ValueError: the phase is unknown or the time is not finite.
    """

    id: str
    kind: str
    phase: Phase
    stream: str
    rule: str
    time: float
    frame: int
    track: int | None = None
    label: str | None = None
    box: tuple[float, float, float, float] | None = None
    at: tuple[float, float] | None = None
    data: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.phase not in get_args(Phase):
            raise ValueError(f"Event.phase: expected one of {get_args(Phase)}, got {self.phase!r}")
        if not math.isfinite(self.time):
            raise ValueError(f"Event.time: expected a finite number, got {self.time!r}")

    @property
    def known(self) -> float:
        """Stream time at which it became known, s: later than `time` by its `delay`."""
        delay = self.data.get("delay")
        return self.time + (delay if isinstance(delay, int | float) else 0.0)

    def record(self) -> dict[str, Any]:
        """The event ready for JSON, its keys in the order of the attributes."""
        return {
            "id": self.id,
            "kind": self.kind,
            "phase": self.phase,
            "stream": self.stream,
            "rule": self.rule,
            "time": self.time,
            "frame": self.frame,
            "track": self.track,
            "label": self.label,
            "box": None if self.box is None else list(self.box),
            "at": None if self.at is None else list(self.at),
            "data": dict(self.data),
        }


class Measure(NamedTuple):
    """What a current value measures: a Prometheus sample without its value.

    Attributes:
        name: such as `line_crossings_total`.
        labels: pairs of a name and a value, such as `("direction", "in")`.
    """

    name: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Something to draw over a frame.

    Attributes:
        kind: an open `path` or a closed `polygon`.
        points: (N,2) float32, `x, y` in px of the source image.
        track: id of the track it belongs to, whose color it takes; None if it stands alone.
        caption: text beside it; None for none.
        rule: name of the line or zone that it is; its events have this name.
        inward: for a line, the side of "in" as seen from the first point facing the second.
    """

    kind: Literal["path", "polygon"]
    points: npt.NDArray[np.float32]
    track: int | None = None
    caption: str | None = None
    rule: str | None = None
    inward: Literal["left", "right"] | None = None
