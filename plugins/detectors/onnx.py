"""Detection by an ONNX file, with ONNX Runtime or OpenVINO."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Literal, Protocol, get_args

from vidan import options
from vidan.errors import ConfigError, ModelError, PluginError

from ..formats.onnx import is_quantized
from ..models.catalog import CatalogEntry, find_downloaded
from .backends.threads import thread_count
from .base import DetectorOptions, Model, ModelDetector
from .exported.decoding import DecodeName
from .exported.model import ExportedModel
from .exported.plan import exported_advice, plan
from .exported.run import Array
from .native.signature import Signature, is_own_form
from .preprocess import Channels, Layout, Letterbox, PreprocessOverrides

SHIPPED = "facemask_lite0_int8.onnx"
"""The model that comes with vidan, in `vidan_plugins.models`."""

OPENVINO = importlib.util.find_spec("openvino") is not None
"""Whether OpenVINO is installed."""

METADATA_KEY = "vidan"
"""Under which a model of vidan's own form says what it is."""

Backend = Literal["onnxruntime", "openvino"]

log = logging.getLogger(__name__)


class Engine(Protocol):
    """An open model; any number of threads may run it at once."""

    signature: Signature

    @property
    def properties(self) -> Mapping[str, str]:
        """What the file says of itself, by key."""
        ...

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """See `exported.Run`."""
        ...


class OnnxDetector(ModelDetector):
    """A detector from an ONNX file of vidan's own form (see `contract`), or of another's.

    What others export is read as `decode` says: by names, shapes and metadata if that is `auto`.
    One line in the log tells what was taken. Any number of threads may detect at once.

    Args:
        model: the file, or the name of one that ships, as in `facemask_lite0_int8`, or of one
            that `vidan models pull` got; None for the face-mask detector that ships.
        labels: a file with one label a line, or a `label_map.pbtxt`; `coco` for COCO's 80 names,
            `coco91` for them by COCO's ids; None for the model's own.
        threshold: least score of a detection, in [0,1]; None for what the model advises.
        iou_threshold: of two boxes that overlap by more, the better one stays, in [0,1]; None
            for 0.5, or 1 where the model itself leaves one box for each object.
        classes: the labels wanted; None for all.
        class_agnostic: whether boxes of different classes suppress each other, for models whose
            objects have exactly one class; None for the model's own setting.
        max_detections: at most so many in an image, the best; None for no limit.
        roi: the part of the image that is looked at: left, top, right, bottom, as parts of it
            from 0 to 1, or in px; None for all of it.
        backend: what runs the model. None for OpenVINO where it is installed, the model is not
            quantized, the processor computes in bfloat16 and ONNX Runtime has nothing better
            than the CPU; else ONNX Runtime. docs/performance.md has what each is worth.
        threads: that compute; None for the physical cores there are to use.
        workers: threads that call `detect`, which share the threads that compute; None for 1.
        providers: where ONNX Runtime computes, in order, such as `cuda`; the CPU stands in for
            what they cannot do. None for the best that is there.
        decode: what the outputs are: a name in `decoding.DECODES`; `auto` for what fits.
        size: height and width of the input, px, or one number for both; None for the model's.
        letterbox: `center` or `corner`: the aspect ratio is kept, and the rest filled with
            `pad`; `stretch`: the image fills the input. None, here and below, for what is
            usual for the decode.
        pad: what is filled in: red, green, blue from 0 to 255, or one number for all.
        channels: `rgb` or `bgr`.
        scale: what white becomes, mostly 1 or 255; then `mean` is subtracted.
        mean: of red, green and blue, or one number for all.
        std: what is divided by then: as `mean`.
        layout: `nchw` or `nhwc`, where the input's shape does not tell.

    Attributes:
        labels: the label of each class index.
        threshold: the least score of a detection, whoever chose it.
        taken: what the model was taken for, and how it is used, for people.

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
        iou_threshold: float | None = None,
        classes: str | Sequence[str] | None = None,
        class_agnostic: bool | None = None,
        max_detections: int | None = None,
        roi: list[float] | None = None,
        backend: Backend | None = None,
        threads: int | None = None,
        workers: int | None = None,
        providers: str | Sequence[str] | None = None,
        decode: DecodeName = "auto",
        size: int | list[int] | None = None,
        letterbox: Letterbox | None = None,
        pad: float | list[float] | None = None,
        channels: Channels | None = None,
        scale: float | None = None,
        mean: float | list[float] | None = None,
        std: float | list[float] | None = None,
        layout: Layout | None = None,
    ) -> None:
        path, entry = resolve(model)
        where = f"model {str(path)!r}"
        count = thread_count(threads)
        calls = 1 if workers is None else options.whole("detector.workers", workers, 1)
        if backend is not None:
            options.choice("detector.backend", backend, get_args(Backend))
        options.choice("detector.decode", decode, get_args(DecodeName))
        wishes = DetectorOptions(
            labels, threshold, iou_threshold, classes, class_agnostic, max_detections
        )
        prepared = PreprocessOverrides(
            size=size,
            letterbox=letterbox,
            pad=pad,
            channels=channels,
            scale=scale,
            mean=mean,
            std=std,
            layout=layout,
        )
        prepared.given()  # bad values are said before anything is opened
        if entry is not None:
            wishes = replace(wishes, labels=entry.labels if labels is None else labels)
            decode = entry.options.get("decode", decode) if decode == "auto" else decode
            prepared = prepared.or_else(entry.options)
        _check_file(path, where)
        engine = _engine(path, where, backend, count, calls, providers)
        self._engine: Engine | None = engine
        self.taken = "vidan's own form"
        super().__init__(self._model_of(where, engine, wishes, decode, prepared), roi)

    def close(self) -> None:
        """Let go of the model."""
        self._engine = None

    def _model_of(
        self,
        where: str,
        engine: Engine,
        wishes: DetectorOptions,
        decode: DecodeName,
        prepared: PreprocessOverrides,
    ) -> Model:
        """The model around the network: vidan's own form, or another's."""
        signature, properties = engine.signature, engine.properties
        if not takes_own_form(signature, properties, decode):
            how = plan(
                where, signature, properties, self._run, wishes.given_labels(), decode, prepared
            )
            selection = wishes.selection(exported_advice(how))
            self.taken = str(how)
            log.info("%s: %s", where, how)
            return ExportedModel(where, signature, how, selection, self._run)
        if prepared.given():
            raise ConfigError(
                f"detector.{next(iter(prepared.given()))}: {where} is of vidan's own form, which "
                "says itself how pictures are prepared: leave it out"
            )
        outputs = signature.wanted()
        text = properties.get(METADATA_KEY)
        return wishes.own_form(
            where, signature, text, lambda batch: self._run({"images": batch}, outputs)
        )

    def _run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        engine = self._engine
        if engine is None:
            raise ModelError("the detector is closed")
        return engine.run(inputs, outputs)


def takes_own_form(
    signature: Signature, properties: Mapping[str, str], decode: DecodeName = "auto"
) -> bool:
    """Whether a model is read as one of vidan's own form."""
    if decode not in ("auto", "efficientdet"):
        return False
    return METADATA_KEY in properties or is_own_form(signature)


