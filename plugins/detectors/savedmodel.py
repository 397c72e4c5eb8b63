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
from vidan.labels import Rename
from vidan.modelspec import ModelDefaults
from vidan.support.cores import compute_threads
from vidan.support.stderr import quiet_stderr

from .base import MAX_DETECTIONS, Count, DetectorOptions, Fraction, Model, ModelDetector
from .errors import naming, one_line
from .exported.tfod_saved_model import OUTPUTS, Outputs, TfodModel, check_tfod, is_tfod
from .labels import read_labels
from .native.model import Batch
from .native.signature import Signature, Tensor

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is imported
with quiet_stderr():  # messages from before TensorFlow has read it
    import tensorflow as tf

METADATA = "vidan.json"
"""File beside `saved_model.pb` with the model's spec (see `vidan.modelspec`)."""

LABEL_MAP = "label_map.pbtxt"
"""File beside `saved_model.pb` with the labels, unless the options name another."""

SIGNATURES = ("vidan", "serving_default")
"""Functions to use, in this order: vidan exports both its own and the API's signature."""

logger = logging.getLogger(__name__)


class SavedModelDetector(ModelDetector):
    """A detector from a SavedModel.

    The model is either in vidan's native format with `vidan.json` beside it, or exported by the
    TensorFlow Object Detection API. Any number of threads may call `detect`.

    Args:
        model: the folder with `saved_model.pb`.
        labels: a file with one label per line, or a `label_map.pbtxt`; `coco` or `coco91`; None
            for the model's own, in `vidan.json` or, for the Object Detection API, in
            `label_map.pbtxt`.
        rename: new names of labels, such as `{"car": "vehicle", "truck": "vehicle"}`; None as a
            name leaves a label out. `classes` are among the new names.
        threshold: minimum score of a detection, in [0,1]; None for the model's recommendation.
        iou_threshold: IoU above which the worse of two boxes is suppressed, in [0,1].
        classes: labels to keep; None for all.
        class_agnostic: whether boxes of different classes suppress each other, for models whose
            objects have exactly one class; None for the model's own setting.
        max_detections: most detections in an image, the best ones; None for no limit.
        roi: part of the image to search: left, top, right, bottom, as fractions from 0 to 1 or
            in px; None for all of it.
        signature: function of the model to use; None for the first that it has of `SIGNATURES`.
        threads: compute threads per image; None for the available physical cores. TensorFlow
            uses the number of the first model in a process for all of them.

    Attributes:
        labels: the label of each class index.
        threshold: minimum score of a detection.
        batch: most frames per call that make detection faster; 1 if the batch size is fixed.

    Raises:
        ConfigError: an option has a bad value.
        ModelError: the model or the label file cannot be used.
    """

    def __init__(
        self,
        model: str | None = None,
        labels: str | None = None,
        rename: Rename | None = None,
        threshold: Fraction | None = None,
        iou_threshold: Fraction = 0.5,
        classes: str | Sequence[str] | None = None,
        class_agnostic: bool | None = None,
        max_detections: Count | None = MAX_DETECTIONS,
        roi: list[float] | None = None,
        signature: str | None = None,
        threads: Count | None = None,
    ) -> None:
        if model is None:
            raise ConfigError("model: missing, set detector.model=<folder>")
        folder = options.path("model", model)
        name = f"model {str(folder)!r}"
        selected = DetectorOptions(
            labels, threshold, iou_threshold, classes, class_agnostic, max_detections, rename
        )
        # The loaded object owns the variables of its functions.
        self._loaded: Any = None
        self._function: Any = None
        with naming(name):
            opened = self._open(folder, signature, selected, threads)
            gpu = bool(tf.config.list_physical_devices("GPU"))
            super().__init__(name, opened, roi, accelerated=gpu)

    def close(self) -> None:
        """Release the model."""
        self._function = self._loaded = None

    def _open(
        self, folder: Path, signature: str | None, selected: DetectorOptions, threads: int | None
    ) -> Model:
        given = selected.given_labels()
        _configure(threads)
        self._loaded = _load(folder)
        self._function = _function(self._loaded, signature)
        served = _signature(self._function)
        self._outputs = served.native_outputs()
        if not is_tfod(served):
            return selected.native_model(served, _metadata(folder), self._run)
        size = check_tfod(served)
        by_id = given or read_labels(_label_map(folder))
        selection = selected.selection(ModelDefaults(labels=tuple(by_id.values())))
        return TfodModel(size, by_id, selection, self._run_tfod)

    def _call(self, **inputs: Batch) -> Mapping[str, Any]:
        function = self._function
        if function is None:
            raise ModelError("the detector is closed")
        outputs: Mapping[str, Any] = function(**{k: tf.constant(v) for k, v in inputs.items()})
        return outputs

    def _run(self, batch: Batch) -> list[FloatArray]:
        outputs = self._call(images=batch)
        return [outputs[name].numpy() for name in self._outputs]

    def _run_tfod(self, batch: Batch) -> Outputs:
        outputs = self._call(input_tensor=batch)
        return {name: outputs[name].numpy() for name in OUTPUTS}


def _configure(threads: int | None) -> None:
    """Configure TensorFlow, which is possible only before its first computation."""
    count = threads or compute_threads()
    try:
        for device in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(device, True)
        tf.config.threading.set_intra_op_parallelism_threads(count)
    except RuntimeError:
        if threads is not None and tf.config.threading.get_intra_op_parallelism_threads() != count:
            logger.warning(
                "threads=%d is ignored: TensorFlow is already running in this process", threads
            )


def _load(folder: Path) -> Any:
    """Load a SavedModel.

    Raises:
        ModelError: there is none, or TensorFlow cannot read it.
    """
    if not (folder / "saved_model.pb").is_file():
        if (folder / "saved_model" / "saved_model.pb").is_file():
            raise ModelError(f"set detector.model to its folder {str(folder / 'saved_model')!r}")
        what = "it contains no saved_model.pb" if folder.is_dir() else "there is no such folder"
        raise ModelError(f"{what}: set detector.model=<folder of a SavedModel>")
    try:
        return tf.saved_model.load(str(folder))
    except Exception as error:  # of five families, depending on the damage
        raise ModelError(f"TensorFlow cannot read it: {one_line(error)}") from error


def _function(loaded: Any, name: str | None) -> Any:
    """The function of that name, or the first one of `SIGNATURES`.

    Raises:
        ModelError: there is none.
    """
    names = SIGNATURES if name is None else (name,)
    for each in names:
        if each in loaded.signatures:
            return loaded.signatures[each]
    known = ", ".join(map(repr, loaded.signatures)) or "none"
    raise ModelError(f"expected a signature {names[-1]!r}, it has {known}")


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


def _metadata(folder: Path) -> str | None:
    path = folder / METADATA
    if not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"cannot read its {METADATA}: {one_line(error)}") from error


def _label_map(folder: Path) -> Path:
    path = folder / LABEL_MAP
    if not path.is_file():
        raise ModelError(
            "it has no labels of its own: set detector.labels=<file>, a label_map.pbtxt or one "
            f"label per line, or put {LABEL_MAP} into its folder"
        )
    return path
