"""EfficientDet around its network: letterbox in, boxes out; the same for every backend.

Tan, Pang, Le, "EfficientDet: Scalable and Efficient Object Detection", arXiv 1911.09070.
The network decodes its anchors itself and is followed by one NMS, that of `vidan.boxes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.boxes import clip, nms
from vidan.errors import ModelError
from vidan.types import Detections, Frame

from . import options
from .contract import check_label_count
from .labels import class_mask
from .metadata import Metadata

Boxes = npt.NDArray[np.floating[Any]]
Batch = npt.NDArray[np.uint8]
Network = Callable[[Batch], tuple[Boxes, Boxes]]
"""Pictures (N,H,W,3) uint8 to boxes (N,K,4) and scores (N,K,C); from any thread."""

_ROUNDING = 1e-3
"""How far a score may lie outside [0,1] and still be one: arithmetic of half precision."""


class Scale(NamedTuple):
    """By how much a picture was scaled to fit the network's input, along x and y."""

    x: float
    y: float


def letterbox(frames: Sequence[Frame], size: tuple[int, int], pad: int) -> tuple[Batch, list[Scale]]:
    """Scale pictures to fit the network's input, keeping their aspect ratios.

    Each lies at the top left. Its size there is rounded to whole px, so that the true scale
    differs a little between x and y.

    Args:
        frames: N frames, of any sizes.
        size: height and width of the input, px.
        pad: the value of the pixels beside and below the pictures, 0 to 255.

    Returns:
        (N,H,W,3) uint8 RGB, and the scale of each picture.
    """
    batch: Batch = np.full((len(frames), *size, 3), pad, np.uint8)
    scales = []
    for image, frame in zip(batch, frames, strict=True):
        scale = min(size[0] / frame.height, size[1] / frame.width)
        height = max(1, round(frame.height * scale))
        width = max(1, round(frame.width * scale))
        image[:height, :width] = frame.resized(width, height)
        scales.append(Scale(width / frame.width, height / frame.height))
    return batch, scales


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the boxes that a network gives become detections.

    Attributes:
        threshold: the least score, in [0,1].
        iou_threshold: a box that overlaps a better one by more goes, in [0,1].
        exclusive: whether an object has one label only; boxes of different classes then
            suppress each other, and each box has its best label.
        kept: (C,) bool, the classes wanted; None for all.
        most: how many detections a picture may have at most, the best ones; None for any.
    """

    threshold: float
    iou_threshold: float = 0.5
    exclusive: bool = False
    kept: npt.NDArray[np.bool_] | None = None
    most: int | None = None

    @classmethod
    def from_options(
        cls,
        metadata: Metadata,
        threshold: float | None,
        iou_threshold: float,
        classes: str | Sequence[str] | None,
        exclusive: bool | None,
        max_detections: int | None,
    ) -> Selection:
        """From a detector's options; None is what the metadata advises, or no limit.

        Raises:
            ConfigError: an option has a bad value, or names a label that there is not.
        """
        names = None if classes is None else options.names("classes", classes)
        return cls(
            threshold=metadata.threshold
            if threshold is None
            else options.fraction("threshold", threshold),
            iou_threshold=options.fraction("iou_threshold", iou_threshold),
            exclusive=metadata.exclusive if exclusive is None else exclusive,
            kept=class_mask(metadata.labels, names),
            most=None
            if max_detections is None
            else options.whole("max_detections", max_detections, 1),
        )

    def candidates(self, scores: Boxes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Row and class of each score (K,C) that reaches the threshold."""
        if not self.exclusive:
            rows, classes = np.nonzero(scores >= self.threshold)
            return rows, classes
        rows = np.flatnonzero((scores >= self.threshold).any(axis=1))
        return rows, scores[rows].argmax(axis=1)

    def select(
        self,
        boxes: Boxes,
        scores: Boxes,
        classes: npt.NDArray[np.integer[Any]],
        scale: Scale,
        frame: Frame,
    ) -> Detections:
        """Suppress, scale back to the picture, cut at its border, and drop what is left empty.

        Args:
            boxes: (M,4) xyxy, px of the scaled picture.
            scores: (M,), at least the threshold.
            classes: (M,) class indices.
            scale: of the picture.
            frame: the picture's.

        Returns:
            Detections, best first.
        """
        sound = np.flatnonzero(_have_area(boxes))  # a box may be inverted, or not be finite
        boxes, scores, classes = boxes[sound], scores[sound], classes[sound]
        rows = nms(boxes, scores, self.iou_threshold, None if self.exclusive else classes)
        if self.kept is not None:  # not before: a class not wanted still explains its object
            rows = rows[self.kept[classes[rows]]]
        cut = clip(boxes[rows] / (scale * 2), frame.width, frame.height).astype(np.float32)
        inside = np.flatnonzero(_have_area(cut))[: self.most]
        rows = rows[inside]
        return Detections(
            cut[inside], scores[rows].astype(np.float32), classes[rows].astype(np.int32)
        )


