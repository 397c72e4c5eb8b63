"""What all detectors that run a model share: their options, and the way from frame to model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Protocol, TypeVar

from msgspec import Meta

from vidan import options
from vidan.errors import ModelError
from vidan.frames import as_frame
from vidan.labels import Rename, Renaming
from vidan.modelspec import DEFAULT_IOU_THRESHOLD, ModelDefaults, Selection
from vidan.support.score_scale import ScoreScale
from vidan.support.stuck import within
from vidan.types import Detections, Frame, Image

from ..roi import Region, Roi, moved
from .errors import naming
from .labels import BUILT_IN, class_mask, numbered, read_labels
from .native.model import NativeModel, Network
from .native.signature import Signature, batch_size, make_spec

Fraction = Annotated[float, Meta(ge=0, le=1)]
"""An option in [0,1]."""

MAX_DETECTIONS = 1000
"""Most detections in an image unless the option says otherwise: the work of trackers and sinks
grows with them."""

MAX_LABEL_CHARS = 200
"""Length of a label, which is drawn and written with every box."""

TRIAL_LIMIT_S = 60.0
"""Time that a model may take for a trial image before the run."""

Result = TypeVar("Result")

Count = Annotated[int, Meta(ge=1)]
"""An option that is a whole number from 1."""


@dataclass(frozen=True)
class DetectorOptions:
    """Detector options shared by all backends; None is the model's own value.

    Attributes:
        labels: a file with one label per line or a `label_map.pbtxt`; a name in
            `labels.BUILT_IN`; or the labels themselves.
        threshold: minimum score of a detection, in [0,1].
        iou_threshold: IoU above which the worse of two boxes is suppressed, in [0,1].
        classes: labels to keep; None for all.
        class_agnostic: whether boxes of different classes suppress each other.
        max_detections: most detections in an image, the best ones; None for no limit.
        rename: new names of labels; `classes` are among them.
        score_scale: level and slope of the scores, see `ScoreScale`.
    """

    labels: str | Sequence[str] | None = None
    threshold: float | None = None
    iou_threshold: float | None = None
    classes: str | Sequence[str] | None = None
    class_agnostic: bool | None = None
    max_detections: int | None = None
    rename: Rename | None = None
    score_scale: Sequence[float] | None = None

    def or_else(
        self,
        labels: str | Sequence[str] | None,
        threshold: float | None,
        score_scale: Sequence[float] | None,
    ) -> DetectorOptions:
        """These options, and others where they are None."""
        return replace(
            self,
            labels=labels if self.labels is None else self.labels,
            threshold=threshold if self.threshold is None else self.threshold,
            score_scale=score_scale if self.score_scale is None else self.score_scale,
        )

    def given_labels(self) -> Mapping[int, str] | None:
        """The labels by number from 1; None for the model's own.

        Raises:
            ConfigError: neither a path nor a built-in name.
            ModelError: the file cannot be used.
        """
        if self.labels is None:
            return None
        if not isinstance(self.labels, str):
            return numbered(self.labels)
        path = options.path("labels", self.labels)
        built_in = None if path.exists() else BUILT_IN.get(str(path))
        return built_in or read_labels(path)

    def selection(self, defaults: ModelDefaults) -> Selection:
        """Which boxes become detections, from these options and the model's defaults.

        If several labels get one name, suppression in the model's graph has not compared their
        boxes: they are suppressed here.

        Raises:
            ConfigError: `rename` or `classes` has a label that does not exist; a bad `score_scale`.
        """
        renaming = Renaming(defaults.labels, self.rename) if self.rename else None
        labels = renaming.labels if renaming else defaults.labels
        names = None if self.classes is None else options.names("classes", self.classes)
        iou_threshold = defaults.iou_threshold
        if renaming and renaming.merges:
            iou_threshold = min(iou_threshold, DEFAULT_IOU_THRESHOLD)
        agnostic = defaults.class_agnostic if self.class_agnostic is None else self.class_agnostic
        return Selection(
            defaults.threshold if self.threshold is None else self.threshold,
            iou_threshold if self.iou_threshold is None else self.iou_threshold,
            agnostic,
            class_mask(labels, names),
            renaming,
            self.max_detections,
            defaults.score_scale if self.score_scale is None else ScoreScale.of(self.score_scale),
        )

    def native_model(self, signature: Signature, text: str | None, network: Network) -> NativeModel:
        """A model in vidan's native format.

        Args:
            signature: its inputs and outputs.
            text: its spec as JSON; None if it has none.
            network: runs it.

        Raises:
            ConfigError: an option has a bad value.
            ModelError: the model or the label file cannot be used.
        """
        by_number = self.given_labels()
        labels = None if by_number is None else tuple(by_number.values())
        spec = make_spec(signature, text, labels)
        batch = batch_size(signature.inputs["images"])
        return NativeModel(spec, self.selection(spec), batch, network)


def _check_lengths(name: str, labels: Sequence[str]) -> None:
    for number, label in enumerate(labels, 1):
        if len(label) > MAX_LABEL_CHARS:
            raise ModelError(
                f"{name}: label {number}, {label[:20]!r}..., has {len(label)} characters: expected "
                f"at most {MAX_LABEL_CHARS}; set detector.labels"
            )


def limited(call: Callable[[], Result]) -> Result:
    """The result of a call that runs a model for the first time, and may never end.

    Raises:
        ModelError: it takes longer than TRIAL_LIMIT_S.
    """
    try:
        return within(TRIAL_LIMIT_S, call)
    except TimeoutError as error:
        raise ModelError(f"it has {error} for a trial image: does it ever end?") from error


class Model(Protocol):
    """From frames to detections, as `ModelDetector` uses it.

    Attributes:
        labels: the label of each class index.
        own_labels: the labels of the model that each of them stands for.
        threshold: minimum score of a detection.
        score_scale: of the scores; None if it is not known.
        batch: most frames in one call of `detect`.
    """

    labels: tuple[str, ...]
    own_labels: tuple[tuple[str, ...], ...]
    threshold: float
    score_scale: ScoreScale | None
    batch: int

    def warm_up(self) -> None:
        """Run it once on a blank image and check its outputs."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections in each of at most `batch` frames, in one run."""
        ...