def _engine(
    path: Path,
    where: str,
    backend: Backend | None,
    threads: int,
    workers: int,
    providers: str | Sequence[str] | None,
) -> Engine:
    """Open the model with the backend asked for, or with the one that is likely to be faster.

    In 8-bit integers that is ONNX Runtime. OpenVINO's libraries are only imported where they may
    be used, ONNX Runtime's likewise.
    """
    if backend == "openvino" and not OPENVINO:
        raise PluginError(
            "detector.backend='openvino': it is not installed: pip install 'vidan[openvino]'"
        )
    if backend == "openvino":
        from .backends.openvino import OpenVino

        return OpenVino(path, where, threads, workers)
    if backend is None and OPENVINO and providers is None and not is_quantized(path):
        from .backends.openvino import OpenVino, is_faster

        if is_faster():
            try:
                return OpenVino(path, where, threads, workers)
            except ModelError as error:  # ONNX Runtime has the last word on what is wrong
                log.debug("%s", error)
    from .backends.onnxruntime import OnnxRuntime

    return OnnxRuntime(path, where, max(1, threads // workers), providers)


def engine_for(path: Path, where: str) -> Engine:
    """Open a model as it is, to look at its inputs and outputs.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    _check_file(path, where)
    return _engine(path, where, None, thread_count(None), 1, None)


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


def resolve(model: str | None) -> tuple[Path, CatalogEntry | None]:
    """The file that `detector.model` names, and the entry of the catalog if it is from there.

    Raises:
        ConfigError: it is no path.
        ModelError: it is in the catalog, and has not been pulled.
    """
    if model is None:
        return _shipped(), None
    path = _named(options.path("detector.model", model))
    found = None if path.exists() or path.name != str(path) else find_downloaded(path.name)
    return (path, None) if found is None else (found[1], found[0])


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
