"""EfficientDet around its network: letterbox in, boxes out; the same for every backend.

Tan, Pang, Le, "EfficientDet: Scalable and Efficient Object Detection", arXiv 1911.09070.
The network decodes its anchors itself and is followed by one NMS, that of `vidan.boxes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from vidan.errors import ModelError
from vidan.types import Detections, Frame

from ..postprocess import Boxes, Scale, Selection, check_scores
from .metadata import Metadata
from .signature import check_label_count

Batch = npt.NDArray[np.uint8]
Network = Callable[[Batch], Sequence[Boxes]]
"""Images (N,H,W,3) uint8 to boxes (N,K,4), scores (N,K,C), and features (N,K,D) if it gives
them; from any thread."""


def letterbox(
    frames: Sequence[Frame], size: tuple[int, int], pad: int
) -> tuple[Batch, list[Scale]]:
    """Scale images to fit the network's input, keeping their aspect ratios.

    Each lies at the top left. Its size there is rounded to whole px, so that the true scale
    differs a little between x and y.

    Args:
        frames: N frames, of any sizes.
        size: height and width of the input, px.
        pad: the value of the pixels beside and below the images, 0 to 255.

    Returns:
        (N,H,W,3) uint8 RGB, and the scale of each image.
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


class EfficientDet:
    """From frames to detections, around a network of vidan's own form.

    Args:
        where: the model, for errors.
        metadata: how it is to be used.
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
        self.labels = metadata.labels
        self.threshold = selection.threshold

    def warm_up(self) -> None:
        """Run the network once on an empty image: the first run is slow, and may fail.

        Raises:
            ModelError: it does not run, or gives something else than it should.
        """
        blank = np.full((1, *self._metadata.input_size, 3), self._metadata.pad, np.uint8)
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
        batch, scales = letterbox(frames, self._metadata.input_size, self._metadata.pad)
        outputs = self._network(batch)
        self._check(*outputs, count=len(frames))
        return [self._one(*each) for each in zip(scales, frames, *outputs, strict=True)]

    def _one(
        self, scale: Scale, frame: Frame, boxes: Boxes, scores: Boxes, features: Boxes | None = None
    ) -> Detections:
        rows, classes = self._selection.candidates(scores)
        best = np.clip(scores[rows, classes], 0, 1)
        seen = None if features is None else features[rows]
        return self._selection.select(boxes[rows], best, classes, scale, frame, seen)

    def _check(
        self, boxes: Boxes, scores: Boxes, features: Boxes | None = None, *, count: int
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
        check_label_count(self._where, scores.shape[2], self._metadata.labels)
        check_scores(self._where, scores)


def one_line(error: BaseException) -> str:
    """What an exception says, in one line of bearable length."""
    return " ".join(str(error).split())[:300] or type(error).__name__