class ModelDetector:
    """Base class of detectors that run a model; any number of threads may call `detect`.

    Args:
        name: of the model, for errors.
        model: from frames to detections.
        roi: part of the image to search; None for all of it.
        accelerated: whether a device other than the CPU runs the model.

    Attributes:
        labels: the label of each class index.
        own_labels: the labels of the model that each of them stands for.
        threshold: minimum score of a detection.
        score_scale: of the scores; None if it is not known.
        batch: most frames per call that make detection faster: 1 on a CPU, which is busy with
            one image, and if the model takes images one by one. A call may have any number.
    """

    def __init__(
        self, name: str, model: Model, roi: Roi | None, *, accelerated: bool = False
    ) -> None:
        self._name = name
        self._region = None if roi is None else Region(roi)
        self._model = model
        _check_lengths(name, model.labels)
        limited(model.warm_up)
        self.labels, self.own_labels = model.labels, model.own_labels
        self.threshold = model.threshold
        self.score_scale = model.score_scale
        self.batch = model.batch if accelerated else 1

    def detect(self, frames: Sequence[Frame | Image]) -> list[Detections]:
        """The detections in each frame, best first, in px of the frame.

        Args:
            frames: or images (H,W,3) uint8 RGB.

        Raises:
            ValueError: an image has another shape or type.
            ConfigError: `roi` lies outside the image.
            ModelError: the outputs of the model are not as expected.
        """
        whole = [as_frame(each) for each in frames]
        if self._region is None:
            return self._detect(whole)
        boxes = [self._region.box(frame) for frame in whole]
        found = self._detect([f.crop(box) for f, box in zip(whole, boxes, strict=True)])
        return [moved(each, box) for each, box in zip(found, boxes, strict=True)]

    def _detect(self, frames: Sequence[Frame]) -> list[Detections]:
        found: list[Detections] = []
        with naming(self._name):
            step = self._model.batch
            for start in range(0, len(frames), step):
                found += self._model.detect(frames[start : start + step])
        return found
