"""`vidan export`: export a detector as self-describing ONNX and SavedModel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from vidan.errors import ConfigError, ModelError, did_you_mean
from vidan.formats import labelmap
from vidan.support.extras import import_extra

from .. import recipe
from ..model.efficientdet import efficientdet
from ..model.spec import TrainedModelSpec
from ..weights.npz import SHIPPED, load, read_spec, save, shipped_weights

console = Console(stderr=True, soft_wrap=True)
NATIVE_SIGNATURE = "vidan"  # "serving_default" is that of the Object Detection API

OUTPUTS = ("onnx", "savedmodel", "npz")
KEYS = ("weights", *OUTPUTS, "half", "int8", "calibration", "images", "features")
USAGE = (
    "weights=<file.npz> is a file written by vidan train (default: the shipped model);",
    "onnx=<file>, savedmodel=<folder> and npz=<file, float16> are the outputs;",
    "half=false keeps float32 weights in the ONNX file;",
    "int8=true quantizes it, calibrated on images=32 of calibration=<a recipe, or data of any",
    f"format> (default {recipe.SHIPPED_RECIPE});",
    "features=true adds a third output with an appearance vector for each box.",
)
DEFAULT_IMAGES = "32"


def load_model(spec: TrainedModelSpec, weights: Path) -> keras.Model:
    """Build a model and load its weights.

    Raises:
        ModelError: the file does not contain exactly the weights of this model.
    """
    model = efficientdet(spec.architecture, len(spec.labels), spec.anchors)
    report = load(model, weights)
    if report.missing or report.unused:
        first = (report.missing + report.unused)[0]
        model_name = repr(spec.architecture)
        raise ModelError(f"{str(weights)!r} is not of this {model_name}: {first!r} does not fit")
    return model


def export_savedmodel(serving: Any, spec: TrainedModelSpec, folder: Path) -> None:
    """Write a SavedModel, with `vidan.json` and a label map.

    Its default signature is that of the TF Object Detection API, see `tfod_saved_model`; the
    native format is the signature `vidan`.

    Args:
        serving: a `serving.Serving`.
        spec: description of the model.
        folder: the SavedModel.
    """
    import tensorflow as tf

    from .tfod_saved_model import TfodServing

    module = TfodServing(serving, spec.input_size)
    signatures = {"serving_default": module.__call__, NATIVE_SIGNATURE: serving.serve}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    (folder / "vidan.json").write_text(json.dumps(spec.to_json(), indent=1), encoding="utf-8")
    (folder / "label_map.pbtxt").write_text(labelmap.dump_labels(spec.labels), encoding="utf-8")


def export_onnx(serving: Any, spec: TrainedModelSpec, path: Path, half: bool = True) -> None:
    """Write an ONNX file.

    Args:
        serving: a `serving.Serving`.
        spec: description of the model.
        path: the file.
        half: whether weights are stored as float16; computation is always in float32.
    """
    from . import onnx

    model = onnx.convert(serving.serve)
    onnx.check_outputs(model.graph, {"boxes": 4, "scores": len(spec.labels)})
    if half:
        onnx.store_kernels_as_float16(model.graph)
    onnx.save(model, spec.to_json(), path)


def export_int8(
    serving: Any,
    spec: TrainedModelSpec,
    path: Path,
    weights: Path,
    calibration: str,
    image_count: int,
) -> None:
    """Write an int8 ONNX file, calibrated on images.

    Args:
        serving: a `serving.Serving`.
        spec: description of the model.
        path: the file.
        weights: file of the float weights, to be named in the metadata.
        calibration: the images, see `quantize.calibration_samples`.
        image_count: number of images.
    """
    from . import onnx, quantize

    samples = quantize.calibration_samples(calibration, image_count)
    console.print(f"calibrating on {len(samples)} images of {calibration}")
    model = onnx.convert(serving.serve)
    onnx.check_outputs(model.graph, {"boxes": 4, "scores": len(spec.labels)})
    model = quantize.quantize(model, quantize.network_inputs(samples, spec.input_size))
    quantization = {
        "weights": "int8, per channel",
        "activations": "uint8",
        "calibration": f"{len(samples)} images of {Path(calibration).name}, minimum and maximum",
        "float32": {"file": weights.name, "sha256": _sha256(weights)},
    }
    onnx.save(model, {**spec.to_json(), "quantization": quantization}, path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(argv: list[str]) -> int:
    """Run `vidan export`; `USAGE` lists its keys."""
    options = _options(
        recipe.overrides("vidan export", "Export a trained detector.", argv, "\n".join(USAGE))
    )
    half = _flag(options, "half", True)
    int8 = _flag(options, "int8", False)
    features = _flag(options, "features", False)
    image_count = _image_count(options)
    given = options.get("weights", SHIPPED)
    weights = shipped_weights() if given == SHIPPED else Path(given)
    if not options.keys() & set(OUTPUTS):
        raise ConfigError("nothing to export: set onnx=<file>, savedmodel=<folder> or npz=<file>")
    if int8 and "onnx" not in options:
        raise ConfigError("int8=true is for ONNX: set onnx=<file>")
    spec = read_spec(weights)
    model = load_model(spec, weights)
    if file := options.get("npz"):
        save(model, Path(file), "float16", json.dumps(spec.to_json()))
        _print_file("weights", Path(file))
    if options.keys() <= {"weights", "npz"}:
        return 0
    serving = _serving(model, spec, features, options)
    if folder := options.get("savedmodel"):
        export_savedmodel(serving, spec, Path(folder))
        console.print(f"SavedModel: {folder}")
    if file := options.get("onnx"):
        path = Path(file)
        if int8:
            calibration = options.get("calibration", recipe.SHIPPED_RECIPE)
            export_int8(serving, spec, path, weights, calibration, image_count)
        else:
            export_onnx(serving, spec, path, half)
        _print_file("ONNX", path)
    return 0


def _serving(
    model: keras.Model, spec: TrainedModelSpec, features: bool, options: Mapping[str, str]
) -> Any:
    """The model as a TensorFlow function; raises an error if a package for that is missing."""
    if keras.backend.backend() != "tensorflow":
        raise ConfigError("export needs the TensorFlow backend: set KERAS_BACKEND=tensorflow")
    import_extra("tensorflow", "tf")
    if "onnx" in options:
        import_extra("tf2onnx", "train", "onnx")
    from .serving import Serving

    return Serving(model, spec, features=features)


def _print_file(what: str, path: Path) -> None:
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


def _image_count(options: Mapping[str, str]) -> int:
    value = options.get("images", DEFAULT_IMAGES)
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise ConfigError(f"images={value!r}: expected a whole number of at least 1")
    return int(value)
