"""Runs analyzers on the tracks of a sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidan.boxes import xywh_to_xyxy
from vidan.config.build import BuildContext, SceneContext, build
from vidan.events import CROSSED, Event
from vidan.interfaces import Analyzer
from vidan.types import Detections, Frame, Result, Tracks

from ...formats.mot import BOX, FRAME, ID, read_tracks
from ..tracking.run_tracker import LABELS, TrackerInput, track
from .gates import Crossing, Direction, Gate, scene_lines


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


def read_results(path: Path, frames: Sequence[Frame]) -> list[Result]:
    """The tracks of a file in MOTChallenge's text format, as results of all frames.

    Raises:
        SourceError: the file cannot be read, or is not in this format.
    """
    rows = read_tracks(path)
    boxes = xywh_to_xyxy(rows[:, BOX]).astype(np.float32)
    starts = np.searchsorted(rows[:, FRAME], [[f.index + 1, f.index + 2] for f in frames])
    return [
        result_of(frame, rows[first:end, ID].astype(np.int64), boxes[first:end])
        for frame, (first, end) in zip(frames, starts.reshape(-1, 2).tolist(), strict=True)
    ]


def result_of(
    frame: Frame,
    ids: np.ndarray[tuple[int], np.dtype[np.int64]],
    boxes: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    classes: np.ndarray[tuple[int], np.dtype[np.int32]] | None = None,
    labels: tuple[str, ...] = LABELS,
) -> Result:
    """A result with tracks (M,) whose detections are not known."""
    count = len(ids)
    zeros = np.zeros(count, np.int32)
    tracks = Tracks(
        ids,
        boxes,
        np.ones(count, np.float32),
        zeros if classes is None else classes,
        zeros,
        zeros - 1,
    )
    return Result(frame, Detections.empty(), tracks, labels)


def count_crossings(
    results: Iterable[Result], gates: Sequence[Gate], options: Mapping[str, Any]
) -> list[Crossing]:
    """The crossings that the analyzer `lines` reports for the tracks of a sequence.

    Args:
        results: of all frames.
        gates: to count at.
        options: of the analyzer, with its name.

    Raises:
        ConfigError: an invalid option.
    """
    scene = {"lines": scene_lines(gates, LABELS[0])}
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


def check_options(options: Mapping[str, Any]) -> None:
    """Check the options of `lines`, before any tracks are computed.

    Raises:
        ConfigError: an invalid option.
    """
    run_analyzer([], {"lines": {"gate": {"from": [0, 0], "to": [1, 1]}}}, options)


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
