"""Labeling of images by detectors: boxes where they are certain, crowds where they are not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vidan.boxes import iou
from vidan.frames import ArrayFrame
from vidan.interfaces import Detector
from vidan.types import Detections

from ..arrays import BoolArray, IntArray
from ..data.formats.dataset import AnnotatedImage
from .fusion import fuse

SAME_OBJECT = 0.3
"""IoU from which a detection is an object that is labeled already."""

LEFT_OUT = -1
"""Class of detections that are not used."""


@dataclass(frozen=True, slots=True)
class LabelRules:
    """Which detections become boxes and which become crowds.

    Attributes:
        labels: labels of the result; a class is an index into them.
        min_score: minimum score of a box, in [0,1].
        crowd_score: minimum score of a crowd.
        iou_threshold: IoU from which boxes of several detectors are the same object.
        complete: labels that labeled images do not have everywhere; None if images have no labels.
    """

    labels: tuple[str, ...]
    min_score: float
    crowd_score: float
    iou_threshold: float
    complete: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Labeler:
    """Labels images by several detectors.

    Attributes:
        detectors: the detectors.
        classes: for each detector, the class of the result for each of its own: (C,) int32, the
            number of labels for crowds and `LEFT_OUT` for none.
        rules: what becomes of the detections.
    """

    detectors: Sequence[Detector]
    classes: Sequence[IntArray]
    rules: LabelRules

    def label(self, images: Sequence[AnnotatedImage]) -> list[AnnotatedImage]:
        """Label images; boxes that they have already stay as they are."""
        frames = [ArrayFrame(image.file.decode(), filename=image.name) for image in images]
        by_detector = [
            [_translate(found, classes) for found in detector.detect(frames)]
            for detector, classes in zip(self.detectors, self.classes, strict=True)
        ]
        return [
            self._label_image(image, fuse(found, self.rules.iou_threshold))
            for image, *found in zip(images, *by_detector, strict=True)
        ]

    def _label_image(self, image: AnnotatedImage, found: Detections) -> AnnotatedImage:
        """An image with detections as further boxes."""
        rules = self.rules
        uncertain = (found.scores < rules.min_score) | (found.classes == len(rules.labels))
        certain = found[~uncertain]
        # A worse box of an object that has one already must not hide its surroundings.
        hidden = _near(found, certain.boxes, rules.iou_threshold) & uncertain
        found, uncertain = found[~hidden], uncertain[~hidden]
        is_new = ~self._is_labeled(image, found, uncertain)
        found, uncertain = found[is_new], uncertain[is_new]
        names = [(*rules.labels, rules.labels[0])[c] for c in found.classes]  # of a crowd: any
        if rules.complete is not None:
            uncertain |= np.array([name not in rules.complete for name in names], bool)
        keep = found.scores >= rules.crowd_score
        crowd = uncertain[keep]
        return replace(
            image,
            boxes=np.concatenate([image.boxes, found.boxes[keep].astype(np.float64)]),
            labels=(*image.labels, *itertools.compress(names, keep)),
            crowd=np.concatenate([image.crowd, crowd]),
            difficult=np.concatenate([image.difficult, np.zeros(len(crowd), bool)]),
            weights=np.concatenate([image.weights, np.where(crowd, 1.0, found.scores[keep])]),
        )

    def _is_labeled(
        self, image: AnnotatedImage, found: Detections, uncertain: BoolArray
    ) -> BoolArray:
        """(N,): detections of an object that the image has a box of."""
        labeled = _near(found, image.boxes, SAME_OBJECT) & uncertain
        for class_, label in enumerate(self.rules.labels):
            boxes = image.boxes[[row for row, name in enumerate(image.labels) if name == label]]
            labeled |= _near(found, boxes, SAME_OBJECT) & (found.classes == class_)
        return labeled

    def close(self) -> None:
        """Close the detectors."""
        for detector in self.detectors:
            detector.close()


def _near(found: Detections, boxes: Any, threshold: float) -> BoolArray:
    """(N,): detections whose IoU with one of some boxes (M,4) reaches a threshold."""
    return np.asarray((iou(found.boxes, boxes) >= threshold).any(axis=1))


def _translate(found: Detections, classes: IntArray) -> Detections:
    """Detections with the classes of the result, without those that are left out."""
    new = classes[found.classes]
    rows = new != LEFT_OUT
    return Detections(found.boxes[rows], found.scores[rows], new[rows])
