"""Detection by a model in a file: ONNX, OpenVINO IR or TFLite."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from importlib.resources import files
from logging import INFO, WARNING
from pathlib import Path

from vidan import options
from vidan.errors import ConfigError, ModelError, did_you_mean
from vidan.labels import Rename

from ..models.catalog import CatalogEntry, catalog, entry_of
from ..models.fetch import find
from .base import MAX_DETECTIONS, Count, DetectorOptions, Fraction, Model, ModelDetector, limited
from .engine import METADATA_KEY, Backend, Engine, Precision, open_engine
from .errors import naming
from .exported.decoding import DecodeName
from .exported.model import ExportedModel
from .exported.plan import FirstId, make_plan
from .exported.run import Array
from .native.signature import Signature, is_native
from .preprocess import (
    Channels,
    Layout,
    Letterbox,
    Levels,
    Numbers,
    Positive,
    Positives,
    PreprocessOverrides,
    Sides,
)

SHIPPED = "facemask_lite0_int8.onnx"
"""The default model, shipped in `vidan_plugins.models`."""

log = logging.getLogger(__name__)


class OnnxDetector(ModelDetector):
    """A detector from a file, in vidan's native format or exported by others.

    `decode` tells how to interpret the outputs of an export; `auto` recognizes them by names,
    shapes and metadata, and logs the result in one line. Any number of threads may call `detect`.

    Args:
        model: a file, the name of a shipped model such as `facemask_lite0_int8`, or of one in
            `vidan models list`, which is downloaded on first use; None for the shipped face-mask
            detector.
        labels: a file with one label per line, or a `label_map.pbtxt`; `coco` for COCO's 80
            labels, `coco91` for them by COCO's ids; the labels themselves; None for the model's
            own.
        rename: new names of labels, such as `{"car": "vehicle", "truck": "vehicle"}`; None as a
            name leaves a label out. `classes` are among the new names.
        threshold: minimum score of a detection, in [0,1]; None for the model's recommendation.
        iou_threshold: IoU above which the worse of two boxes is suppressed, in [0,1]; None for
            0.5, or 1 if the model itself contains non-maximum suppression and `rename` does not
            give several labels one name.
        classes: labels to keep; None for all.
        class_agnostic: whether boxes of different classes suppress each other, for models whose
            objects have exactly one class; None for the model's own setting.
        max_detections: most detections in an image, the best ones; None for no limit.
        score_scale: how the scores map to the scale that trackers expect: the score of which two
            of three detections are right, and a slope, as `vidan eval detection` measures them;
            None for what is stored with the model, or else an estimate from the stream.
        roi: part of the image to search: left, top, right, bottom, as fractions from 0 to 1 or
            in px; None for all of it.
        backend: library that runs an ONNX file. None for OpenVINO if it is installed, it may
            compute in bfloat16, the model is not quantized, the processor has bfloat16 and ONNX
            Runtime has only the CPU; ONNX Runtime otherwise. docs/performance.md compares them.
        precision: of OpenVINO: `float32`, or `bfloat16`, which is faster on some processors and
            moves boxes by some px. None for `bfloat16` if the model is in vidan's native format,
            which was measured with it, and `float32` for others.
        threads: compute threads; None for the available physical cores.
        workers: threads that call `detect` and share the compute threads; None for 1.
        providers: ONNX Runtime execution providers in order of preference, such as `cuda`; the
            CPU computes what they cannot. None for the best available.
        decode: meaning of the outputs: a name in `decoding.DECODES`; `auto` to recognize it.
        first_id: number that the outputs have for the first label, if it is not what is usual for
            the decode: 0 or 1.
        size: height and width of the input, px, or one number for both; None for the model's.
        letterbox: `center` or `corner` keep the aspect ratio and fill the rest with `pad`;
            `stretch` does not keep it. None, here and below, for what is usual for the decode.
        pad: fill color: red, green, blue from 0 to 255, or one number for all.
        channels: `rgb` or `bgr`.
        scale: the value of white, usually 1 or 255; `mean` is subtracted after scaling.
        mean: of red, green and blue, or one number for all.
        std: divisor of red, green and blue, or one number for all; applied last.
        layout: `nchw` or `nhwc`, if the shape of the input is ambiguous.
        offline: whether a model that is not there yet must not be downloaded.

    Attributes:
        labels: the label of each class index.
        threshold: minimum score of a detection.
        score_scale: of the scores; None if it is not known.
        batch: most frames per call that make detection faster: 1 on a CPU, and if the batch size
            is fixed.
        summary: how the model is used, for people.

    Raises:
        ConfigError: an option has a bad value.
        PluginError: OpenVINO was requested and is not installed.
        ModelError: the model or the label file cannot be used.
    """

    def __init__(
        self,
        model: str | None = None,
        labels: str | list[str] | None = None,
        rename: Rename | None = None,
        threshold: Fraction | None = None,
        iou_threshold: Fraction | None = None,
        classes: str | Sequence[str] | None = None,
        class_agnostic: bool | None = None,
        max_detections: Count | None = MAX_DETECTIONS,
        score_scale: list[float] | None = None,
        roi: list[float] | None = None,
        backend: Backend | None = None,
        precision: Precision | None = None,
        threads: Count | None = None,
        workers: Count | None = None,
        providers: str | Sequence[str] | None = None,
        decode: DecodeName = "auto",
        first_id: FirstId | None = None,
        size: Sides | None = None,
        letterbox: Letterbox | None = None,
        pad: Levels | None = None,
        channels: Channels | None = None,
        scale: Positive | None = None,
        mean: Numbers | None = None,
        std: Positives | None = None,
        layout: Layout | None = None,
        offline: bool = False,
    ) -> None:
        path, entry = resolve(model, offline=offline)
        selected = DetectorOptions(
            labels,
            threshold,
            iou_threshold,
            classes,
            class_agnostic,
            max_detections,
            rename,
            score_scale,
        )
        overrides = PreprocessOverrides(
            size=size,
            letterbox=letterbox,
            pad=pad,
            channels=channels,
            scale=scale,
            mean=mean,
            std=std,
            layout=layout,
        )
        if entry is not None:
            selected = selected.or_else(entry.labels, entry.threshold, entry.score_scale)
            decode = entry.options.get("decode", decode) if decode == "auto" else decode
            overrides = overrides.or_else(entry.options)
        name = model_name(path)
        self.summary = "vidan's native format"
        self._is_guess = False
        with naming(name):
            engine = open_engine(path, backend, threads, workers or 1, providers, precision)
            self._engine: Engine | None = engine
            opened = limited(lambda: self._open(engine, selected, decode, overrides, first_id))
            if isinstance(opened, ExportedModel):
                log.log(WARNING if self._is_guess else INFO, "%s: %s", name, self.summary)
            super().__init__(name, opened, roi, accelerated=engine.accelerated)

    def close(self) -> None:
        """Release the model."""
        self._engine = None

    def _open(
        self,
        engine: Engine,
        selected: DetectorOptions,
        decode: DecodeName,
        overrides: PreprocessOverrides,
        first_id: FirstId | None,
    ) -> Model:
        """The model around the network: in the native format, or exported by others."""
        signature, properties = engine.signature, engine.properties
        if not uses_native_format(signature, properties, decode):
            given = selected.given_labels()
            plan = make_plan(signature, properties, self._run, given, decode, overrides, first_id)
            self.summary = str(plan)
            self._is_guess = bool(plan.decoding.guess)
            return ExportedModel(signature, plan, selected.selection(plan.defaults), self._run)
        if overrides.given():
            raise ConfigError(
                f"{next(iter(overrides.given()))}: a model in vidan's native format defines its "
                "own preprocessing: omit the option"
            )
        outputs = signature.native_outputs()
        text = properties.get(METADATA_KEY)
        return selected.native_model(
            signature, text, lambda batch: self._run({"images": batch}, outputs)
        )

    def _run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        engine = self._engine
        if engine is None:
            raise ModelError("the detector is closed")
        return engine.run(inputs, outputs)


def model_name(path: Path) -> str:
    """A model in messages."""
    return f"model {str(path)!r}"


def uses_native_format(
    signature: Signature, properties: Mapping[str, str], decode: DecodeName = "auto"
) -> bool:
    """Whether a model is interpreted as one in the native format."""
    if decode not in ("auto", "efficientdet"):
        return False
    return METADATA_KEY in properties or is_native(signature)


def resolve(model: str | None, *, offline: bool = False) -> tuple[Path, CatalogEntry | None]:
    """The file that `detector.model` names, and its entry if that file is in the catalog.

    Args:
        model: a file, or the name of a model that is shipped or in the catalog, which is
            downloaded if it is not there yet.
        offline: whether downloads are forbidden.

    Raises:
        ConfigError: not a path.
        ModelError: it cannot be downloaded, or there is no model of that name.
    """
    if model is None:
        return _default_model(), None
    path = _shipped_or_path(options.path("model", model))
    if path.exists() or path.name != str(path):
        return path, entry_of(path) if path.is_file() else None
    found = find(path.name, offline=offline)
    if found is not None:
        return found[1], found[0]
    if not path.suffix:
        known = [file.stem for file in _models().glob("*.onnx")] + list(catalog())
        raise ModelError(
            f"model {path.name!r}: there is no such file or model: {did_you_mean(path.name, known)}"
        )
    return path, None


def _shipped_or_path(path: Path) -> Path:
    """The shipped model of that name, without `.onnx`, unless it is an existing file."""
    if path.exists() or path.name != str(path):
        return path
    shipped = _models() / f"{path.name}.onnx"
    return shipped if shipped.is_file() else path


def _models() -> Path:
    return Path(str(files("vidan_plugins.models")))


def _default_model() -> Path:
    path = _models() / SHIPPED
    if not path.is_file():
        raise ModelError(
            f"the default model is missing from this installation ({str(path)!r}): reinstall "
            "vidan, or set detector.model=<file>"
        )
    return path
