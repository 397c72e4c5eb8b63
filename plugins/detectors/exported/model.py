"""Detection with models that others exported; `decoding` interprets their outputs."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from vidan.boxes import FloatArray
from vidan.errors import ModelError
from vidan.modelspec import Placement, Selection, check_scores
from vidan.types import Detections, Frame, Image

from ..errors import one_line
from ..native.signature import Signature
from .decoding.base import Candidates, Outputs
from .plan import Plan
from .run import TRIAL_SIZE, Array, Run, attempt, inputs_for

log = logging.getLogger(__name__)


class ExportedModel:
    """From frames to detections with a model that others exported.

    Args:
        signature: its inputs and outputs.
        plan: how it is used.
        selection: which of its boxes become detections.
        run: runs it.

    Attributes:
        labels: the label of each class index.
        own_labels: the labels of the model that each of them stands for.
        threshold: minimum score of a detection.
        score_scale: of the scores; None if it is not known.
        batch: most images in one run; 1 if the model turns out to take them one by one.
    """

    def __init__(self, signature: Signature, plan: Plan, selection: Selection, run: Run) -> None:
        self._signature = signature
        self._plan = plan
        self._selection = selection
        self._run = run
        own = tuple(plan.labels.values())
        self.labels, self.own_labels = selection.labels(own), selection.own_labels(own)
        self.threshold = selection.threshold
        self.score_scale = selection.score_scale
        self.batch = plan.batch
        self._numbers = list(plan.labels)
        self._classes = class_indices(self._numbers)

    def warm_up(self) -> None:
        """Run it on a blank image, and on two at once if it seems to take batches.

        Raises:
            ModelError: it does not run, or its outputs are not as expected.
        """
        blank = np.zeros((*(self._plan.preprocessing.size or TRIAL_SIZE), 3), np.uint8)
        (outputs,) = self._outputs([blank])
        self._candidates(outputs, blank.shape[:2])
        if self.batch > 1:
            try:
                self._outputs([blank, blank])
            except ModelError as error:  # a graph may claim a dynamic batch size and not have it
                log.debug("images are run one by one: %s", error)
                self.batch = 1

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections in each of at most `batch` frames.

        Raises:
            ModelError: the outputs are not as expected.
        """
        placed = [self._plan.preprocessing.place(frame) for frame in frames]
        images = [image for image, _ in placed]
        return [
            self._select(frame, placement, *self._candidates(outputs, image.shape[:2]))
            for frame, (image, placement), outputs in zip(
                frames, placed, self._outputs(images), strict=True
            )
        ]

    def _outputs(self, images: Sequence[Image]) -> list[Outputs]:
        """The outputs for each of some images (H,W,3), with a batch axis of one."""
        image, preprocessing = self._plan.image, self._plan.preprocessing
        tensors = [preprocessing.tensor(each, image.dtype, image.batched) for each in images]
        batch = tensors[0] if len(tensors) == 1 else np.concatenate(tensors)
        inputs = inputs_for(self._signature, image, batch)
        found = attempt(self._run, inputs, self._plan.decoding.outputs)
        floats = [each.astype(np.float32) if each.dtype.kind == "f" else each for each in found]
        if len(images) == 1:
            return [floats]
        if any(each.shape[:1] != (len(images),) for each in floats):
            shapes = ", ".join(str(list(each.shape)) for each in found)
            raise ModelError(f"expected outputs for {len(images)} images, got {shapes}")
        return [[each[row : row + 1] for each in floats] for row in range(len(images))]

    def _candidates(
        self, outputs: Outputs, size: tuple[int, int]
    ) -> tuple[FloatArray, FloatArray, Array]:
        """Boxes (M,4) px of the input, scores (M,) and class indices (M,) of an image."""
        try:
            found = self._plan.decoding.decode(outputs, size)
            _check_shapes(found)
        except (IndexError, ValueError) as error:
            shapes = ", ".join(str(list(each.shape)) for each in outputs)
            raise ModelError(
                f"its outputs {shapes} are not those of decode {self._plan.decode!r}: "
                f"{one_line(error)}"
            ) from error
        check_scores(found.scores)
        return self._above_threshold(found)

    def _above_threshold(self, found: Candidates) -> tuple[FloatArray, FloatArray, Array]:
        boxes, scores, ids = found
        first = self._plan.decoding.first_label
        if ids is None:
            numbers = np.arange(scores.shape[1]) + first
            scores = scores[:, np.isin(numbers, self._numbers)]
            rows, classes = self._selection.candidates(scores)
            return boxes[rows], scores[rows, classes], classes
        rows = np.flatnonzero(scores >= self._selection.threshold)
        numbers = ids[rows] + first
        if not numbers.all():
            self._check_zero(float(scores[rows[numbers == 0][0]]))
            rows, numbers = rows[numbers != 0], numbers[numbers != 0]
        return boxes[rows], scores[rows], classes_of(self._classes, numbers)

    def _check_zero(self, score: float) -> None:
        """Check that a class 0 of a model that counts from 1 is known to be the background.

        Raises:
            ModelError: it is not.
        """
        if not self._plan.zero_is_background:
            raise ModelError(
                f"it found class 0 with score {score:.2f}, so it seems to count classes from 0, "
                "not 1: set detector.first_id=0, or 1 if that is the background"
            )

    def _select(
        self,
        frame: Frame,
        placement: Placement,
        boxes: FloatArray,
        scores: FloatArray,
        classes: Array,
    ) -> Detections:
        boxes = boxes - np.array([placement.left, placement.top] * 2, np.float32)
        size = (frame.width, frame.height)
        best = np.clip(scores, 0, 1)
        return self._selection.select(boxes, best, classes, placement.scale, size)


def _check_shapes(found: Candidates) -> None:
    boxes, scores, ids = found
    of_all = scores.ndim == 2 if ids is None else scores.shape == ids.shape
    if boxes.shape != (len(scores), 4) or not of_all:
        shapes = f"boxes {list(boxes.shape)} and scores {list(scores.shape)}"
        raise ValueError(f"they are decoded to {shapes}")


def class_indices(numbers: Sequence[int]) -> Array:
    """The class index of each label number, (max+1,) int64; -1 where there is no label."""
    indices = np.full(max(numbers) + 1, -1, np.int64)
    indices[list(numbers)] = range(len(numbers))
    return indices


def classes_of(indices: Array, numbers: Array) -> Array:
    """The class indices of label numbers.

    Args:
        indices: see `class_indices`.
        numbers: (M,) whole numbers.

    Raises:
        ModelError: a number has no label.
    """
    known = (numbers >= 0) & (numbers < len(indices))
    classes = np.where(known, indices[np.where(known, numbers, 0)], -1)
    if (classes < 0).any():
        raise ModelError(
            f"it found class {numbers[classes < 0][0]} (counted from 1), which the labels do not "
            "have: set detector.labels=<the label file that belongs to it>"
        )
    return classes
