"""The data that flows through the pipeline: Frame, Detections, Tracks, Result.

Parallel arrays rather than lists of objects: one mask selects everywhere, and the
numerics stay vectorized. Boxes are xyxy, in pixels of the source's image.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .events import Event, Measure, Shape
from .frames import Frame
from .images import ColorSpec, Image, YuvPlanes

__all__ = ["ColorSpec", "Detections", "Frame", "Image", "Result", "Tracks", "YuvPlanes", "label_of"]


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
    """The N boxes that a detector found in one frame.

    Attributes:
        boxes: (N,4) float32, xyxy, px of the source's image; (0,4) when empty.
        scores: (N,) float32 in [0,1].
        classes: (N,) int32, indices into the detector's labels.
        features: (N,D) float32, an appearance embedding for each box, or None.

    Raises:
        TypeError, ValueError: a field has a wrong type, dtype, shape or value.
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
    """The M tracks of a tracker, as of one frame.

    Attributes:
        ids: (M,) int64, unique in the stream and never reused.
        boxes: (M,4) float32, xyxy, px of the source's image.
        scores: (M,) float32 in [0,1], of the last matched detection.
        classes: (M,) int32, indices into the labels; -1 uncertain.
        misses: (M,) int32, frames since the last matched detection; more than 0 is coasting.
            Also 0 in frames that the detector skips, if it was matched in the last update.
        detection: (M,) int32, row of the matched detection; -1 if there is none.

    Raises:
        TypeError, ValueError: a field has a wrong type, dtype, shape or value.
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
    """Everything known about one frame, as sinks get it.

    Attributes:
        frame: the frame.
        detections: of the frame.
        tracks: as of this frame.
        labels: the detector's label for each class index.
        events: what the analyzers reported for this frame, for drawing; sinks that must get every
            event implement `emit`.
        timings: seconds that each stage took for this frame, by stage.
        shapes: what the analyzers want drawn over this frame.
        measures: the current values of the analyzers, such as counts, by what they measure.
    """

    frame: Frame
    detections: Detections
    tracks: Tracks
    labels: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    shapes: tuple[Shape, ...] = ()
    measures: Mapping[Measure, float] = field(default_factory=dict)

    def label(self, class_index: int) -> str:
        """The label of a class index: see `label_of`."""
        return label_of(class_index, self.labels)

    def _repr_html_(self) -> str:
        """The annotated image, for notebooks."""
        # By name, since the module imports this one.
        return str(importlib.import_module("vidan.api").shown(self))


def label_of(class_index: int, labels: Sequence[str]) -> str:
    """The label of a class index: `uncertain` for -1, the number itself if it has none."""
    if class_index == -1:
        return "uncertain"
    return labels[class_index] if class_index < len(labels) else str(class_index)
