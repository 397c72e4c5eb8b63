"""When objects appear, are confirmed and leave, and where they have been."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from msgspec import Meta

from vidan.events import APPEARED, CONFIRMED, LEFT, Event, Phase, Shape, Value
from vidan.types import Result

MAX_REMEMBERED_IDS = 100_000
"""Ids of objects that have left, so that one that returns is not counted again."""

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class _Object:
    """What is known of one id."""

    id: int
    visits: int = 0
    detections: int = 0
    label: str = ""
    began: float = 0.0  # stream time at which the visit began, s
    time: float = 0.0  # stream time of the last track, s
    frame: int = 0
    box: Box = (0.0, 0.0, 0.0, 0.0)
    times: deque[float] = field(default_factory=deque)  # of the trail, s
    trail: deque[float] = field(default_factory=deque)  # x, y of its points in turn, px

    def extend_trail(self, length: float) -> None:
        """Add the center of the box, and forget the points that are older than `length` s."""
        left, top, right, bottom = self.box
        self.times.append(self.time)
        self.trail.append((left + right) / 2)
        self.trail.append((top + bottom) / 2)
        while self.times[0] < self.time - length:
            self.times.popleft()
            self.trail.popleft()
            self.trail.popleft()

    def shape(self) -> Shape:
        """The trail as a path, the oldest point first."""
        return Shape("path", np.array(self.trail, np.float32).reshape(-1, 2), self.id)


class Presence:
    """Reports the visits of objects: `object.appeared`, `object.confirmed` and `object.left`.

    The events of a visit share an id. An object whose id comes back after it had left begins
    another visit, whose events have `returned` in their data. `object.left` is dated at the
    object's last track; in its data are `duration`, the length of the visit in s, and `delay`,
    how much later the event became known, s. A visit that lasts until the end of the stream has
    `end_of_stream` instead of `delay`.

    Draws a trail behind each track.

    Args:
        confirm_after: detections after which an object is confirmed, once for each id.
        leave_after: stream time without a track after which an object has left, s.
        trail: length of the trails, s.
    """

    def __init__(
        self,
        confirm_after: Annotated[int, Meta(ge=1)] = 5,
        leave_after: Annotated[float, Meta(ge=0)] = 1.0,
        trail: Annotated[float, Meta(ge=0)] = 1.0,
    ) -> None:
        self._confirm_after = confirm_after
        self._leave_after = leave_after
        self._trail = trail
        self._present: dict[int, _Object] = {}
        self._gone: OrderedDict[int, _Object] = OrderedDict()
        self._visible: list[int] = []  # ids of the last frame
        self._stream = ""

    def update(self, result: Result) -> list[Event]:
        """Objects that appeared or were confirmed in this frame, then those that have left."""
        tracks, frame = result.tracks, result.frame
        self._stream = frame.stream
        self._visible = tracks.ids.tolist()
        events: list[Event] = []
        for number, box, class_index, row in zip(
            self._visible,
            tracks.boxes.tolist(),
            tracks.classes.tolist(),
            tracks.detection.tolist(),
            strict=True,
        ):
            found = self._present.get(number)
            appeared = found is None
            if found is None:
                found = self._begin_visit(number, frame.time)
            found.label = result.label(class_index)
            found.time, found.frame, found.box = frame.time, frame.index, tuple(box)
            found.extend_trail(self._trail)
            if appeared:
                events.append(self._event(found, APPEARED, "start"))
            found.detections += row >= 0
            if row >= 0 and found.detections == self._confirm_after:
                events.append(self._event(found, CONFIRMED, "update"))
        return events + self._departures(frame.time)

    def finish(self) -> list[Event]:
        """The ends of the visits that last until the end of the stream."""
        return [
            self._event(found, LEFT, "end", duration=found.time - found.began, end_of_stream=True)
            for found in self._present.values()
        ]

    def shapes(self) -> list[Shape]:
        """The trail of each track of the last frame."""
        return [self._present[number].shape() for number in self._visible]

    @property
    def remembered(self) -> int:
        """Number of ids in memory."""
        return len(self._present) + len(self._gone)

    def _begin_visit(self, number: int, now: float) -> _Object:
        found = self._gone.pop(number, None) or _Object(number)
        found.visits += 1
        found.began = now
        found.times.clear()
        found.trail.clear()
        self._present[number] = found
        return found

    def _departures(self, now: float) -> list[Event]:
        """Forget the objects that have had no track for long."""
        left = [o for o in self._present.values() if now - o.time > self._leave_after]
        for found in left:
            del self._present[found.id]
            self._gone[found.id] = found
        while len(self._gone) > MAX_REMEMBERED_IDS:
            self._gone.popitem(last=False)
        return [
            self._event(o, LEFT, "end", duration=o.time - o.began, delay=now - o.time) for o in left
        ]

    def _event(self, found: _Object, kind: str, phase: Phase, **data: Value) -> Event:
        if found.visits > 1:
            data["returned"] = True
        left, _, right, bottom = found.box
        return Event(
            id=f"{self._stream}/presence/{found.id}.{found.visits}",
            kind=kind,
            phase=phase,
            stream=self._stream,
            rule="presence",
            time=found.time,
            frame=found.frame,
            track=found.id,
            label=found.label,
            box=found.box,
            at=((left + right) / 2, bottom),
            data=data,
        )
