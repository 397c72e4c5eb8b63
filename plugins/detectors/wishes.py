"""What users can ask of a detector, whatever runs its model, and what all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidan import options
from vidan.types import Detections, Frame

from .contract import Signature, check_batch, describe
from .efficientdet import EfficientDet, Network
from .labels import read_labels
from .metadata import Advice
from .region import Region, Roi
from .selection import Selection
from .tfod import TfodModel


@dataclass(frozen=True)
class Wishes:
    """The options that choose among what a model finds; None is what the model says.

    Attributes:
        labels: a file with one label a line, or a `label_map.pbtxt`.
        threshold: least score of a detection, in [0,1].
        iou_threshold: of two boxes that overlap by more, the better one stays, in [0,1].
        classes: the labels wanted.
        exclusive: whether an object has one label only.
        max_detections: at most so many in a picture, the best.
    """

    labels: str | None
    threshold: float | None
    iou_threshold: float
    classes: str | Sequence[str] | None
    exclusive: bool | None
    max_detections: int | None

    def label_file(self) -> Path | None:
        """Where the labels are.

        Raises:
            ConfigError: it is no path.
        """
        return None if self.labels is None else options.path("detector.labels", self.labels)

    def selection(self, advice: Advice) -> Selection:
        """Which boxes become detections, from these options and the model's advice.

        Raises:
            ConfigError: an option has a bad value.
        """
        return Selection.from_options(
            advice,
            threshold=self.threshold,
            iou_threshold=self.iou_threshold,
            classes=self.classes,
            exclusive=self.exclusive,
            max_detections=self.max_detections,
        )

    def own_form(
        self, where: str, signature: Signature, text: str | None, network: Network
    ) -> EfficientDet:
        """A model of vidan's own form (see `contract`).

        Args:
            where: the model, for errors.
            signature: its inputs and outputs.
            text: its metadata as JSON; None if it has none.
            network: runs it.

        Raises:
            ConfigError: an option has a bad value.
            ModelError: the model or the label file cannot be used.
        """
        file = self.label_file()
        labels = None if file is None else tuple(read_labels(file).values())
        metadata = describe(where, signature, text, labels)
        batch = check_batch(where, signature.inputs["images"])
        return EfficientDet(where, metadata, self.selection(metadata), batch, network)


class ModelDetector:
    """What detectors do that run a model; any number of threads may detect at once.

    Args:
        model: from frames to detections.
        roi: the part of the picture that is looked at; None for all of it.
        every: the pipeline has it detect in every so many-th frame.

    Attributes:
        every: as given.
        labels: the label of each class index.
        threshold: the least score of a detection, whoever chose it.
    """

    def __init__(self, model: EfficientDet | TfodModel, roi: Roi | None, every: int) -> None:
        self.every = options.whole("detector.every", every, 1)
        self._region = None if roi is None else Region(roi)
        self._model = model
        self.labels = model.labels
        self.threshold = model.threshold
        model.warm_up()

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame, best first, in px of the frame.

        Raises:
            ModelError: the model gave something else than it should.
        """
        if self._region is None:
            return self._model.detect(frames)
        parts = [self._region.of(frame) for frame in frames]
        found = self._model.detect(parts)
        return [part.moved_back(each) for part, each in zip(parts, found, strict=True)]
