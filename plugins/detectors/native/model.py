"""Detection with a model in vidan's native format, for every backend.

The format was made for EfficientDet: Tan, Pang, Le, "EfficientDet: Scalable and Efficient Object
Detection", arXiv 1911.09070. The graph decodes its anchors itself; suppression follows here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from vidan.boxes import FloatArray
from vidan.errors import ModelError
from vidan.modelspec import ModelSpec, Scale, Selection, check_scores, letterbox
from vidan.types import Detections, Frame

from ..errors import one_line
from .signature import check_label_count

Batch = npt.NDArray[np.uint8]
Network = Callable[[Batch], Sequence[FloatArray]]
"""Runs images (N,H,W,3) uint8; returns boxes (N,K,4), scores (N,K,C), and features (N,K,D) if the
model has them; from any thread."""


def letterbox_batch(frames: Sequence[Frame], spec: ModelSpec) -> tuple[Batch, list[Scale]]:
    """Letterbox the images of frames, each at the top left.

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


class NativeModel:
    """From frames to detections with a network in the native format.

    Args:
        spec: of the model.
        selection: which of its boxes become detections.
        batch: most images that the network takes in one run.
        network: runs it.

    Attributes:
        labels: the label of each class index.
        own_labels: the labels of the model that each of them stands for.
        threshold: minimum score of a detection.
        score_scale: of the scores; None if it is not known.
        batch: as given.
    """

    def __init__(self, spec: ModelSpec, selection: Selection, batch: int, network: Network) -> None:
        self._spec = spec
        self._selection = selection
        self._network = network
        own = spec.labels
        self.labels, self.own_labels = selection.labels(own), selection.own_labels(own)
        self.threshold = selection.threshold
        self.score_scale = selection.score_scale
        self.batch = batch

    def warm_up(self) -> None:
        """Run the network once on a blank image: the first run is slow, and may fail.

        Raises:
            ModelError: it does not run, or its outputs are not as expected.
        """
        blank = np.full((1, *self._spec.input_size, 3), self._spec.pad, np.uint8)
        try:
            outputs = self._network(blank)
        except Exception as error:  # each backend has its own
            raise ModelError(f"it does not run: {one_line(error)}") from error
        self._check(*outputs, count=1)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections in each of at most `batch` frames.

        Raises:
            ModelError: the outputs are not as expected.
        """
        batch, scales = letterbox_batch(frames, self._spec)
        outputs = self._network(batch)
        self._check(*outputs, count=len(frames))
        return [self._select(*each) for each in zip(scales, frames, *outputs, strict=True)]

    def _select(
        self,
        scale: Scale,
        frame: Frame,
        boxes: FloatArray,
        scores: FloatArray,
        features: FloatArray | None = None,
    ) -> Detections:
        rows, classes = self._selection.candidates(scores)
        best = np.clip(scores[rows, classes], 0, 1)
        size = (frame.width, frame.height)
        vectors = None if features is None else features[rows]
        return self._selection.select(boxes[rows], best, classes, scale, size, vectors)

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
                f"expected boxes [{count},K,4] and scores [{count},K,C], "
                f"got {list(boxes.shape)} and {list(scores.shape)}"
            )
        if features is not None and (features.ndim, *features.shape[:2]) != (3, *scores.shape[:2]):
            raise ModelError(
                f"expected features [{count},{scores.shape[1]},D], got {list(features.shape)}"
            )
        check_label_count(scores.shape[2], self._spec.labels)
        check_scores(scores)
