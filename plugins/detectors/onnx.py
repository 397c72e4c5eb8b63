"""Detection by an ONNX file, with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import onnxruntime as ort

from vidan import options
from vidan.errors import ModelError
from vidan.types import Detections, Frame

from .contract import Signature, Tensor, check_batch, describe
from .efficientdet import Batch, EfficientDet, one_line
from .labels import read_labels
from .providers import check_started, choose_providers
from .selection import Boxes, Selection
from .threads import thread_count

SHIPPED = "facemask_lite0.onnx"
"""The model that comes with vidan, in `vidan_plugins.models`."""

_METADATA_KEY = "vidan"
_ERROR, _FATAL = 3, 4  # levels of ONNX Runtime's log, which goes to standard error
_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"}


class OnnxDetector:
    """A detector from an ONNX file of vidan's own form (see `contract`).

    Any number of threads may detect at once.

    Args:
        model: the file; None for the face-mask detector that ships.
        labels: a file with one label a line, or a `label_map.pbtxt`; None for the model's own.
        threshold: least score of a detection, in [0,1]; None for what the model advises.
        iou_threshold: of two boxes that overlap by more, the better one stays, in [0,1].
        classes: the labels wanted; None for all.
        exclusive: whether an object has one label only, so that boxes of different classes
            suppress each other; None for what the model says.
        max_detections: at most so many in a picture, the best; None for no limit.
        threads: that compute one picture; None for the physical cores there are to use.
        providers: where to compute, in order, such as `cuda`; the CPU stands in for what
            they cannot do. None for the best that is there.

    Attributes:
        labels: the label of each class index.

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
        exclusive: bool | None = None,
        max_detections: int | None = None,
        threads: int | None = None,
        providers: str | Sequence[str] | None = None,
    ) -> None:
        path = _shipped() if model is None else options.path("detector.model", model)
        where = f"model {str(path)!r}"
        chosen = choose_providers(providers)
        count = thread_count(threads)
        given = None if labels is None else options.path("detector.labels", labels)
        self._session: ort.InferenceSession | None = _open(path, where, chosen, count)
        check_started(chosen, self._session, strict=providers is not None)
        signature, text = _inspect(self._session, where)
        own = None if given is None else tuple(read_labels(given).values())
        metadata = describe(where, signature, text, own)
        selection = Selection.from_options(
            metadata,
            threshold=threshold,
            iou_threshold=iou_threshold,
            classes=classes,
            exclusive=exclusive,
            max_detections=max_detections,
        )
        batch = check_batch(where, signature.inputs["images"])
        self.labels = metadata.labels
        self._model = EfficientDet(where, metadata, selection, batch, self._run)
        self._model.warm_up()

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detections of each frame, best first, in px of the frame.

        Raises:
            ModelError: the model gave something else than it should.
        """
        return self._model.detect(frames)

    def close(self) -> None:
        """Let go of the model."""
        self._session = None

    def _run(self, batch: Batch) -> tuple[Boxes, Boxes]:
        session = self._session
        if session is None:
            raise ModelError("the detector is closed")
        boxes, scores = session.run(["boxes", "scores"], {"images": batch})
        return boxes, scores


def _shipped() -> Path:
    path = Path(str(files("vidan_plugins.models").joinpath(SHIPPED)))
    if not path.is_file():
        raise ModelError(
            f"the model that ships with vidan is not in this installation ({str(path)!r}): "
            "install vidan again, or give detector.model=<file>"
        )
    return path


def _open(path: Path, where: str, providers: Sequence[str], threads: int) -> ort.InferenceSession:
    """Open an ONNX file: on the providers, or on the CPU alone if they do not start.

    Raises:
        ModelError: there is none, or ONNX Runtime cannot read it.
    """
    if not path.is_file():
        what = "it is a folder" if path.is_dir() else "there is no such file"
        raise ModelError(f"{where}: {what}: give detector.model=<file.onnx>")
    if path.stat().st_size == 0:
        raise ModelError(f"{where}: the file is empty")
    ort.set_default_logger_severity(_ERROR)  # why a provider does not start is said only there
    settings = ort.SessionOptions()
    settings.log_severity_level = _FATAL  # a session's errors are raised as well
    settings.intra_op_num_threads = threads
    try:
        # Its own fallback prints to the user's terminal.
        return ort.InferenceSession(
            str(path), settings, providers=list(providers), enable_fallback=False
        )
    except Exception as error:  # ONNX Runtime's errors share no class but this one
        if len(providers) > 1:
            return _open(path, where, providers[-1:], threads)
        raise ModelError(
            f"{where}: not a model that ONNX Runtime can read (not ONNX, cut off, or too new): "
            f"{one_line(error)}"
        ) from error


def _inspect(session: ort.InferenceSession, where: str) -> tuple[Signature, str | None]:
    """Inputs and outputs of a model, and its metadata if it has any.

    Raises:
        ModelError: they are not text.
    """
    try:
        inputs = {node.name: _tensor(node) for node in session.get_inputs()}
        outputs = {node.name: _tensor(node) for node in session.get_outputs()}
        text = session.get_modelmeta().custom_metadata_map.get(_METADATA_KEY)
    except UnicodeDecodeError as error:
        raise ModelError(f"{where}: its names or metadata are not UTF-8: damaged?") from error
    return Signature(inputs, outputs), text


def _tensor(node: Any) -> Tensor:
    """A graph's input or output; sizes that may vary have a name there, or none."""
    inner = node.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return Tensor(_DTYPES.get(node.type, inner), shape)
