"""The true crossings and visits in a synthetic scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from vidan.events import CROSSED, ENTERED, EXITED, Event, Phase, Value
from vidan.geometry import anchor_points, passes_between, signed_distance

from ...formats.scene_file import Line, Zone
from ...formats.scene_file import Scene as Shapes
from .scene.scene import Scene, Walk


class TrueEvents:
    """The crossings of lines and the visits to zones, computed from the paths of the people.

    It shares no code with the analyzers `lines` and `zones`: the paths are exact, so each change
    of side is a crossing, and a visit is the time inside. The events have the form of theirs,
    with the id of the person in the ground truth as `track`. In `data` is the `speed` of the
    person over the ground, m/s, and where it happens, the `visibility` of the face, 0 to 1.

    Args:
        street: the scene.
        shapes: lines and zones.
        size: width and height of the image, px.
        stream: name of the stream.
        rate: frames per second.
    """

    def __init__(
        self, street: Scene, shapes: Shapes, size: tuple[int, int], stream: str, rate: float
    ) -> None:
        self._street = street
        self._lines = [(line, line.outline.pixels(*size)) for line in shapes.lines]
        self._zones = [(zone, zone.outline.pixels(*size)) for zone in shapes.zones]
        self._stream = stream
        self._rate = rate
        self._present: set[int] = set()
        self._pending: list[Event] = []
        self._now = 0.0

    def until(self, index: int) -> list[Event]:
        """The events since the last call up to a frame, by time."""
        self._now = index / self._rate
        present = {walker.identity for _, walker in self._street.people(index)}
        for identity in sorted(present - self._present):
            self._pending += self._events(self._street.walk(identity))
        self._present = present
        self._pending.sort(key=lambda event: event.time)
        due = [self._seen(event) for event in self._pending if event.time <= self._now]
        self._pending = self._pending[len(due) :]
        return due

    def finish(self) -> list[Event]:
        """The ends of the visits that last until the end of the stream."""
        return [
            self._cut(event)
            for event in self._pending
            if event.kind == EXITED and event.time - float(event.data["dwell"]) <= self._now
        ]

    def _cut(self, event: Event) -> Event:
        """The end of a visit that lasts until now."""
        dwell = float(event.data["dwell"]) - (event.time - self._now)
        data = {**event.data, "dwell": dwell, "end_of_stream": True}
        frame = round(self._now * self._rate)
        return self._seen(replace(event, time=self._now, frame=frame, box=None, at=None, data=data))

    def _events(self, walk: Walk) -> Iterator[Event]:
        """What happens on a walk, from the beginning of the stream on."""
        for line, points in self._lines:
            if line.labels is None or walk.label in line.labels:
                yield from self._crossings(walk, line, points)
        for zone, polygon in self._zones:
            if zone.labels is None or walk.label in zone.labels:
                yield from self._visits(walk, zone, polygon)

    def _crossings(
        self, walk: Walk, line: Line, points: npt.NDArray[np.float64]
    ) -> Iterator[Event]:
        start, end = points.tolist()
        anchors = anchor_points(walk.boxes, line.anchor)
        right = signed_distance(anchors, start, end) >= 0
        changes = np.flatnonzero((right[1:] != right[:-1]) & (walk.times[1:] > 0))
        for number, k in enumerate(changes.tolist(), 1):
            if passes_between(anchors[k].tolist(), anchors[k + 1].tolist(), start, end):
                direction = "in" if right[k + 1] == line.right_is_in else "out"
                data: dict[str, Value] = {"direction": direction}
                yield self._event(walk, line, k + 1, number, CROSSED, "point", data)

    def _visits(self, walk: Walk, zone: Zone, polygon: npt.NDArray[np.float64]) -> Iterator[Event]:
        corners = polygon.astype(np.float32)
        anchors = anchor_points(walk.boxes, zone.anchor).tolist()
        tested = [cv2.pointPolygonTest(corners, point, False) >= 0 for point in anchors]
        inside = np.array(tested) & (walk.times >= 0)
        edges = np.flatnonzero(np.diff(inside, prepend=False, append=False)).reshape(-1, 2)
        for number, (first, last) in enumerate(edges.tolist(), 1):
            began_inside = bool(walk.times[first - 1] < 0) if first else True
            if not began_inside:
                yield self._event(walk, zone, first, number, ENTERED, "start", {})
            dwell = float(walk.times[last - 1] - walk.times[first])
            data: dict[str, Value] = {"dwell": dwell, "began_inside": began_inside}
            yield self._event(walk, zone, last - 1, number, EXITED, "end", data)

    def _event(
        self,
        walk: Walk,
        shape: Line | Zone,
        sample: int,
        number: int,
        kind: str,
        phase: Phase,
        data: dict[str, Value],
    ) -> Event:
        time = float(walk.times[sample])
        box = walk.boxes[sample]
        x, y = anchor_points(box, shape.anchor)[0].tolist()
        return Event(
            id=f"{self._stream}/{shape.name}/{walk.identity}.{number}",
            kind=kind,
            phase=phase,
            stream=self._stream,
            rule=shape.name,
            time=time,
            frame=round(time * self._rate),
            track=walk.identity,
            label=walk.label,
            box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
            at=(x, y),
            data={**data, "speed": float(walk.speeds[sample])},
        )

    def _seen(self, event: Event) -> Event:
        """The event with the visible fraction of the face."""
        faces = self._street.ground_truth(event.frame)
        row = np.flatnonzero(faces.ids == event.track)
        visibility = float(faces.visibility[row[0]]) if len(row) else 0.0
        return replace(event, data={**event.data, "visibility": visibility})
