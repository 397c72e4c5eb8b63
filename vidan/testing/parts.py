"""Small, deterministic inputs and components for tests: frames, detections, a source, a sink."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SinkError
from ..frames import ArrayFrame, Frame
from ..images import Image
from ..registry.discovery import load_plugins
from ..types import Detections, Result, Tracks

FPS = 30.0
WIDTH, HEIGHT = 320, 240
PERSON = (20.0, 40.0)  # width and height of a walker, px


def array_frame(rgb: Image, index: int = 0, **given: Any) -> ArrayFrame:
    """A frame over an array (H,W,3) uint8, at 30 frames per second in the stream `test`.

    `given` overrides any argument of `ArrayFrame`.
    """
    return ArrayFrame(rgb, **{"index": index, "time": index / FPS, "stream": "test", **given})


def blank(index: int = 0, *, width: int = WIDTH, height: int = HEIGHT, **given: Any) -> ArrayFrame:
    """A black frame; see `array_frame`."""
    return array_frame(_black(width, height), index, **given)


@functools.lru_cache
def _black(width: int, height: int) -> Image:
    """One image for all frames of a size: to allocate each is what takes most of the time."""
    return np.zeros((height, width, 3), np.uint8)


def frame(
    index: int = 0,
    boxes: npt.ArrayLike = (),
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    **given: Any,
) -> ArrayFrame:
    """A gray gradient with a bright rectangle for each box, (M,4) xyxy px; see `array_frame`."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = np.linspace(40, 120, width, dtype=np.uint8)[:, None]
    for number, box in enumerate(np.asarray(boxes, np.float32).reshape(-1, 4)):
        x1, y1, x2, y2 = np.clip(box.round(), 0, [width, height] * 2).astype(int)
        # Steps that share no factor with the range keep the colors of the rectangles apart.
        rgb[y1:y2, x1:x2] = [160 + number * 61 % 96, 160 + number * 37 % 96, 255 - number * 53 % 96]
    return array_frame(rgb, index, **given)


def frames(count: int, **given: Any) -> list[ArrayFrame]:
    """Frames 0 to count-1, in which one rectangle moves to the right."""
    return [frame(n, [[10 + 2 * n, 50, 30 + 2 * n, 90]], **given) for n in range(count)]


def detections(
    boxes: npt.ArrayLike = (),
    scores: npt.ArrayLike | None = None,
    classes: npt.ArrayLike | None = None,
    features: npt.ArrayLike | None = None,
) -> Detections:
    """Detections from lists; scores are 0.9 and classes 0 by default."""
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    n = len(rows)
    return Detections(
        rows,
        np.full(n, 0.9, np.float32) if scores is None else np.array(scores, np.float32),
        np.zeros(n, np.int32) if classes is None else np.array(classes, np.int32),
        None if features is None else np.array(features, np.float32).reshape(n, -1),
    )


def walkers(
    seed: int, people: int, count: int, *, missing: float = 0.05, features: int = 0
) -> list[Detections]:
    """Detections of people who walk in straight lines, spread over a 1920x1080 image.

    Args:
        seed: the same seed gives the same boxes.
        people: number of people.
        count: number of frames, at 30 frames per second.
        missing: fraction of the boxes that are missed.
        features: length of the appearance vectors, which differ between people; 0 for none.

    Returns:
        The detections of each frame.
    """
    rng = np.random.default_rng(seed)
    columns = int(np.ceil(np.sqrt(people * 16 / 9)))
    cell = np.array([1920 / columns, 1080 / np.ceil(people / columns)])
    place = np.stack([np.arange(people) % columns, np.arange(people) // columns], 1)
    size = np.minimum(np.array(PERSON), 0.6 * cell)
    start = (place + 0.1 + 0.2 * rng.random((people, 2))) * cell
    speed = rng.uniform(-0.002, 0.002, (people, 2)) * cell  # px per frame: nobody leaves their cell
    appearance = rng.normal(size=(people, features)).astype(np.float32)
    found = []
    for index in range(count):
        seen = rng.random(people) >= missing
        corner = (start + speed * index + rng.normal(0, 0.01, (people, 2)) * size)[seen]
        boxes = np.concatenate([corner, corner + size], axis=1)
        scores = rng.uniform(0.6, 1.0, seen.sum())
        vectors = appearance[seen] if features else None
        found.append(detections(boxes, scores, features=vectors))
    return found


def result(index: int = 0, boxes: npt.ArrayLike = (), **given: Any) -> Result:
    """A result: a frame, its detections, and a track for each of them.

    Args:
        index: of the frame.
        boxes: (M,4) xyxy px.
        **given: `classes` (M,), `labels`, and the arguments of `frame`.
    """
    classes = given.pop("classes", None)
    labels = given.pop("labels", ("thing", "other"))
    found = detections(boxes, classes=None if classes is None else np.maximum(classes, 0))
    n = len(found)
    tracks = Tracks(
        np.arange(1, n + 1, dtype=np.int64),
        found.boxes,
        found.scores,
        found.classes if classes is None else np.array(classes, np.int32),
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
    )
    return Result(frame(index, boxes, **given), found, tracks, labels, (), {"detector": 0.01})


class ListSource:
    """A source of given frames."""

    def __init__(self, given: Sequence[Frame], *, live: bool = False) -> None:
        self.live = live
        self.frames: int | None = len(given)
        self.closed = 0
        self._given = list(given)

    def __iter__(self) -> Iterator[Frame]:
        yield from self._given

    def close(self) -> None:
        """Count the call."""
        self.closed += 1


class TruthDetector:
    """A detector that returns given detections by frame index, and none for other frames."""

    def __init__(
        self, truth: Mapping[int, Detections] | Sequence[Detections], labels: Sequence[str] = ()
    ) -> None:
        self._truth = dict(truth) if isinstance(truth, Mapping) else dict(enumerate(truth))
        self.labels = tuple(labels) or ("thing", "other")
        self.closed = 0

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The given detections of each frame."""
        return [self._truth.get(each.index, Detections.empty()) for each in frames]

    def close(self) -> None:
        """Count the call."""
        self.closed += 1


class RecordingSink:
    """A sink that keeps the results it is given in `results`."""

    def __init__(self, *, lossless: bool = True) -> None:
        self.lossless = lossless
        self.results: list[Result] = []
        self.closed = 0

    def write(self, result: Result) -> None:
        """Keep the result."""
        if self.closed:
            raise SinkError("a result was written after close()")
        self.results.append(result)

    def close(self) -> None:
        """Count the call."""
        self.closed += 1


def clip(path: Path, given: Sequence[Frame] | int = 12) -> Path:
    """Write a small H.264 video of some frames, or of `frames(n)`, with the `video` sink."""
    shown = frames(given) if isinstance(given, int) else given
    video = load_plugins().registry.get("sink", "video").load()(path=str(path))
    try:
        for each in shown:
            video.write(Result(each, Detections.empty(), Tracks.empty()))
    finally:
        video.close()
    return path
