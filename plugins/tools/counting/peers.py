"""Counts of supervision's LineZone and PolygonZone on the same tracks, for comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vidan.convert import to_supervision
from vidan.geometry import anchor_points
from vidan.support.extras import import_extra
from vidan.types import Result

from .gates import Crossing, Direction, Gate
from .visits import LOITER_S, Visit, scene_zones, track_paths, visit_of


class LineZoneOptions(NamedTuple):
    """Options of LineZone.

    Attributes:
        anchor: the point of a box that crosses; None for its default, all four corners.
        threshold: its `minimum_crossing_threshold`.
    """

    anchor: str | None = None
    threshold: int = 1


LINE_ZONES: Mapping[str, LineZoneOptions] = {
    "LineZone": LineZoneOptions(),
    "LineZone, threshold 3": LineZoneOptions(threshold=3),
    "LineZone, bottom center": LineZoneOptions("BOTTOM_CENTER"),
    "LineZone, bottom center, threshold 3": LineZoneOptions("BOTTOM_CENTER", 3),
}
"""Options of LineZone by title."""


POLYGON_ZONE = "PolygonZone"


def supervision() -> Any:
    """The module.

    Raises:
        PluginError: it is not installed.
    """
    return import_extra("supervision", "peers")


def line_zone(
    results: Iterable[Result], gates: Sequence[Gate], options: LineZoneOptions
) -> list[Crossing]:
    """The crossings that LineZone counts.

    Args:
        results: of all frames.
        gates: to count at.
        options: of LineZone.

    Raises:
        PluginError: supervision is not installed.
    """
    sv = supervision()
    arguments: dict[str, Any] = {"minimum_crossing_threshold": options.threshold}
    if options.anchor is not None:
        arguments["triggering_anchors"] = [sv.Position[options.anchor]]
    ends = [[sv.Point(*end) for end in gate.points.tolist()] for gate in gates]
    zones = [sv.LineZone(start, end, **arguments) for start, end in ends]
    crossings = []
    for result in results:
        detections = to_supervision(result.tracks)
        anchors = anchor_points(result.tracks.boxes).tolist()
        for gate, zone in zip(gates, zones, strict=True):
            # Its "in" is to the left, as seen from the first point facing the second.
            directions: tuple[Direction, Direction] = ("out", "in")
            for direction, crossed in zip(directions, zone.trigger(detections), strict=True):
                crossings += [
                    Crossing(
                        gate.name,
                        direction,
                        result.frame.time,
                        gate.along(anchors[n]),
                        int(result.tracks.ids[n]),
                    )
                    for n in np.flatnonzero(crossed).tolist()
                ]
    return crossings


def polygon_zone(results: Sequence[Result], size: tuple[int, int]) -> list[Visit]:
    """The visits to the middle third according to PolygonZone.

    PolygonZone says who is inside in a frame. As in the timers of supervision's own examples, the
    visit of a track lasts from the first to the last frame inside, and is loitering after 5 s.

    Args:
        results: of all frames.
        size: width and height of the images, px.

    Raises:
        PluginError: supervision is not installed.
    """
    (options,) = scene_zones(size, "").values()
    zone = supervision().PolygonZone(np.array(options["polygon"]).round().astype(int))
    times: dict[int, list[float]] = {}
    for result in results:
        for number in result.tracks.ids[zone.trigger(to_supervision(result.tracks))].tolist():
            times.setdefault(number, []).append(result.frame.time)
    paths = track_paths(results)
    return [
        visit_of([paths[number]], seen[0], seen[-1], seen[-1] - seen[0] >= LOITER_S)
        for number, seen in times.items()
    ]
