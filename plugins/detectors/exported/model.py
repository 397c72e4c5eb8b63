"""Models that others exported, from frames to detections: see `decoding` for what they give."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vidan.boxes import FloatArray
from vidan.errors import ModelError
from vidan.modelspec import Selection, check_scores
from vidan.types import Detections, Frame

from ..errors import naming, one_line
from ..native.signature import Signature
from .plan import Plan
from .run import TRIED, Array, Run, attempt, inputs_for

log = logging.getLogger(__name__)


class ExportedModel:
    """From frames to detections, around a model that others exported.

    Images are run one by one: that is what most exports take.

    Args:
        where: the model, for errors.
        signature: its inputs and outputs.
        how: how it is to be used.
        selection: which of its boxes become detections.
        run: runs it.

    Attributes:
        labels: the label of each class index.
        threshold: the least score of a detection.
    """

    def __init__(
        self, where: str, signature: Signature, how: Plan, selection: Selection, run: Run
    ) -> None:
        self._where = where
        self._signature = signature
        self._how = how
        self._selection = selection
        self._run = run
        self.labels = tuple(how.labels.values())
        self.threshold = selection.threshold
        self._classes = np.full(max(how.labels) + 1, -1, np.int64)  # by number; -1: there is none
        self._classes[list(how.labels)] = range(len(how.labels))

    def warm_up(self) -> None:
        """Run it once on an empty image.

        Raises:
            ModelError: it does not run, or gives something else than it should.
        """
        self._candidates(np.zeros((*(self._how.preprocessing.size or TRIED), 3), np.uint8))

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame.

        Raises:
            ModelError: the model gave something else than it should.
        """
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Frame) -> Detections:
        image, placement = self._how.preprocessing.place(frame)
        boxes, scores, classes = self._candidates(image)
        boxes = boxes - np.array([placement.left, placement.top] * 2, np.float32)
        best = np.clip(scores, 0, 1)
        return self._selection.select(
            boxes, best, classes, placement.scale, (frame.width, frame.height)
        )

    def _candidates(self, image: npt.NDArray[np.uint8]) -> tuple[FloatArray, FloatArray, Array]:
        """Boxes (M,4) px of the input, scores (M,), class indices (M,), above the threshold."""
        how = self._how
        picture = how.preprocessing.tensor(image, how.image.dtype, how.image.batched)
        inputs = inputs_for(self._where, self._signature, how.image, picture)
        found = attempt(self._where, self._run, inputs, how.reading.outputs)
        floats = [each.astype(np.float32) if each.dtype.kind == "f" else each for each in found]
        try:
            boxes, scores, ids = how.reading.decode(floats, image.shape[:2])
        except (IndexError, ValueError) as error:
            shapes = ", ".join(str(list(each.shape)) for each in found)
            raise ModelError(
                f"{self._where}: its outputs {shapes} are not those of decode {how.decode!r}: "
                f"{one_line(error)}"
            ) from error
        with naming(self._where):
            check_scores(scores)
        if ids is None:
            numbers = np.arange(scores.shape[1]) + how.reading.first
            scores = scores[:, np.isin(numbers, list(how.labels))]
            rows, classes = self._selection.candidates(scores)
            return boxes[rows], scores[rows, classes], classes
        rows = np.flatnonzero(scores >= self._selection.threshold)
        return boxes[rows], scores[rows], self._indices(ids[rows] + how.reading.first)

    def _indices(self, numbers: Array) -> Array:
        """Class indices of the numbers of labels."""
        known = (numbers >= 0) & (numbers < len(self._classes))
        classes = np.where(known, self._classes[np.where(known, numbers, 0)], -1)
        if (classes < 0).any():
            stranger = numbers[classes < 0][0]
            raise ModelError(
                f"{self._where}: it found class {stranger} (counted from 1), which the labels do "
                "not have: give detector.labels=<the label file that belongs to it>"
            )
        return classes
