"""`vidan export`: ONNX and SavedModel of a detector, with everything needed to use it."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from vidan.errors import ConfigError, ModelError, PluginError, did_you_mean
from vidan.formats import labelmap

from .. import recipe
from ..model.efficientdet import efficientdet
from ..model.spec import Spec
from ..weights.npz import SHIPPED, load, read_note, save, shipped

console = Console(stderr=True, soft_wrap=True)
SIGNATURE = "vidan"  # of our own form; "serving_default" is the Object Detection API's


def build(spec: Spec, weights: Path) -> keras.Model:
    """The model with its weights, all of which must be in the file."""
    model = efficientdet(spec.model, len(spec.labels), spec.shapes)
    loaded = load(model, weights)
    if loaded.missing or loaded.unused:
        first = (loaded.missing + loaded.unused)[0]
        raise ModelError(f"{str(weights)!r} is not of this {spec.model!r}: {first!r} does not fit")
    return model


def export_savedmodel(serving: Any, spec: Spec, folder: Path) -> None:
    """Write a `serving.Serving` as a SavedModel, with `vidan.json` and a label map beside it.

    It serves as the TF Object Detection API's exports do, see `tfodserving`; vidan's own form is
    its signature `vidan`.
    """
    import tensorflow as tf

    from .tfod_saved_model import TfodServing

    module = TfodServing(serving, spec.size)
    signatures = {"serving_default": module.__call__, SIGNATURE: serving.serve}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    (folder / "vidan.json").write_text(json.dumps(spec.metadata(), indent=1), encoding="utf-8")
    (folder / "label_map.pbtxt").write_text(labelmap.dump_labels(spec.labels), encoding="utf-8")


def export_onnx(serving: Any, spec: Spec, path: Path, half: bool = True) -> None:
    """Write a `serving.Serving` as ONNX; `half` stores weights as float16, computes in float32."""
    from . import onnx as onnxfile

    model = onnxfile.convert(serving.serve)
    onnxfile.check_outputs(model.graph, {"boxes": 4, "scores": len(spec.labels)})
    if half:
        onnxfile.halve(model.graph)
    onnxfile.save(model, spec.metadata(), path)


def export_int8(
    serving: Any, spec: Spec, path: Path, weights: Path, calibration: str, pictures: int
) -> None:
    """Write a `serving.Serving` as ONNX in int8, with its ranges from real images.

    Args:
        serving: the model.
        spec: what it is.
        path: of the ONNX file.
        weights: the float weights that it comes from, which its metadata will name.
        calibration: the images, see `quantize.choose`.
        pictures: how many of them.
    """
    from . import onnx as onnxfile
    from . import quantize as quantize

    samples = quantize.choose(calibration, pictures)
    console.print(f"measuring ranges on {len(samples)} pictures of {calibration}")
    model = onnxfile.convert(serving.serve)
    onnxfile.check_outputs(model.graph, {"boxes": 4, "scores": len(spec.labels)})
    model = quantize.quantize(model, quantize.pictures(samples, spec.size))
    origin = {
        "weights": "int8, per channel",
        "activations": "uint8",
        "calibration": f"{len(samples)} pictures of {Path(calibration).name}, least and greatest",
        "float32": {"file": weights.name, "sha256": _sha256(weights)},
    }
    onnxfile.save(model, {**spec.metadata(), "quantization": origin}, path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


FORMS = ("onnx", "savedmodel", "npz")
KEYS = ("weights", *FORMS, "half", "int8", "calibration", "pictures", "features")
USAGE = (
    "weights=<file.npz> as vidan train wrote it (the model that ships without it);",
    "onnx=<file>, savedmodel=<folder> and npz=<file, float16> say what to write;",
    "half=false keeps float32 weights in the ONNX file;",
    "int8=true makes it int8, with ranges from pictures=32 of calibration=<a recipe, or data of",
    f"any format> ({recipe.SHIPPED} without it);",
    "features=true adds a third output, what each box looks like.",
)
NEEDS = {"onnx": ("tf2onnx", "vidan[train]"), "tensorflow": ("tensorflow", "vidan[tf]")}


def main(argv: list[str]) -> int:
    """Export weights: `weights=<npz> onnx=<file> savedmodel=<folder> npz=<file> half=true`.

    Without `weights` it is the model that ships; `npz` are the weights again, as float16. With
    `int8=true` the ONNX file is quantized, see `quantize`; `features=true` adds an output.
    """
    options = _options(
        recipe.overrides("vidan export", "Export a trained detector.", argv, " ".join(USAGE))
    )
    half, int8, features = (
        _flag(options, key, default)
        for key, default in (("half", True), ("int8", False), ("features", False))
    )
    pictures = _count(options)
    given = options.get("weights", SHIPPED)
    weights = shipped() if given == SHIPPED else Path(given)
    if not options.keys() & set(FORMS):
        raise ConfigError("nothing to export: say onnx=<file>, savedmodel=<folder> or npz=<file>")
    if int8 and "onnx" not in options:
        raise ConfigError("int8=true is for ONNX: say onnx=<file>")
    spec = Spec.parse(read_note(weights), str(weights))
    model = build(spec, weights)
    if file := options.get("npz"):
        save(model, Path(file), "float16", json.dumps(spec.metadata()))
        _tell("weights", Path(file))
    if options.keys() <= {"weights", "npz"}:
        return 0
    serving = _serving(model, spec, features, options)
    if folder := options.get("savedmodel"):
        export_savedmodel(serving, spec, Path(folder))
        console.print(f"SavedModel: {folder}")
    if file := options.get("onnx"):
        path = Path(file)
        if int8:
            calibration = options.get("calibration", recipe.SHIPPED)
            export_int8(serving, spec, path, weights, calibration, pictures)
        else:
            export_onnx(serving, spec, path, half)
        _tell("ONNX", path)
    return 0


def _serving(model: keras.Model, spec: Spec, features: bool, options: Mapping[str, str]) -> Any:
    """The model as a TensorFlow function; says what is missing for that."""
    if keras.backend.backend() != "tensorflow":
        raise ConfigError("export needs the TensorFlow backend: set KERAS_BACKEND=tensorflow")
    needed = ["tensorflow", *(["onnx"] if "onnx" in options else [])]
    for name, package in (NEEDS[key] for key in needed):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise PluginError(f"export needs {name}: pip install {package}") from error
    from .serving import Serving

    return Serving(model, spec, features=features)


def _tell(what: str, path: Path) -> None:
    console.print(f"{what}: {path}, {path.stat().st_size / 1e6:.1f} MB")


def _options(argv: Sequence[str]) -> dict[str, str]:
    options = {}
    for argument in argv:
        key, equals, value = argument.partition("=")
        if not equals or key not in KEYS:
            raise ConfigError(f"unknown argument {argument!r}; {did_you_mean(key, KEYS)}")
        options[key] = value
    return options


def _flag(options: Mapping[str, str], key: str, default: bool) -> bool:
    value = options.get(key, str(default)).lower()
    if value not in ("true", "false"):
        raise ConfigError(f"{key}={options[key]!r}: expected true or false")
    return value == "true"


def _count(options: Mapping[str, str]) -> int:
    value = options.get("pictures", "32")
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise ConfigError(f"pictures={value!r}: expected a whole number, at least 1")
    return int(value)
