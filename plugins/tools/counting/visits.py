"""Visits to the middle third of the image: true ones, and those that are counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.events import ENTERED, EXITED, LOITERING, Event
from vidan.geometry import Floats, anchor_points
from vidan.types import Result

from .truth import Person

ZONE = "middle"
"""Name of the zone."""

MIN_VISIT_S = 0.5
"""Shorter visits of the ground truth are neither expected nor wrong, s."""

VISIT_VISIBILITY = 0.25
"""Mean visible fraction of a person during an expected visit, unless another one is set."""

LOITER_S = 5.0
"""Duration of a visit from which on it is loitering, s."""


@dataclass(frozen=True, eq=False)
class Visit:
    """A stay in the zone.

    Attributes:
        start: stream time, s.
        end: stream time, s.
        loiters: whether it is, or was reported as, loitering.
        frames: (N,) indices of frames in which it is known where the object was, ascending.
        anchors: (N,2) the bottom centers of its boxes there, px; of a person on the whole path.
        height: median height of the boxes, px; of a true visit.
        expected: whether a counter is expected to report it.
    """

    start: float
    end: float
    loiters: bool
    frames: npt.NDArray[np.int64]
    anchors: Floats
    height: float = 0.0
    expected: bool = True

    @property
    def dwell(self) -> float:
        """Its duration, s."""
        return self.end - self.start


def scene_zones(size: tuple[int, int], label: str) -> dict[str, Any]:
    """The zone as `zones` of a scene that counts one label, for images of a width and height."""
    left, right = borders(size)
    height = float(size[1])
    polygon = [[left, 0.0], [right, 0.0], [right, height], [left, height]]
    return {ZONE: {"polygon": polygon, "labels": [label], "loiter": LOITER_S}}


def borders(size: tuple[int, int]) -> tuple[float, float]:
    """The left and right border of the zone, px."""
    return size[0] / 3, size[0] * 2 / 3


def true_visits(
    people: Iterable[Person],
    size: tuple[int, int],
    dead_band: float,
    min_visibility: float = 0.0,
) -> list[Visit]:
    """The visits of people to the zone.

    Whether a person is inside is known when the distance of the bottom center from the border
    exceeds the dead band. A visit begins and ends where the path last passed the border before
    that, or with the first and last box.

    Args:
        people: with their paths.
        size: width and height of the images, px.
        dead_band: half its width, in widths of the box.
        min_visibility: mean visible fraction during an expected visit.
    """
    left, right = borders(size)
    visits = []
    for person in people:
        x = person.anchors[:, 0]
        depth = np.minimum(x - left, right - x)  # positive inside
        for start, end in _stays(person, depth, dead_band):
            expected = end - start >= MIN_VISIT_S and person.visible(start, end) >= min_visibility
            visits.append(_visit(person, start, end, expected))
    return visits


def _stays(person: Person, depth: Floats, dead_band: float) -> list[tuple[float, float]]:
    """Start and end, s, of each stay of a person whose depth (N,) inside is known."""
    known = np.abs(depth) > dead_band * (person.boxes[:, 2] - person.boxes[:, 0])
    if not known.any():
        return []
    times = [change.time for change in person.changes(depth, known)]
    inside = depth[known] >= 0
    first = [float(person.times[0])] if inside[0] else []
    last = [float(person.times[-1])] if inside[-1] else []
    times = [*first, *times, *last]
    return list(zip(times[::2], times[1::2], strict=True))


def _visit(person: Person, start: float, end: float, expected: bool) -> Visit:
    height = float(np.median(person.boxes[:, 3] - person.boxes[:, 1]))
    is_long = end - start >= LOITER_S
    return Visit(start, end, is_long, person.frames, person.anchors, height, expected)


def reported_visits(events: Iterable[Event], results: Sequence[Result]) -> list[Visit]:
    """The visits that the analyzer `zones` reports.

    Args:
        events: of the analyzer.
        results: of all frames, for the boxes of the tracks.
    """
    by_id: dict[str, list[Event]] = {}
    for event in events:
        if event.kind in (ENTERED, EXITED, LOITERING):
            by_id.setdefault(event.id, []).append(event)
    paths = track_paths(results)
    visits = []
    for parts in by_id.values():
        left = next((event for event in parts if event.kind == EXITED), None)
        if left is not None:
            start = left.time - float(left.data["dwell"])
            loiters = any(event.kind == LOITERING for event in parts)
            # The track of an event may have begun after it, if tracks were joined.
            known = [_path_of(event) for event in parts]
            tracks = {event.track for event in parts if event.track is not None}
            known += [paths[number] for number in tracks & paths.keys()]
            visits.append(visit_of(known, start, left.time, loiters))
    return visits


class Path(NamedTuple):
    """Where a track was: indices (N,) of frames, times (N,), s, and bottom centers (N,2), px."""

    frames: npt.NDArray[np.int64]
    times: Floats
    anchors: Floats


def track_paths(results: Iterable[Result]) -> dict[int, Path]:
    """The paths of all tracks by id."""
    found: dict[int, list[tuple[float, ...]]] = {}
    for result in results:
        frame, anchors = result.frame, anchor_points(result.tracks.boxes).tolist()
        for number, anchor in zip(result.tracks.ids.tolist(), anchors, strict=True):
            found.setdefault(number, []).append((frame.index, frame.time, *anchor))
    rows = {number: np.array(path) for number, path in found.items()}
    return {n: Path(r[:, 0].astype(np.int64), r[:, 1], r[:, 2:]) for n, r in rows.items()}


def _path_of(event: Event) -> Path:
    """Where the object of an event was."""
    anchors = np.array([event.at], np.float64)
    return Path(np.array([event.frame]), np.array([event.time]), anchors)


def visit_of(paths: Iterable[Path], start: float, end: float, loiters: bool) -> Visit:
    """The visit of an object that was on these paths."""
    frames, times, anchors = (np.concatenate(column) for column in zip(*paths, strict=True))
    within = np.flatnonzero((times >= start) & (times <= end))
    frames, first = np.unique(frames[within], return_index=True)
    return Visit(start, end, loiters, frames, anchors[within[first]])