def _have_area(boxes: Boxes) -> npt.NDArray[np.bool_]:
    finite = np.isfinite(boxes).all(axis=1)
    return np.asarray(finite & (boxes[:, :2] < boxes[:, 2:]).all(axis=1))


class EfficientDet:
    """From frames to detections, around a network of vidan's own form.

    Args:
        where: the model, for errors.
        metadata: how it is to be used.
        selection: which of its boxes become detections.
        batch: how many pictures it takes at once: 1, or None for any number.
        network: runs it.
    """

    def __init__(
        self,
        where: str,
        metadata: Metadata,
        selection: Selection,
        batch: int | None,
        network: Network,
    ) -> None:
        self._where = where
        self._metadata = metadata
        self._selection = selection
        self._batch = batch
        self._network = network

    def warm_up(self) -> None:
        """Run the network once on an empty picture: the first run is slow, and may fail.

        Raises:
            ModelError: it does not run, or gives something else than it should.
        """
        blank = np.full((1, *self._metadata.input_size, 3), self._metadata.pad, np.uint8)
        try:
            boxes, scores = self._network(blank)
        except Exception as error:  # each backend has its own; whatever it is, the model is at fault
            raise ModelError(f"{self._where}: it does not run: {one_line(error)}") from error
        self._check(boxes, scores, 1)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame.

        Raises:
            ModelError: the network gave something else than it should.
        """
        step = self._batch or max(1, len(frames))
        starts = range(0, len(frames), step)
        return [found for i in starts for found in self._detect(frames[i : i + step])]

    def _detect(self, frames: Sequence[Frame]) -> list[Detections]:
        batch, scales = letterbox(frames, self._metadata.input_size, self._metadata.pad)
        boxes, scores = self._network(batch)
        self._check(boxes, scores, len(frames))
        return [self._one(*each) for each in zip(boxes, scores, scales, frames, strict=True)]

    def _one(self, boxes: Boxes, scores: Boxes, scale: Scale, frame: Frame) -> Detections:
        rows, classes = self._selection.candidates(scores)
        best = np.clip(scores[rows, classes], 0, 1)
        return self._selection.select(boxes[rows], best, classes, scale, frame)

    def _check(self, boxes: Boxes, scores: Boxes, count: int) -> None:
        if boxes.ndim != 3 or scores.ndim != 3 or boxes.shape != (count, scores.shape[1], 4):
            raise ModelError(
                f"{self._where}: expected boxes [{count},K,4] and scores [{count},K,C], "
                f"got {list(boxes.shape)} and {list(scores.shape)}"
            )
        check_label_count(self._where, scores.shape[2], self._metadata.labels)
        check_scores(self._where, scores)


def check_scores(where: str, scores: Boxes) -> None:
    """Hold scores of any shape against [0,1].

    Raises:
        ModelError: some lie outside, or are no numbers.
    """
    if not scores.size or (scores.min() >= -_ROUNDING and scores.max() <= 1 + _ROUNDING):
        return
    raise ModelError(
        f"{where}: expected scores in [0,1], got {scores.min():g} to {scores.max():g}: "
        "export it with its sigmoid"
    )


def one_line(error: BaseException) -> str:
    """What an exception says, in one line of bearable length."""
    return " ".join(str(error).split())[:300] or type(error).__name__
