"""Runs analyzers on the tracks of a sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vidan.config.build import BuildContext, build
from vidan.events import CROSSED, Event
from vidan.interfaces import Analyzer
from vidan.scene import SceneContext
from vidan.types import Result

from ..tracking.run_tracker import TrackerInput, track
from ..tracking.sequences import LABELS
from .gates import Crossing, Direction, Gate, scene_lines
from .visits import Visit, reported_visits, scene_zones


def tracked(given: TrackerInput, tracker: Mapping[str, Any]) -> list[Result]:
    """The results of a tracker on a sequence, without images.

    Args:
        given: frames and detections of the sequence.
        tracker: `name` and options of the tracker.

    Raises:
        VidanError: an invalid option, or a tracker that needs images that are missing.
    """
    results = zip(track(given, tracker), given.frames, strict=True)
    return [dataclasses.replace(result, frame=frame) for result, frame in results]


def count_crossings(
    results: Iterable[Result],
    gates: Sequence[Gate],
    options: Mapping[str, Any],
    label: str = LABELS[0],
) -> list[Crossing]:
    """The crossings that the analyzer `lines` reports for the tracks of a sequence.

    Args:
        results: of all frames.
        gates: to count at.
        options: of the analyzer, with its name.
        label: to count.

    Raises:
        ConfigError: an invalid option.
    """
    scene = {"lines": scene_lines(gates, label)}
    by_name = {gate.name: gate for gate in gates}
    crossings = []
    for event in run_analyzer(results, scene, options):
        if event.kind == CROSSED:
            assert event.at is not None
            assert event.track is not None
            along = by_name[event.rule].along(event.at)
            direction: Direction = "in" if event.data["direction"] == "in" else "out"
            crossings.append(Crossing(event.rule, direction, event.time, along, event.track))
    return crossings


def count_visits(
    results: Sequence[Result],
    size: tuple[int, int],
    options: Mapping[str, Any],
    label: str = LABELS[0],
) -> list[Visit]:
    """The visits to the middle third that the analyzer `zones` reports.

    Args:
        results: of all frames.
        size: width and height of the images, px.
        options: of the analyzer, with its name.
        label: to count.

    Raises:
        ConfigError: an invalid option.
    """
    events = run_analyzer(results, {"zones": scene_zones(size, label)}, options)
    return reported_visits(events, results)


def check_options(lines: Mapping[str, Any], zones: Mapping[str, Any]) -> None:
    """Check the options of the analyzers, before any tracks are computed.

    Raises:
        ConfigError: an invalid option.
    """
    run_analyzer([], {"lines": {"gate": {"from": [0, 0], "to": [1, 1]}}}, lines)
    run_analyzer([], {"zones": scene_zones((3, 3), LABELS[0])}, zones)


def run_analyzer(
    results: Iterable[Result], scene: Mapping[str, Any], options: Mapping[str, Any]
) -> list[Event]:
    """The events of an analyzer.

    Args:
        results: of all frames.
        scene: content of a scene file.
        options: `name` and options of the analyzer.
    """
    context = BuildContext(1, SceneContext(scene))
    analyzer: Analyzer = build("analytics", options, f"analytics.{options['name']}", context)
    events: list[Event] = []
    for result in results:
        events += analyzer.update(result)
    events += analyzer.finish()
    return events
