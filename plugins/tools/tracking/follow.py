"""Runs a tracker over a sequence's detections, and writes what it says."""

from __future__ import annotations

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
from vidan.types import Detections, Frame, Image, Result

from .sequences import Video, last_frame

log = logging.getLogger(__name__)


class Unseen(Frame):
    """A frame of which only the detections are known."""

    __slots__ = ()

    def _make_rgb(self) -> Image:
        return self.resized(self.width, self.height)

    def resized(self, width: int, height: int) -> Image:  # noqa: ARG002 - as in Frame
        """There is no image.

        Raises:
            SourceError: always; says how to do without.
        """
        raise SourceError(
            f"{self.stream!r} has no pictures: say pictures=<folder>, or choose a tracker that "
            "needs none (deepsort: features=<folder>, or tracker.embedder=none)"
        )


@dataclass(frozen=True)
class Looks:
    """A sequence, read once: each frame with its detections.

    Attributes:
        video: the sequence.
        frames: of the whole sequence, also those without detections.
        detections: of each frame.
    """

    video: Video
    frames: list[Frame]
    detections: list[Detections]


def length(video: Video) -> int:
    """How many frames a sequence has: by seqinfo.ini, or else by its files."""
    files = [f for f in (video.detections, video.truth) if f is not None]
    return video.length or max(last_frame(file) for file in files)


def read(video: Video) -> Looks:
    """The frames and detections of a sequence; images stay where they are until asked for.

    Raises:
        SourceError: it has no detections, or a file cannot be read.
    """
    if video.detections is None and video.features is None:
        raise SourceError(f"{video.name!r} has no det/det.txt")
    with closing(_detector(video)) as detector:
        found = detector.detect(_unseen(video, (1, 1)))
    return Looks(video, _unseen(video, video.size or _extent(found)), found)


def follow(looks: Looks, tracker: Mapping[str, Any], path: Path) -> list[float]:
    """Run a tracker over a sequence and write its tracks as MOTChallenge text.

    Args:
        looks: the sequence.
        tracker: `name` and options of the tracker.
        path: of the file to write.

    Returns:
        Seconds that each call of the tracker's `update` took.
    """
    made: Tracker = build("tracker", tracker)
    sink: Sink = build("sink", {"name": "mot", "path": str(path)}, "sink.mot")
    seconds = []
    with closing(sink):
        for frame, detections in zip(_frames(looks), looks.detections, strict=True):
            began = time.perf_counter()
            tracks = made.update(frame, detections)
            seconds.append(time.perf_counter() - began)
            sink.write(Result(frame, detections, tracks, ("person",)))
    return seconds


def _detector(video: Video) -> Detector:
    path = None if video.detections is None or video.alone else str(video.detections)
    features = None if video.features is None else str(video.features)
    options = {"name": "mot", "path": path, "features": features}
    detector: Detector
    try:
        detector = build("detector", options)
    except SourceError as error:
        if path is None or features is None:
            raise
        log.warning(
            "%s: its features are left out, for they do not fit its det.txt; features=<folder> "
            "takes the boxes from there too",
            video.name,
        )
        log.debug("%s", error)
        detector = build("detector", options | {"features": None})
    return detector


def _extent(found: list[Detections]) -> tuple[int, int]:
    """A size of image, px, that holds all boxes."""
    corners = np.concatenate([d.boxes[:, 2:] for d in found] or [np.zeros((0, 2), np.float32)])
    width, height = np.ceil(corners.max(axis=0, initial=1)).tolist()
    return int(width), int(height)


def _unseen(video: Video, size: tuple[int, int]) -> list[Frame]:
    width, height = size
    return [
        Unseen(
            index=index,
            time=index / video.rate,
            captured=0.0,
            stream=video.name,
            width=width,
            height=height,
        )
        for index in range(length(video))
    ]


def _frames(looks: Looks) -> Iterator[Frame]:
    """The frames, with their images where there are any."""
    pictures = looks.video.pictures
    if pictures is None:
        yield from looks.frames
        return
    if pictures.is_dir():
        options = {"name": "images", "path": str(pictures), "rate": looks.video.rate}
    else:
        options = {"name": "file", "path": str(pictures)}
    source: Source = build("source", options)
    with closing(source):
        seen = iter(source)
        frame = next(seen, None)
        for unseen in looks.frames:
            while frame is not None and frame.index < unseen.index:
                frame = next(seen, None)
            yield frame if frame is not None and frame.index == unseen.index else unseen


def milliseconds(seconds: list[float]) -> dict[str, float]:
    """Mean, median and 95th percentile of times: ms."""
    times = 1000 * np.array(seconds or [0.0])
    return {
        "mean": float(times.mean()),
        "median": float(np.median(times)),
        "p95": float(np.quantile(times, 0.95)),
    }
