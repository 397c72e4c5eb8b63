"""Which of the boxes that a network gives become detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.boxes import clip, nms
from vidan.errors import ModelError
from vidan.types import Detections, Frame

from .labels import class_mask
from .native.metadata import ModelDefaults

Boxes = npt.NDArray[np.floating[Any]]

_ROUNDING = 1e-3
"""How far a score may lie outside [0,1] and still be one: arithmetic of half precision."""


class Scale(NamedTuple):
    """By how much an image was scaled to fit the network's input, along x and y."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the boxes that a network gives become detections.

    Attributes:
        threshold: the least score, in [0,1].
        iou_threshold: a box that overlaps a better one by more goes, in [0,1].
        exclusive: whether an object has one label only; boxes of different classes then
            suppress each other, and each box has its best label.
        kept: (C,) bool, the classes wanted; None for all.
        most: how many detections an image may have at most, the best ones; None for any.
    """

    threshold: float
    iou_threshold: float = 0.5
    exclusive: bool = False
    kept: npt.NDArray[np.bool_] | None = None
    most: int | None = None

    @classmethod
    def from_options(
        cls,
        advice: ModelDefaults,
        *,
        threshold: float | None,
        iou_threshold: float | None,
        classes: str | Sequence[str] | None,
        exclusive: bool | None,
        max_detections: int | None,
    ) -> Selection:
        """From a detector's options, checked; None is what the model advises, or no limit.

        Raises:
            ConfigError: an option has a bad value, or names a label that there is not.
        """
        names = None if classes is None else options.names("detector.classes", classes)
        most = max_detections
        return cls(
            options.number(
                "detector.threshold", advice.threshold if threshold is None else threshold, 0, 1
            ),
            options.number(
                "detector.iou_threshold",
                advice.iou_threshold if iou_threshold is None else iou_threshold,
                0,
                1,
            ),
            options.boolean(
                "detector.exclusive", advice.exclusive if exclusive is None else exclusive
            ),
            class_mask(advice.labels, names),
            None if most is None else options.whole("detector.max_detections", most, 1),
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
        features: Boxes | None = None,
    ) -> Detections:
        """Suppress, scale back to the image, cut at its border, and drop what is left empty.

        Args:
            boxes: (M,4) xyxy, px of the scaled image.
            scores: (M,), at least the threshold.
            classes: (M,) class indices.
            scale: of the image.
            frame: the image's.
            features: (M,D), what the boxes look like; None if nobody says.

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
            cut[inside],
            scores[rows].astype(np.float32),
            classes[rows].astype(np.int32),
            None if features is None else features[sound][rows].astype(np.float32),
        )


def _have_area(boxes: Boxes) -> npt.NDArray[np.bool_]:
    finite = np.isfinite(boxes).all(axis=1)
    return np.asarray(finite & (boxes[:, :2] < boxes[:, 2:]).all(axis=1))


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
