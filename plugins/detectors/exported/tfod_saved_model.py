"""Detection with a SavedModel that the TensorFlow Object Detection API exported.

    input_tensor       uint8 [1,H,W,3]     RGB; the graph resizes it
    detection_boxes    float32 [1,K,4]     yxyx, in fractions of the image's height and width
    detection_scores   float32 [1,K]       in [0,1], best first
    detection_classes  float32 [1,K]       ids from 1, as in the label map
    num_detections     float32 [1]         number of valid rows among the K

Source: object_detection/exporter_lib_v2.py in tensorflow/models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vidan.boxes import FloatArray
from vidan.errors import ModelError
from vidan.modelspec import Scale, Selection, check_scores
from vidan.types import Detections, Frame

from ..errors import one_line
from ..native.model import Batch
from ..native.signature import Signature
from .model import class_indices, classes_of

EXPECTED = (
    "input input_tensor uint8 [1,H,W,3] and outputs detection_boxes float32 [1,K,4], "
    "detection_scores float32 [1,K], detection_classes float32 [1,K], num_detections float32 [1]"
)

OUTPUTS: Mapping[str, tuple[int | None, ...]] = {
    "detection_boxes": (1, None, 4),
    "detection_scores": (1, None),
    "detection_classes": (1, None),
    "num_detections": (1,),
}
TRIAL_SIZE = (320, 320)
"""Height and width, px, of the trial image for a model with a dynamic input size."""

UNSCALED = Scale(1, 1)

Outputs = Mapping[str, npt.NDArray[Any]]
Network = Callable[[Batch], Outputs]
"""Runs an image (1,H,W,3) uint8 and returns the outputs by name; from any thread."""


def is_tfod(signature: Signature) -> bool:
    """Whether a model seems to be such an export; `check_tfod` checks it."""
    return "input_tensor" in signature.inputs or "detection_boxes" in signature.outputs


def check_tfod(signature: Signature) -> tuple[int, int] | None:
    """Check the inputs and outputs of a model; more outputs are ignored.

    Returns:
        Height and width of the input, px; None if they are dynamic.

    Raises:
        ModelError: they are not as expected; lists them.
    """
    inputs, outputs = signature
    valid = (
        inputs.keys() == {"input_tensor"}
        and inputs["input_tensor"].fits("uint8", (1, None, None, 3))
        and outputs.keys() >= OUTPUTS.keys()
        and all(outputs[name].fits("float32", shape) for name, shape in OUTPUTS.items())
    )
    if not valid:
        raise ModelError(f"expected {EXPECTED}, it has {signature}")
    _, height, width, _ = inputs["input_tensor"].shape or (1, None, None, 3)
    return None if height is None or width is None else (height, width)


class TfodModel:
    """From frames to detections with such a SavedModel.

    The graph has suppressed overlapping boxes of the same class. Suppressing them again changes
    nothing unless the selection is stricter or class-agnostic.

    Args:
        size: height and width of its input, px; None for the size of the image.
        labels: by class id, from 1; there may be gaps. Their order is that of the class indices.
        selection: which of its boxes become detections.
        network: runs it.

    Attributes:
        labels: the label of each class index.
        own_labels: the labels of the model that each of them stands for.
        threshold: minimum score of a detection.
        score_scale: of the scores; None if it is not known.
        batch: 1: these exports take one image per run.
    """

    def __init__(
        self,
        size: tuple[int, int] | None,
        labels: Mapping[int, str],
        selection: Selection,
        network: Network,
    ) -> None:
        self._size = size
        self._selection = selection
        self._network = network
        own = tuple(labels.values())
        self.labels, self.own_labels = selection.labels(own), selection.own_labels(own)
        self.threshold = selection.threshold
        self.score_scale = selection.score_scale
        self.batch = 1
        self._classes = class_indices(list(labels))

    def warm_up(self) -> None:
        """Run it once on a blank image: the first run is slow, and may fail.

        Raises:
            ModelError: it does not run, or its outputs are not as expected.
        """
        blank = np.zeros((1, *(self._size or TRIAL_SIZE), 3), np.uint8)
        try:
            outputs = self._network(blank)
        except Exception as error:
            raise ModelError(f"it does not run: {one_line(error)}") from error
        self._valid_rows(outputs)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections in each frame.

        Raises:
            ModelError: the outputs are not as expected.
        """
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Frame) -> Detections:
        image = frame.rgb() if self._size is None else frame.resized(*reversed(self._size))
        boxes, scores, ids = self._valid_rows(self._network(image[None]))
        kept = scores >= self._selection.threshold
        xyxy = (boxes[kept] * np.array([frame.height, frame.width] * 2))[:, [1, 0, 3, 2]]
        classes = classes_of(self._classes, ids[kept].astype(np.int64))
        best, size = np.clip(scores[kept], 0, 1), (frame.width, frame.height)
        return self._selection.select(xyxy, best, classes, UNSCALED, size)

    def _valid_rows(self, outputs: Outputs) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Boxes (M,4), scores (M,) and class ids (M,) of the M valid rows."""
        count = int(outputs["num_detections"][0])
        boxes, scores, ids = (
            outputs[name][0][:count]
            for name in ("detection_boxes", "detection_scores", "detection_classes")
        )
        if not len(boxes) == len(scores) == len(ids):
            raise ModelError(
                "expected equal numbers of boxes, scores and classes, "
                f"got {len(boxes)}, {len(scores)} and {len(ids)}"
            )
        check_scores(scores)
        return boxes, scores, ids
