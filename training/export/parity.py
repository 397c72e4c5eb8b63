"""Comparison of the exported formats of a model with the model itself.

`python -m vidan_training.export.parity [weights=<npz>] [data=<recipe or data>] [images=16]`
exports to a temporary folder and prints the largest difference of each format from Keras,
before suppression.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidan.errors import ConfigError
from vidan.support.openvino_core import core
from vidan.support.program import run_program
from vidan.types import Image

from ..arrays import FloatArray
from ..evaluation.predict import ModelFunction, load_onnx
from ..model.efficientdet import detector
from ..model.spec import TrainedModelSpec

Outputs = tuple[FloatArray, FloatArray]
"""Boxes (N,K,4) and scores (N,K,C)."""

MIN_SCORE = 0.05
"""Boxes with lower scores are ignored: thousands of them are nearly equal."""


def keras_function(model: keras.Model, spec: TrainedModelSpec) -> ModelFunction:
    """The trained model itself, decoded by `model.efficientdet.DecodeTopK`."""
    decoded = detector(model, *spec.input_size, spec.anchors)

    def run(images: Image) -> Outputs:
        outputs = decoded(images, training=False)
        return np.asarray(outputs["boxes"]), np.asarray(outputs["scores"])

    return run


def load_savedmodel(folder: Path) -> ModelFunction:
    """Load a SavedModel in the native format, to be run by TensorFlow."""
    import tensorflow as tf

    from .command import NATIVE_SIGNATURE

    loaded = tf.saved_model.load(str(folder))
    serve = loaded.signatures[NATIVE_SIGNATURE]

    def run(images: Image, _keep_alive: Any = loaded) -> Outputs:
        outputs = serve(images=tf.constant(images))
        return outputs["boxes"].numpy(), outputs["scores"].numpy()

    return run


def load_openvino(path: Path) -> ModelFunction:
    """Load an ONNX file, to be run by OpenVINO in float32 instead of its default, bfloat16."""
    model = core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: Image) -> Outputs:
        outputs = model({"images": images})
        return outputs["boxes"], outputs["scores"]

    return run


def max_difference(
    reference: Outputs, outputs: Outputs, min_score: float = MIN_SCORE
) -> tuple[float, float]:
    """Largest difference of two outputs, in score and in px of the corners.

    Boxes of nearly equal scores may be sorted differently, so that each box of the reference
    with at least the minimum score is compared with its nearest box in the other outputs.
    """
    scores, corners = [0.0], [0.0]
    for boxes, values, others, other_values in zip(*reference, *outputs, strict=True):
        for box, value in zip(boxes, values, strict=True):
            if value.max() < min_score:
                continue
            distance = np.abs(others - box).max(axis=1)
            nearest = int((distance + np.abs(other_values - value).max(axis=1)).argmin())
            corners.append(float(distance[nearest]))
            scores.append(float(np.abs(other_values[nearest] - value).max()))
    return max(scores), max(corners)


def compare(
    model: keras.Model, spec: TrainedModelSpec, images: Sequence[Image], folder: Path
) -> Iterator[tuple[str, float, float]]:
    """Yield the name of each format, and its difference from Keras in score and px.

    Args:
        model: a trained model.
        spec: description of the model.
        images: (1,H,W,3) uint8 each, letterboxed.
        folder: where the formats are written.
    """
    from . import command
    from .serving import Serving

    serving = Serving(model, spec)
    full, half = folder / "full.onnx", folder / "half.onnx"
    command.export_savedmodel(serving, spec, folder / "saved")
    command.export_onnx(serving, spec, full, half=False)
    command.export_onnx(serving, spec, half)
    formats = {
        "SavedModel": load_savedmodel(folder / "saved"),
        "ONNX Runtime": load_onnx(full),
        "OpenVINO": load_openvino(full),
        "ONNX Runtime, weights float16": load_onnx(half),
    }
    reference = keras_function(model, spec)
    expected = [reference(image) for image in images]
    for name, run in formats.items():
        pairs = zip(expected, images, strict=True)
        differences = [max_difference(outputs, run(image)) for outputs, image in pairs]
        yield name, max(score for score, _ in differences), max(px for _, px in differences)


def main(argv: list[str]) -> int:
    """Print the differences between the exported formats and the model."""
    from .. import recipe
    from ..weights.npz import read_spec, shipped_weights
    from .command import load_model
    from .quantize import calibration_samples, network_inputs

    options = {"weights": str(shipped_weights()), "data": recipe.SHIPPED_RECIPE, "images": "16"}
    for argument in argv:
        key, _, value = argument.partition("=")
        if key not in options or not value:
            expected = ", ".join(options)
            raise ConfigError(f"unknown argument {argument!r}: expected one of {expected}")
        options[key] = value
    weights = Path(options["weights"])
    spec = read_spec(weights)
    samples = calibration_samples(options["data"], int(options["images"]))
    images = list(network_inputs(samples, spec.input_size))
    with tempfile.TemporaryDirectory() as folder:
        for name, score, px in compare(load_model(spec, weights), spec, images, Path(folder)):
            print(f"{name:32s} score {score:.1e}  box {px:.4f} px")  # noqa: T201
    return 0


if __name__ == "__main__":
    run_program("python -m vidan_training.export.parity", lambda: main(sys.argv[1:]))
