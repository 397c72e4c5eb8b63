"""What flows through the pipeline: Frame, Detections, Tracks, Result.

Parallel arrays rather than lists of objects: one mask selects everywhere, and the
numerics stay vectorized. Boxes are xyxy, in pixels of the source's image.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""An image: (H,W,3) uint8, RGB."""


class ColorSpec(NamedTuple):
    """What the numbers of a YUV image mean.

    Attributes:
        matrix: as in ITU-T H.273: 1 is BT.709, 5 and 6 are BT.601.
        full_range: whether they fill 0 to 255; else luma has 16 to 235.
    """

    matrix: int
    full_range: bool


class YuvPlanes(NamedTuple):
    """An image in YUV 4:2:0, as decoders give and encoders take it.

    Attributes:
        y: (H,W) uint8, brightness.
        u: (ceil(H/2),ceil(W/2)) uint8, blue less brightness.
        v: as u, red less brightness.
        colors: what the numbers mean.
    """

    y: npt.NDArray[np.uint8]
    u: npt.NDArray[np.uint8]
    v: npt.NDArray[np.uint8]
    colors: ColorSpec


class Frame(ABC):
    """One image of a stream, its pixels made only when somebody asks for them.

    A source yields its own kind of frame (over a decoder's image, over an array)
    and implements `_make_rgb` and `resized`. Safe to use from several threads.

    Attributes:
        index: position in the stream, from 0; a gap means frames that were left out.
        time: stream time in s, from the source's own clock (a file's timestamps).
        captured: when the source had the image: `time.monotonic()`, s.
        stream: name of the stream.
        width: of the image as it is to be shown, px.
        height: of the image as it is to be shown, px.
        filename: name of the image file the frame came from; None if there is none.
    """

    __slots__ = (
        "_lock",
        "_rgb",
        "captured",
        "filename",
        "height",
        "index",
        "stream",
        "time",
        "width",
    )

    def __init__(
        self,
        *,
        index: int,
        time: float,
        captured: float,
        stream: str,
        width: int,
        height: int,
        filename: str | None = None,
    ) -> None:
        self.index = index
        self.time = time
        self.captured = captured
        self.stream = stream
        self.width = width
        self.height = height
        self.filename = filename
        self._rgb: Image | None = None
        self._lock = threading.Lock()

    def rgb(self) -> Image:
        """The image: (height,width,3) uint8 RGB, read-only; made once and kept."""
        with self._lock:
            if self._rgb is None:
                rgb = self._make_rgb()
                rgb.flags.writeable = False
                self._rgb = rgb
            return self._rgb

    def yuv(self) -> YuvPlanes | None:
        """The image as it came from a decoder, not converted and not to be written to.

        None where it is not such an image, or is not shown as it is: then there is `rgb`.
        """
        return None

    @abstractmethod
    def _make_rgb(self) -> Image:
        """Make the image: (height,width,3) uint8 RGB, contiguous, not shared."""

    @abstractmethod
    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB, regardless of its aspect ratio."""

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(stream={self.stream!r}, index={self.index}, "
            f"time={self.time:.3f}, {self.width}x{self.height})"
        )


def _check(
    owner: str, name: str, array: Any, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> None:
    if isinstance(array, np.ndarray) and array.dtype == dtype:
        if array.shape == shape:
            return
        free = (m if n is None else n for n, m in zip(shape, array.shape, strict=False))
        if array.ndim == len(shape) and array.shape == tuple(free):
            return
    wanted = f"({','.join('N' if n is None else str(n) for n in shape)}) {np.dtype(dtype).name}"
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{owner}.{name}: expected {wanted}, got {type(array).__name__}")
    got = f"({','.join(map(str, array.shape))}) {array.dtype.name}"
    raise ValueError(f"{owner}.{name}: expected {wanted}, got {got}")


def _check_boxes(owner: str, boxes: npt.NDArray[np.float32]) -> None:
    right = np.isfinite(boxes)
    right[:, :2] &= boxes[:, :2] <= boxes[:, 2:]
    if not right.all():
        row = int(right.all(axis=1).argmin())
        raise ValueError(
            f"{owner}.boxes: expected finite x1 <= x2 and y1 <= y2, "
            f"got {boxes[row].tolist()} in row {row}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector found in one frame, N boxes.

    Attributes:
        boxes: (N,4) float32, xyxy, px of the source's image; (0,4) when empty.
        scores: (N,) float32 in [0,1].
        classes: (N,) int32, indices into the detector's labels.
        features: (N,D) float32, an appearance vector for each box, or None.

    Raises:
        TypeError, ValueError: naming the field, what was expected and what came.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int32]
    features: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        _check(name, "boxes", self.boxes, np.float32, (None, 4))
        n = len(self.boxes)
        _check(name, "scores", self.scores, np.float32, (n,))
        _check(name, "classes", self.classes, np.int32, (n,))
        if self.features is not None:
            _check(name, "features", self.features, np.float32, (n, None))
        _check_boxes(name, self.boxes)
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError(f"{name}.scores: expected values in [0,1], got {self.scores.tolist()}")

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Detections:
        """The detections of a mask (N,) bool or of indices (K,), in that order."""
        features = None if self.features is None else self.features[rows]
        return Detections(self.boxes[rows], self.scores[rows], self.classes[rows], features)

    @classmethod
    def empty(cls) -> Detections:
        """No detections."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The objects that a tracker follows, as of one frame, M of them.

    Attributes:
        ids: (M,) int64, unique in the stream and never used again.
        boxes: (M,4) float32, xyxy, px of the source's image.
        scores: (M,) float32 in [0,1], of the last matched detection.
        classes: (M,) int32, indices into the labels; -1 uncertain.
        misses: (M,) int32, frames since the last matched detection; more than 0 is coasting.
            0 too in frames without a look, if it was matched at the last one.
        detection: (M,) int32, row of the matched detection; -1 if there is none.

    Raises:
        TypeError, ValueError: naming the field, what was expected and what came.
    """

    ids: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int32]
    misses: npt.NDArray[np.int32]
    detection: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        name = type(self).__name__
        _check(name, "boxes", self.boxes, np.float32, (None, 4))
        n = len(self.boxes)
        _check(name, "ids", self.ids, np.int64, (n,))
        _check(name, "scores", self.scores, np.float32, (n,))
        _check(name, "classes", self.classes, np.int32, (n,))
        _check(name, "misses", self.misses, np.int32, (n,))
        _check(name, "detection", self.detection, np.int32, (n,))
        _check_boxes(name, self.boxes)
        if len(set(self.ids.tolist())) != n:
            raise ValueError(f"{name}.ids: expected each once, got {self.ids.tolist()}")

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Tracks:
        """The tracks of a mask (M,) bool or of indices (K,), in that order."""
        return Tracks(
            self.ids[rows],
            self.boxes[rows],
            self.scores[rows],
            self.classes[rows],
            self.misses[rows],
            self.detection[rows],
        )

    @classmethod
    def empty(cls) -> Tracks:
        """No tracks."""
        none = np.zeros(0, np.int32)
        return cls(
            np.zeros(0, np.int64),
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            none,
            none,
            none,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """All that is known of one frame; what sinks get.

    Attributes:
        frame: the frame.
        detections: what the detector found in it.
        tracks: the objects followed, as of this frame.
        labels: the detector's label for each class index.
        events: what analytics have to say of this frame.
        timings: seconds that each stage took for this frame, by stage.
    """

    frame: Frame
    detections: Detections
    tracks: Tracks
    labels: tuple[str, ...] = ()
    events: tuple[Any, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    def label(self, class_index: int) -> str:
        """The label of a class index: see `label_of`."""
        return label_of(class_index, self.labels)


def label_of(class_index: int, labels: Sequence[str]) -> str:
    """The label of a class index: `uncertain` for -1, the number itself if it has none."""
    if class_index == -1:
        return "uncertain"
    return labels[class_index] if class_index < len(labels) else str(class_index)
