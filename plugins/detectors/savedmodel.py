"""Detection by a TensorFlow SavedModel: vidan's own export, or an Object Detection API one."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vidan import options
from vidan.boxes import FloatArray
from vidan.errors import ConfigError, ModelError
from vidan.modelspec import ModelDefaults
from vidan.support.stderr import quiet_stderr

from .backends.threads import thread_count
from .base import DetectorOptions, ModelDetector
from .errors import one_line
from .exported.tfod_saved_model import OUTPUTS, Outputs, TfodModel, check_tfod, is_tfod
from .labels import read_labels
from .native.model import Batch
from .native.signature import Signature, Tensor

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is imported
with quiet_stderr():  # what it says before it has read that
    import tensorflow as tf

METADATA = "vidan.json"
"""Beside `saved_model.pb`: the model's metadata (see `Metadata`)."""

LABEL_MAP = "label_map.pbtxt"
"""Beside `saved_model.pb`: the labels, where the options name no other file."""

SIGNATURES = ("vidan", "serving_default")
"""Looked for in this order: vidan's exports have its own form beside the Object Detection API's."""

logger = logging.getLogger(__name__)


class SavedModelDetector(ModelDetector):
    """A detector from a SavedModel.

    Of vidan's own form (see `contract`) with `vidan.json` beside it, or as the TensorFlow
    Object Detection API exports them (see `tfod`). Any number of threads may detect at once.

    Args:
        model: the folder with `saved_model.pb`.
        labels: a file with one label a line, or a `label_map.pbtxt`; `coco` or `coco91`; None
            for the model's own: those in `vidan.json`, or for the Object Detection API in
            `label_map.pbtxt`.
        threshold: least score of a detection, in [0,1]; None for what the model advises.
        iou_threshold: of two boxes that overlap by more, the better one stays, in [0,1].
        classes: the labels wanted; None for all.
        class_agnostic: whether boxes of different classes suppress each other, for models whose
            objects have exactly one class; None for the model's own setting.
        max_detections: at most so many in an image, the best; None for no limit.
        roi: the part of the image that is looked at: left, top, right, bottom, as parts of it
            from 0 to 1, or in px; None for all of it.
        signature: the one of the model's functions that detects; None for vidan's own form where
            the model has it (see `SIGNATURES`).
        threads: that compute one image; None for the physical cores there are to use.
            TensorFlow takes the number of the first model in a process for all of them.

    Attributes:
        labels: the label of each class index.
        threshold: the least score of a detection, whoever chose it.

    Raises:
        ConfigError: an option has a bad value.
        ModelError: the model or the label file cannot be used.
    """

    def __init__(
        self,
        model: str | None = None,
        labels: str | None = None,
        threshold: float | None = None,
        iou_threshold: float = 0.5,
        classes: str | Sequence[str] | None = None,
        class_agnostic: bool | None = None,
        max_detections: int | None = None,
        roi: list[float] | None = None,
        signature: str | None = None,
        threads: int | None = None,
    ) -> None:
        if model is None:
            raise ConfigError("detector.model is missing: say detector.model=<folder>")
        folder = options.path("detector.model", model)
        where = f"model {str(folder)!r}"
        wishes = DetectorOptions(
            labels, threshold, iou_threshold, classes, class_agnostic, max_detections
        )
        given = wishes.given_labels()
        _configure(threads)
        # What was loaded owns the variables that its function computes with.
        self._loaded: Any = _load(folder, where)
        self._function: Any = _function(self._loaded, signature, where)
        served = _signature(self._function)
        self._wanted = served.wanted()
        if is_tfod(served):
            size = check_tfod(where, served)
            by_id = given or read_labels(_label_map(folder, where))
            selection = wishes.selection(ModelDefaults(labels=tuple(by_id.values())))
            super().__init__(TfodModel(where, size, by_id, selection, self._run_tfod), roi)
        else:
            text = _metadata(folder, where)
            super().__init__(wishes.own_form(where, served, text, self._run), roi)

    def close(self) -> None:
        """Let go of the model."""
        self._function = self._loaded = None

    def _call(self, **inputs: Batch) -> Mapping[str, Any]:
        function = self._function
        if function is None:
            raise ModelError("the detector is closed")
        outputs: Mapping[str, Any] = function(**{k: tf.constant(v) for k, v in inputs.items()})
        return outputs

    def _run(self, batch: Batch) -> list[FloatArray]:
        outputs = self._call(images=batch)
        return [outputs[name].numpy() for name in self._wanted]

    def _run_tfod(self, batch: Batch) -> Outputs:
        outputs = self._call(input_tensor=batch)
        return {name: outputs[name].numpy() for name in OUTPUTS}


def _configure(threads: int | None) -> None:
    """Set TensorFlow up, which it allows only before it computes for the first time."""
    count = thread_count(threads)
    try:
        for device in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(device, True)
        tf.config.threading.set_intra_op_parallelism_threads(count)
    except RuntimeError:
        if threads is not None and tf.config.threading.get_intra_op_parallelism_threads() != count:
            logger.warning(
                "TensorFlow already runs in this process: threads=%d is left out", threads
            )


def _load(folder: Path, where: str) -> Any:
    """Load a SavedModel.

    Raises:
        ModelError: there is none, or TensorFlow cannot read it.
    """
    if not (folder / "saved_model.pb").is_file():
        if (folder / "saved_model" / "saved_model.pb").is_file():
            raise ModelError(f"{where}: give its folder {str(folder / 'saved_model')!r}")
        what = "it holds no saved_model.pb" if folder.is_dir() else "there is no such folder"
        raise ModelError(f"{where}: {what}: give detector.model=<folder of a SavedModel>")
    try:
        return tf.saved_model.load(str(folder))
    except Exception as error:  # from five families, depending on what is broken
        raise ModelError(f"{where}: TensorFlow cannot read it: {one_line(error)}") from error


def _function(loaded: Any, name: str | None, where: str) -> Any:
    """The function that serves: of that name, or the first there is of `SIGNATURES`.

    Raises:
        ModelError: there is none.
    """
    names = SIGNATURES if name is None else (name,)
    for each in names:
        if each in loaded.signatures:
            return loaded.signatures[each]
    there = ", ".join(map(repr, loaded.signatures)) or "none"
    raise ModelError(f"{where}: expected a signature {names[-1]!r}, there is {there}")


def _signature(function: Any) -> Signature:
    _, inputs = function.structured_input_signature
    return Signature(_tensors(inputs), _tensors(function.structured_outputs))


def _tensors(specs: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        name: Tensor(
            spec.dtype.name, None if spec.shape.rank is None else tuple(spec.shape.as_list())
        )
        for name, spec in specs.items()
    }


def _metadata(folder: Path, where: str) -> str | None:
    path = folder / METADATA
    if not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{where}: cannot read its {METADATA}: {one_line(error)}") from error


def _label_map(folder: Path, where: str) -> Path:
    path = folder / LABEL_MAP
    if not path.is_file():
        raise ModelError(
            f"{where}: it does not say what its classes are: give detector.labels=<file>, "
            f"a label_map.pbtxt or one label a line, or put {LABEL_MAP} into its folder"
        )
    return path
