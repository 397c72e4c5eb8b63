"""Models that the TensorFlow Object Detection API exported.

    input_tensor       uint8 [1,H,W,3]     RGB; the graph scales it itself
    detection_boxes    float32 [1,K,4]     yxyx, as parts of the image's height and width
    detection_scores   float32 [1,K]       in [0,1], best first
    detection_classes  float32 [1,K]       ids from 1, as in the label map
    num_detections     float32 [1]         how many of the K are filled in

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

from ..errors import naming, one_line
from ..native.model import Batch
from ..native.signature import Signature

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
_TRIAL_SIZE = (320, 320)
_UNSCALED = Scale(1, 1)

Outputs = Mapping[str, npt.NDArray[Any]]
Network = Callable[[Batch], Outputs]
"""An image (1,H,W,3) uint8 to the outputs by name; from any thread."""


def is_tfod(signature: Signature) -> bool:
    """Whether a model looks like one of these; `check_tfod` tells whether it is."""
    return "input_tensor" in signature.inputs or "detection_boxes" in signature.outputs


def check_tfod(where: str, signature: Signature) -> tuple[int, int] | None:
    """Hold inputs and outputs against this form; more outputs do no harm.

    Returns:
        Height and width of the input, px; None if an image may have any size.

    Raises:
        ModelError: they are others; says which, and what is expected.
    """
    inputs, outputs = signature
    good = (
        inputs.keys() == {"input_tensor"}
        and inputs["input_tensor"].fits("uint8", (1, None, None, 3))
        and outputs.keys() >= OUTPUTS.keys()
        and all(outputs[name].fits("float32", shape) for name, shape in OUTPUTS.items())
    )
    if not good:
        raise ModelError(f"{where}: expected {EXPECTED}, it has {signature}")
    _, height, width, _ = inputs["input_tensor"].shape or (1, None, None, 3)
    return None if height is None or width is None else (height, width)


class TfodModel:
    """From frames to detections, around such a model.

    It has suppressed overlapping boxes of one class already; the selection does it again,
    which changes nothing unless it is stricter, or classes exclude each other.

    Args:
        where: the model, for errors.
        size: height and width of its input, px; None for images as they are.
        labels: by class id, from 1; ids may have gaps. Their order is that of the classes.
        selection: which of its boxes become detections.
        network: runs it.

    Attributes:
        labels: the label of each class index.
        threshold: the least score of a detection.
    """

    def __init__(
        self,
        where: str,
        size: tuple[int, int] | None,
        labels: Mapping[int, str],
        selection: Selection,
        network: Network,
    ) -> None:
        self._where = where
        self._size = size
        self._selection = selection
        self._network = network
        self.labels = tuple(labels.values())
        self.threshold = selection.threshold
        self._classes = np.full(max(labels) + 1, -1, np.int32)  # by id; -1: there is none
        self._classes[list(labels)] = range(len(labels))

    def warm_up(self) -> None:
        """Run it once on an empty image: the first run is slow, and may fail.

        Raises:
            ModelError: it does not run, or gives something else than it should.
        """
        blank = np.zeros((1, *(self._size or _TRIAL_SIZE), 3), np.uint8)
        try:
            outputs = self._network(blank)
        except Exception as error:  # whatever it is, the model is at fault
            raise ModelError(f"{self._where}: it does not run: {one_line(error)}") from error
        self._filled(outputs)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame.

        Raises:
            ModelError: the model gave something else than it should.
        """
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Frame) -> Detections:
        picture = frame.rgb() if self._size is None else frame.resized(*reversed(self._size))
        boxes, scores, ids = self._filled(self._network(picture[None]))
        good = scores >= self._selection.threshold
        shape = np.array([frame.height, frame.width] * 2)
        xyxy = (boxes[good] * shape)[:, [1, 0, 3, 2]]
        classes = self._class_indices(ids[good])
        return self._selection.select(
            xyxy, np.clip(scores[good], 0, 1), classes, _UNSCALED, (frame.width, frame.height)
        )

    def _filled(self, outputs: Outputs) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Boxes (M,4), scores (M,) and class ids (M,) of the M detections there are."""
        count = int(outputs["num_detections"][0])
        boxes, scores, ids = (
            outputs[name][0][:count]
            for name in ("detection_boxes", "detection_scores", "detection_classes")
        )
        if not len(boxes) == len(scores) == len(ids):
            raise ModelError(
                f"{self._where}: expected as many boxes as scores and classes, "
                f"got {len(boxes)}, {len(scores)} and {len(ids)}"
            )
        with naming(self._where):
            check_scores(scores)
        return boxes, scores, ids

    def _class_indices(self, ids: FloatArray) -> npt.NDArray[np.int32]:
        whole = ids.astype(np.int64)
        known = (whole >= 0) & (whole < len(self._classes))
        classes = np.where(known, self._classes[np.where(known, whole, 0)], -1)
        if (classes < 0).any():
            stranger = whole[classes < 0][0]
            raise ModelError(
                f"{self._where}: it found class {stranger}, which the labels do not have: "
                "give detector.labels=<the label map that it was trained with>"
            )
        return classes.astype(np.int32)
