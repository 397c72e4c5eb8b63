"""Detection by an ONNX file, with ONNX Runtime or OpenVINO."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal, Protocol, get_args

from vidan import options
from vidan.errors import ModelError, PluginError

from .contract import Signature
from .efficientdet import Batch
from .selection import Boxes
from .threads import thread_count
from .wishes import ModelDetector, Wishes

SHIPPED = "facemask_lite0_int8.onnx"
"""The model that comes with vidan, in `vidan_plugins.models`."""

OPENVINO = importlib.util.find_spec("openvino") is not None
"""Whether OpenVINO is installed."""

Backend = Literal["onnxruntime", "openvino"]

log = logging.getLogger(__name__)


class Engine(Protocol):
    """An open model; any number of threads may run it at once."""

    signature: Signature
    metadata: str | None

    def run(self, batch: Batch) -> Sequence[Boxes]:
        """See `efficientdet.Network`."""
        ...


class OnnxDetector(ModelDetector):
    """A detector from an ONNX file of vidan's own form (see `contract`).

    Any number of threads may detect at once.

    Args:
        model: the file, or the name of one that ships, as in `facemask_lite0_int8`; None for
            the face-mask detector that ships.
        labels: a file with one label a line, or a `label_map.pbtxt`; None for the model's own.
        threshold: least score of a detection, in [0,1]; None for what the model advises.
        iou_threshold: of two boxes that overlap by more, the better one stays, in [0,1].
        classes: the labels wanted; None for all.
        exclusive: whether an object has one label only, so that boxes of different classes
            suppress each other; None for what the model says.
        max_detections: at most so many in a picture, the best; None for no limit.
        roi: the part of the picture that is looked at: left, top, right, bottom, as parts of it
            from 0 to 1, or in px; None for all of it.
        every: detect in every so many-th frame; in those between, tracks are foretold.
        backend: what runs the model. None for OpenVINO where it is installed, the processor
            computes in bfloat16 and ONNX Runtime has nothing better than the CPU; else ONNX
            Runtime. docs/performance.md has what each is worth.
        threads: that compute; None for the physical cores there are to use.
        workers: threads that call `detect`, which share the threads that compute; None for 1.
        providers: where ONNX Runtime computes, in order, such as `cuda`; the CPU stands in for
            what they cannot do. None for the best that is there.

    Attributes:
        labels: the label of each class index.
        threshold: the least score of a detection, whoever chose it.

    Raises:
        ConfigError: an option has a bad value.
        PluginError: OpenVINO was asked for and is not installed.
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
        roi: list[float] | None = None,
        every: int = 1,
        backend: Backend | None = None,
        threads: int | None = None,
        workers: int | None = None,
        providers: str | Sequence[str] | None = None,
    ) -> None:
        path = _shipped() if model is None else _named(options.path("detector.model", model))
        where = f"model {str(path)!r}"
        count = thread_count(threads)
        calls = 1 if workers is None else options.whole("detector.workers", workers, 1)
        if backend is not None:
            options.choice("detector.backend", backend, get_args(Backend))
        wishes = Wishes(labels, threshold, iou_threshold, classes, exclusive, max_detections)
        _check_file(path, where)
        engine = _engine(path, where, backend, count, calls, providers)
        self._engine: Engine | None = engine
        own = wishes.own_form(where, engine.signature, engine.metadata, self._run)
        super().__init__(own, roi, every)

    def close(self) -> None:
        """Let go of the model."""
        self._engine = None

    def _run(self, batch: Batch) -> Sequence[Boxes]:
        engine = self._engine
        if engine is None:
            raise ModelError("the detector is closed")
        return engine.run(batch)


def _engine(
    path: Path,
    where: str,
    backend: Backend | None,
    threads: int,
    workers: int,
    providers: str | Sequence[str] | None,
) -> Engine:
    """Open the model with the backend asked for, or with the one that is likely to be faster.

    OpenVINO's libraries are only imported where they may be used, ONNX Runtime's likewise.
    """
    if backend == "openvino" and not OPENVINO:
        raise PluginError(
            "detector.backend='openvino': it is not installed: pip install 'vidan[openvino]'"
        )
    if backend == "openvino" or (backend is None and OPENVINO and providers is None):
        from .openvino import OpenVino, is_faster

        if backend is not None:
            return OpenVino(path, where, threads, workers)
        if is_faster():
            try:
                return OpenVino(path, where, threads, workers)
            except ModelError as error:  # ONNX Runtime has the last word on what is wrong
                log.debug("%s", error)
    from .ort import OnnxRuntime

    return OnnxRuntime(path, where, max(1, threads // workers), providers)


def _check_file(path: Path, where: str) -> None:
    """Whether there is something in a file.

    Raises:
        ModelError: there is not.
    """
    if not path.is_file():
        what = "it is a folder" if path.is_dir() else "there is no such file"
        raise ModelError(f"{where}: {what}: give detector.model=<file.onnx>")
    if path.stat().st_size == 0:
        raise ModelError(f"{where}: the file is empty")


def _named(path: Path) -> Path:
    """A file, or the model that ships under that name: its file's, without `.onnx`."""
    if path.exists() or path.name != str(path):
        return path
    ours = _models() / f"{path.name}.onnx"
    return ours if ours.is_file() else path


def _models() -> Path:
    return Path(str(files("vidan_plugins.models")))


def _shipped() -> Path:
    path = _models() / SHIPPED
    if not path.is_file():
        raise ModelError(
            f"the model that ships with vidan is not in this installation ({str(path)!r}): "
            "install vidan again, or give detector.model=<file>"
        )
    return path
