"""Runs a tracker on the detections of a sequence, and writes the tracks to a file."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidan.config.build import build
from vidan.errors import SourceError
from vidan.interfaces import Detector, Sink, Source, Tracker
from vidan.runtime.common_scores import on_common_scale
from vidan.types import Detections, Frame, Result

from ...formats.imageless import ImagelessFrame
from ...formats.mot import IMAGES_FOLDER
from .sequences import MotSequence

log = logging.getLogger(__name__)


class DetectionsOnly(ImagelessFrame):
    """A frame without an image: only its detections are known."""

    __slots__ = ()

    advice = (
        "set images=<folder>, or choose a tracker that needs none (deepsort: features=<folder>, "
        "or tracker.embedder=none)"
    )


@dataclass(frozen=True)
class TrackerInput:
    """The frames of a sequence and their detections, read once.

    Attributes:
        sequence: the sequence.
        frames: all frames, including those without detections.
        detections: of each frame.
    """

    sequence: MotSequence
    frames: list[Frame]
    detections: list[Detections]


def read_input(sequence: MotSequence) -> TrackerInput:
    """The frames and detections of a sequence; images are read later, if a tracker needs them.

    Raises:
        SourceError: it has no detections, or a file cannot be read.
    """
    if sequence.detections is None and sequence.features is None:
        raise SourceError(f"{sequence.name!r} has no det/det.txt")
    with closing(_detector(sequence)) as detector:
        found = detector.detect(_imageless_frames(sequence, (1, 1)))
    size = sequence.size or _extent(found)
    return TrackerInput(sequence, _imageless_frames(sequence, size), found)


def run_tracker(given: TrackerInput, tracker: Mapping[str, Any], path: Path) -> list[float]:
    """Run a tracker on a sequence and write its tracks as MOTChallenge text.

    Args:
        given: frames and detections of the sequence.
        tracker: `name` and options of the tracker.
        path: of the file to write.

    Returns:
        Seconds that each call of the tracker's `update` took.
    """
    results = track(given, tracker)
    sink: Sink = build("sink", {"name": "mot", "path": str(path)}, "sink.mot")
    seconds = []
    with closing(sink):
        for result in results:
            seconds.append(result.timings["tracker"])
            sink.write(of_label(result, given.sequence.label))
    return seconds


def track(given: TrackerInput, tracker: Mapping[str, Any]) -> Iterator[Result]:
    """Run a tracker on a sequence; `timings` of each result has the time of its `update`.

    Args:
        given: frames and detections of the sequence.
        tracker: `name` and options of the tracker.

    Raises:
        ConfigError: an invalid option; at once.
    """
    built = on_common_scale(build("tracker", tracker), given.sequence.score_scale)
    return (
        _update(built, frame, detections, given.sequence.labels)
        for frame, detections in zip(_frames(given), given.detections, strict=True)
    )


def _update(
    tracker: Tracker, frame: Frame, detections: Detections, labels: tuple[str, ...]
) -> Result:
    start = time.perf_counter()
    tracks = tracker.update(frame, detections)
    seconds = time.perf_counter() - start
    return Result(frame, detections, tracks, labels, timings={"tracker": seconds})


def of_label(result: Result, label: str) -> Result:
    """The result with only the tracks of a label."""
    if result.labels == (label,):
        return result
    wanted = result.tracks.classes == result.labels.index(label)
    return dataclasses.replace(result, tracks=result.tracks[wanted])


def statistics_ms(seconds: list[float]) -> dict[str, float]:
    """Mean, median and 95th percentile of times in s: ms."""
    times = 1000 * np.array(seconds or [0.0])
    return {
        "mean": float(times.mean()),
        "median": float(np.median(times)),
        "p95": float(np.quantile(times, 0.95)),
    }


def _detector(sequence: MotSequence) -> Detector:
    path = None
    if sequence.detections is not None and not sequence.boxes_from_features:
        path = str(sequence.detections)
    features = None if sequence.features is None else str(sequence.features)
    label = list(sequence.labels) if len(sequence.labels) > 1 else sequence.labels[0]
    options = {"name": "mot", "path": path, "features": features, "label": label}
    detector: Detector
    try:
        detector = build("detector", options)
    except SourceError as error:
        if path is None or features is None:
            raise
        log.warning(
            "%s: ignoring its features, which do not match its det.txt; features=<folder> takes "
            "the boxes from there too",
            sequence.name,
        )
        log.debug("%s", error)
        detector = build("detector", options | {"features": None})
    return detector


def _extent(found: list[Detections]) -> tuple[int, int]:
    """Width and height, px, of an image that contains all boxes."""
    corners = np.concatenate([d.boxes[:, 2:] for d in found] or [np.zeros((0, 2), np.float32)])
    width, height = np.ceil(corners.max(axis=0, initial=1)).tolist()
    return int(width), int(height)


def _imageless_frames(sequence: MotSequence, size: tuple[int, int]) -> list[Frame]:
    """The frames of a sequence without their images, of a size (width and height, px)."""
    return [
        DetectionsOnly.numbered(index, sequence.rate, sequence.name, size)
        for index in range(sequence.frame_count)
    ]


def _frames(given: TrackerInput) -> Iterator[Frame]:
    """The frames, with their images where they exist."""
    if given.sequence.images is None:
        yield from given.frames
        return
    with closing(image_source(given.sequence)) as source:
        with_images = iter(source)
        frame = next(with_images, None)
        for imageless in given.frames:
            while frame is not None and frame.index < imageless.index:
                frame = next(with_images, None)
            yield frame if frame is not None and frame.index == imageless.index else imageless


def image_source(sequence: MotSequence) -> Source:
    """The source of a sequence's frames, from its folder of images or its video.

    Raises:
        SourceError: there are none: the message says how to set them.
    """
    images = sequence.images
    if images is None:
        raise SourceError(
            f"{sequence.name!r} has no images: set images=<folder of <seq>/{IMAGES_FOLDER} or "
            "<seq>.mp4>"
        )
    if images.is_dir():
        options = {"name": "images", "path": str(images), "rate": sequence.rate}
    else:
        options = {"name": "file", "path": str(images)}
    source: Source = build("source", options)
    return source
