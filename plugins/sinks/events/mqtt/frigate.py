"""Tracked objects as Frigate reports them.

The fields are those of https://docs.frigate.video/integrations/mqtt; what vidan does not have, such
as a clip, is false or null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from vidan.events import APPEARED, CONFIRMED, ENTERED, EXITED, LEFT, STATIONARY
from vidan.types import Result

from ..message import Message

UPDATE_EVERY_S = 60.0
"""Longest stream time between two messages about an object, s."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Object:
    """An object as of its last message, with Unix times in s."""

    id: str
    camera: str
    label: str
    start_time: float
    frame_time: float
    box: Box
    has_snapshot: bool
    score: float = 0.0
    top_score: float = 0.0
    false_positive: bool = True
    end_time: float | None = None
    current_zones: tuple[str, ...] = ()
    entered_zones: tuple[str, ...] = ()
    stationary: bool = False
    position_changes: int = 0

    def record(self) -> dict[str, Any]:
        """Ready for JSON."""
        left, top, right, bottom = (round(value) for value in self.box)
        return {
            "id": self.id,
            "camera": self.camera,
            "frame_time": self.frame_time,
            "snapshot_time": self.start_time,
            "label": self.label,
            "sub_label": None,
            "top_score": self.top_score,
            "false_positive": self.false_positive,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "score": self.score,
            "box": [left, top, right, bottom],
            "area": (right - left) * (bottom - top),
            "region": [left, top, right, bottom],
            "current_zones": list(self.current_zones),
            "entered_zones": list(self.entered_zones),
            "thumbnail": None,
            "has_snapshot": self.has_snapshot,
            "has_clip": False,
            "stationary": self.stationary,
            "motionless_count": 0,
            "position_changes": self.position_changes,
        }


@dataclass(slots=True)
class _Entry:
    """An object, the stream time at which it was last reported, s, and the message about that."""

    latest: _Object
    reported: float
    message: Message
    updates: int = 0  # without an event since


class FrigateObjects:
    """Turns events into changes of tracked objects, by their tracks.

    An object is new when it is confirmed, and is updated when it enters or leaves a zone, stops or
    moves on, and at least once a minute, until it has left.

    Args:
        snapshots: whether there is an image of each object.
    """

    def __init__(self, *, snapshots: bool) -> None:
        self._snapshots = snapshots
        self._objects: dict[int, _Entry] = {}

    def changes(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The changes that events cause, in order."""
        for message in messages:
            track = message.event["track"]
            if message.event["kind"] == APPEARED and track is not None:
                self._objects[track] = _entry(message, snapshots=self._snapshots)
            elif track in self._objects:
                yield from self._change(track, message)

    def see(self, result: Result) -> Iterator[Message]:
        """Take note of the tracks of a frame; updates of objects that have long had none."""
        now, tracks = result.frame.time, result.tracks
        for track, box, score in zip(
            tracks.ids.tolist(), tracks.boxes.tolist(), tracks.scores.tolist(), strict=True
        ):
            entry = self._objects.get(track)
            if entry is None:
                continue
            score = round(score, 4)
            highest = max(score, entry.latest.top_score)
            entry.latest = replace(entry.latest, score=score, top_score=highest)
            if not entry.latest.false_positive and now - entry.reported >= UPDATE_EVERY_S:
                passed = now - entry.reported
                moved = replace(
                    entry.latest, box=tuple(box), frame_time=entry.latest.frame_time + passed
                )
                entry.updates += 1
                message = msgspec.structs.replace(
                    entry.message,
                    id=f"{entry.message.id}.{entry.updates}",
                    time=entry.message.time + passed,
                )
                yield self._report(entry, "update", moved, message, now)

    def _change(self, track: int, message: Message) -> Iterator[Message]:
        entry, event = self._objects[track], message.event
        after = _after(entry.latest, event)
        if after is None:
            return
        after = replace(after, frame_time=message.time, box=event["box"] or after.box)
        is_new = event["kind"] == CONFIRMED
        if event["kind"] == LEFT:
            after = replace(after, end_time=message.time)
        known = event["time"] + event["data"].get("delay", 0.0)
        if is_new or not entry.latest.false_positive:
            kind: Literal["new", "update", "end"] = (
                "new" if is_new else "end" if event["kind"] == LEFT else "update"
            )
            entry.message, entry.updates = message, 0
            yield self._report(entry, kind, after, message, known)
        entry.latest = after
        if event["kind"] == LEFT:
            del self._objects[track]

    def _report(
        self,
        entry: _Entry,
        kind: Literal["new", "update", "end"],
        after: _Object,
        message: Message,
        now: float,
    ) -> Message:
        content = {"type": kind, "before": entry.latest.record(), "after": after.record()}
        entry.latest, entry.reported = after, now
        return msgspec.structs.replace(message, event=content)


def _entry(message: Message, *, snapshots: bool) -> _Entry:
    event = message.event
    found = _Object(
        f"{message.time:.6f}-{event['track']}",
        event["stream"],
        event["label"] or "",
        message.time,
        message.time,
        event["box"],
        has_snapshot=snapshots,
    )
    return _Entry(found, event["time"], message)


def _after(before: _Object, event: dict[str, Any]) -> _Object | None:
    """The object after an event; None if that changes nothing."""
    rule, kind = event["rule"], event["kind"]
    if kind == CONFIRMED:
        return replace(before, false_positive=False, label=event["label"] or before.label)
    if kind == ENTERED:
        entered = before.entered_zones
        return replace(
            before,
            current_zones=(*before.current_zones, rule),
            entered_zones=entered if rule in entered else (*entered, rule),
        )
    if kind == EXITED:
        return replace(before, current_zones=tuple(z for z in before.current_zones if z != rule))
    if kind == STATIONARY:
        moves_on = event["phase"] == "end"
        changes = before.position_changes + moves_on
        return replace(before, stationary=not moves_on, position_changes=changes)
    return before if kind == LEFT else None
