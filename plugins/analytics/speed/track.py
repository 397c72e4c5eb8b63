"""What is known of the speed of one track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

MAX_SPEEDS = 256
"""Estimates that are kept for the median of a track."""

PRECISE = 0.03
"""Standard error of a speed that may be the maximum of a track, as a fraction of the speed."""

Box = tuple[float, float, float, float]
Key = tuple[str, str]
"""Kind and rule of an event."""


class Moment(NamedTuple):
    """When and where something was.

    Attributes:
        time: s.
        frame: index of the frame.
        box: of the object, xyxy, px.
    """

    time: float
    frame: int
    box: Box


class Condition(NamedTuple):
    """What N objects may be doing for a while.

    Attributes:
        kind: of its events.
        rule: of its events.
        begins: (N,) which certainly do it.
        ends: (N,) which certainly do not.
    """

    kind: str
    rule: str
    begins: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.bool_]


@dataclass(slots=True)
class Interval:
    """Something that an object does for a while.

    Attributes:
        since: when it began.
        id: of its events; None if it has not been reported.
        top: the highest speed since then, m/s.
    """

    since: Moment
    id: str | None = None
    top: float = 0.0


@dataclass(slots=True)
class SpeedTrack:
    """The speeds of a track.

    Attributes:
        estimates: every `stride`-th one: speed, m/s, and its standard error, m/s.
        stride: doubled whenever there are more than `MAX_SPEEDS`.
        count: number of estimates.
        top: the highest of the precise estimates, m/s.
        began: time of the first estimate, s.
        ended: time of the last estimate, s.
        current: the last estimate, m/s; NaN if there is none that is precise.
        label: of the track.
        moved: whether it certainly moved at some time.
        joined: whether it continues another track.
        intervals: what it is doing.
    """

    estimates: list[tuple[float, float]] = field(default_factory=list)
    stride: int = 1
    count: int = 0
    top: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    current: float = np.nan
    label: str = ""
    moved: bool = False
    joined: bool = False
    intervals: dict[Key, Interval] = field(default_factory=dict)

    def add(self, time: float, speed: float, error: float) -> None:
        """Take an estimate into account."""
        if self.count == 0:
            self.began = time
        if self.count % self.stride == 0:
            self.estimates.append((speed, error))
        if len(self.estimates) > MAX_SPEEDS:
            del self.estimates[1::2]
            self.stride *= 2
        self.count += 1
        if error <= PRECISE * speed:
            self.top = max(self.top, speed)
        self.ended, self.current = time, speed

    def state(self) -> dict[str, Any]:
        """What `restored` needs, ready for JSON."""
        state = {field.name: getattr(self, field.name) for field in fields(self)}
        state["current"] = self.current if np.isfinite(self.current) else None
        state["intervals"] = [
            [*key, each.since, each.id, each.top] for key, each in self.intervals.items()
        ]
        return dict(msgspec.to_builtins(state))

    @classmethod
    def restored(cls, state: Mapping[str, Any], offset: float) -> SpeedTrack:
        """A track of a state, whose times are changed by `offset` s.

        Raises:
            KeyError, TypeError, ValueError: the state is not one of a track.
        """
        track = cls(**state)
        track.estimates = [(speed, error) for speed, error in state["estimates"]]
        track.current = np.nan if state["current"] is None else state["current"]
        track.began, track.ended = track.began + offset, track.ended + offset
        track.intervals = {}
        for kind, rule, (time, frame, (x1, y1, x2, y2)), name, top in state["intervals"]:
            since = Moment(time + offset, frame, (x1, y1, x2, y2))
            track.intervals[kind, rule] = Interval(since, name, top)
        return track

    @property
    def median(self) -> float:
        """Of the estimates, m/s; those with a large error weigh less."""
        speeds, errors = np.array(sorted(self.estimates)).T
        # Only the worse half: slow movement has small errors, but matters no more than fast.
        shares = np.cumsum(1 / np.maximum(errors, max(np.median(errors), 1e-9)) ** 2)
        return float(speeds[np.searchsorted(shares, shares[-1] / 2)])
