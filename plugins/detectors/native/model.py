"""EfficientDet around its network: letterbox in, boxes out; the same for every backend.

Tan, Pang, Le, "EfficientDet: Scalable and Efficient Object Detection", arXiv 1911.09070.
The network decodes its anchors itself and is followed by one NMS, that of `vidan.boxes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from vidan.boxes import FloatArray
from vidan.errors import ModelError
from vidan.modelspec import ModelSpec, Scale, Selection, check_scores, letterbox
from vidan.types import Detections, Frame

from ..errors import naming, one_line
from .signature import check_label_count

Batch = npt.NDArray[np.uint8]
Network = Callable[[Batch], Sequence[FloatArray]]
"""Images (N,H,W,3) uint8 to boxes (N,K,4), scores (N,K,C), and features (N,K,D) if it gives
them; from any thread."""


def batch_of(frames: Sequence[Frame], spec: ModelSpec) -> tuple[Batch, list[Scale]]:
    """Letterbox images, each at the top left.

    Args:
        frames: N frames, of any sizes.
        spec: of the model.

    Returns:
        (N,H,W,3) uint8 RGB, and the scale of each image.
    """
    batch: Batch = np.full((len(frames), *spec.input_size, 3), spec.pad, np.uint8)
    scales = []
    for image, frame in zip(batch, frames, strict=True):
        width, height, _, _, scale = letterbox(frame.width, frame.height, spec.input_size)
        image[:height, :width] = frame.resized(width, height)
        scales.append(scale)
    return batch, scales


class EfficientDet:
    """From frames to detections, around a network of vidan's own form.

    Args:
        where: the model, for errors.
        spec: how it is to be used.
        selection: which of its boxes become detections.
        batch: how many images it takes at once: 1, or None for any number.
        network: runs it.

    Attributes:
        labels: the label of each class index.
        threshold: the least score of a detection.
    """

    def __init__(
        self,
        where: str,
        spec: ModelSpec,
        selection: Selection,
        batch: int | None,
        network: Network,
    ) -> None:
        self._where = where
        self._spec = spec
        self._selection = selection
        self._batch = batch
        self._network = network
        self.labels = spec.labels
        self.threshold = selection.threshold

    def warm_up(self) -> None:
        """Run the network once on an empty image: the first run is slow, and may fail.

        Raises:
            ModelError: it does not run, or gives something else than it should.
        """
        blank = np.full((1, *self._spec.input_size, 3), self._spec.pad, np.uint8)
        try:
            outputs = self._network(blank)
        except (
            Exception
        ) as error:  # each backend has its own; whatever it is, the model is at fault
            raise ModelError(f"{self._where}: it does not run: {one_line(error)}") from error
        self._check(*outputs, count=1)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame.

        Raises:
            ModelError: the network gave something else than it should.
        """
        step = self._batch or max(1, len(frames))
        starts = range(0, len(frames), step)
        return [found for i in starts for found in self._detect(frames[i : i + step])]

    def _detect(self, frames: Sequence[Frame]) -> list[Detections]:
        batch, scales = batch_of(frames, self._spec)
        outputs = self._network(batch)
        self._check(*outputs, count=len(frames))
        return [self._one(*each) for each in zip(scales, frames, *outputs, strict=True)]

    def _one(
        self,
        scale: Scale,
        frame: Frame,
        boxes: FloatArray,
        scores: FloatArray,
        features: FloatArray | None = None,
    ) -> Detections:
        rows, classes = self._selection.candidates(scores)
        best = np.clip(scores[rows, classes], 0, 1)
        seen = None if features is None else features[rows]
        return self._selection.select(
            boxes[rows], best, classes, scale, (frame.width, frame.height), seen
        )

    def _check(
        self,
        boxes: FloatArray,
        scores: FloatArray,
        features: FloatArray | None = None,
        *,
        count: int,
    ) -> None:
        if boxes.ndim != 3 or scores.ndim != 3 or boxes.shape != (count, scores.shape[1], 4):
            raise ModelError(
                f"{self._where}: expected boxes [{count},K,4] and scores [{count},K,C], "
                f"got {list(boxes.shape)} and {list(scores.shape)}"
            )
        if features is not None and (features.ndim, *features.shape[:2]) != (3, *scores.shape[:2]):
            raise ModelError(
                f"{self._where}: expected features [{count},{scores.shape[1]},D], "
                f"got {list(features.shape)}"
            )
        check_label_count(self._where, scores.shape[2], self._spec.labels)
        with naming(self._where):
            check_scores(scores)
