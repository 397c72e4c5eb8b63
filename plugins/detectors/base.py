"""What users can ask of a detector, whatever runs its model, and what all of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vidan import options
from vidan.modelspec import ModelDefaults, Selection
from vidan.types import Detections, Frame

from .labels import BUILT_IN, class_mask, read_labels
from .native.model import EfficientDet, Network
from .native.signature import Signature, check_batch, describe
from .roi import Region, Roi, moved


@dataclass(frozen=True)
class DetectorOptions:
    """The options that choose among what a model finds; None is what the model says.

    Attributes:
        labels: a file with one label a line, or a `label_map.pbtxt`; or a name in `coco.BUILT_IN`;
            or the labels themselves.
        threshold: least score of a detection, in [0,1].
        iou_threshold: of two boxes that overlap by more, the better one stays, in [0,1].
        classes: the labels wanted.
        class_agnostic: whether boxes of different classes suppress each other.
        max_detections: at most so many in an image, the best.
    """

    labels: str | Sequence[str] | None
    threshold: float | None
    iou_threshold: float | None
    classes: str | Sequence[str] | None
    class_agnostic: bool | None
    max_detections: int | None

    def given_labels(self) -> Mapping[int, str] | None:
        """The labels asked for, by number from 1; None for the model's own.

        Raises:
            ConfigError: it is no path, nor the name of labels that come with vidan.
            ModelError: the file cannot be used.
        """
        if self.labels is None:
            return None
        if not isinstance(self.labels, str):
            return dict(enumerate(self.labels, 1))
        path = options.path("detector.labels", self.labels)
        built_in = None if path.exists() else BUILT_IN.get(str(path))
        return built_in or read_labels(path)

    def selection(self, advice: ModelDefaults) -> Selection:
        """Which boxes become detections, from these options and the model's advice.

        Raises:
            ConfigError: an option has a bad value.
        """
        threshold = advice.threshold if self.threshold is None else self.threshold
        iou = advice.iou_threshold if self.iou_threshold is None else self.iou_threshold
        agnostic = advice.class_agnostic if self.class_agnostic is None else self.class_agnostic
        names = None if self.classes is None else options.names("detector.classes", self.classes)
        most = self.max_detections
        return Selection(
            options.number("detector.threshold", threshold, 0, 1),
            options.number("detector.iou_threshold", iou, 0, 1),
            options.boolean("detector.class_agnostic", agnostic),
            class_mask(advice.labels, names),
            None if most is None else options.whole("detector.max_detections", most, 1),
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
        by_number = self.given_labels()
        labels = None if by_number is None else tuple(by_number.values())
        metadata = describe(where, signature, text, labels)
        batch = check_batch(where, signature.inputs["images"])
        return EfficientDet(where, metadata, self.selection(metadata), batch, network)


class Model(Protocol):
    """From frames to detections, as `ModelDetector` needs it."""

    labels: tuple[str, ...]
    threshold: float

    def warm_up(self) -> None:
        """Run it once on an empty image, and check what it gives."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame."""
        ...


class ModelDetector:
    """What detectors do that run a model; any number of threads may detect at once.

    Args:
        model: from frames to detections.
        roi: the part of the image that is looked at; None for all of it.

    Attributes:
        labels: the label of each class index.
        threshold: the least score of a detection, whoever chose it.
    """

    def __init__(self, model: Model, roi: Roi | None) -> None:
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
        boxes = [self._region.box(frame) for frame in frames]
        found = self._model.detect([f.crop(box) for f, box in zip(frames, boxes, strict=True)])
        return [moved(each, box) for each, box in zip(found, boxes, strict=True)]
