"""Whether the exported forms of a model find what the model itself finds.

`python -m vidan_training.export.parity [weights=<npz>] [data=<recipe or data>] [images=16]`
writes them to a temporary folder and prints how far each is from Keras, at most, before
suppression.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidan.errors import ConfigError
from vidan.types import Image

from ..arrays import FloatArray
from ..evaluation.predict import onnx_run
from ..model.efficientdet import detector
from ..model.spec import Spec

Outputs = tuple[FloatArray, FloatArray]
Run = Callable[[Image], Outputs]
LEAST = 0.05
"""Boxes whose scores are lower are left out: thousands of them are nearly equal."""


def of_keras(model: keras.Model, spec: Spec) -> Run:
    """The trained model itself, decoded by `model.Decode`."""
    whole = detector(model, *spec.size, spec.shapes)

    def run(images: Image) -> Outputs:
        found = whole(images, training=False)
        return np.asarray(found["boxes"]), np.asarray(found["scores"])

    return run


def of_savedmodel(folder: Path) -> Run:
    """A SavedModel, run by TensorFlow in vidan's own form."""
    import tensorflow as tf

    from .command import SIGNATURE

    loaded = tf.saved_model.load(str(folder))
    serve = loaded.signatures[SIGNATURE]

    def run(images: Image, _keep: Any = loaded) -> Outputs:
        found = serve(images=tf.constant(images))
        return found["boxes"].numpy(), found["scores"].numpy()

    return run


def of_openvino(path: Path) -> Run:
    """An ONNX file, run by OpenVINO in float32 (it computes in bfloat16 where it is let)."""
    import openvino

    model = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: Image) -> Outputs:
        found = model({"images": images})
        return found["boxes"], found["scores"]

    return run


def apart(ours: Outputs, theirs: Outputs, least: float = LEAST) -> tuple[float, float]:
    """How far two outputs are apart at most: in score, and in px of the corners.

    Boxes of nearly equal scores change places, so each of ours is held against whichever of
    theirs is nearest; those of a score under `least` in ours are left out.
    """
    scores, corners = [0.0], [0.0]
    for boxes, values, others, other_values in zip(*ours, *theirs, strict=True):
        for box, value in zip(boxes, values, strict=True):
            if value.max() < least:
                continue
            distance = np.abs(others - box).max(axis=1)
            nearest = int((distance + np.abs(other_values - value).max(axis=1)).argmin())
            corners.append(float(distance[nearest]))
            scores.append(float(np.abs(other_values[nearest] - value).max()))
    return max(scores), max(corners)


def compare(
    model: keras.Model, spec: Spec, images: Sequence[Image], folder: Path
) -> Iterator[tuple[str, float, float]]:
    """Each form's name, and how far it is from Keras: score, px.

    Args:
        model: a trained model.
        spec: what it is.
        images: (1,H,W,3) uint8 each, as the network sees them.
        folder: where the forms are written.
    """
    from . import command as export
    from .serving import Serving

    serving = Serving(model, spec)
    whole, half = folder / "whole.onnx", folder / "half.onnx"
    export.export_savedmodel(serving, spec, folder / "saved")
    export.export_onnx(serving, spec, whole, half=False)
    export.export_onnx(serving, spec, half)
    forms = {
        "SavedModel": of_savedmodel(folder / "saved"),
        "ONNX Runtime": onnx_run(whole),
        "OpenVINO": of_openvino(whole),
        "ONNX Runtime, weights float16": onnx_run(half),
    }
    truth = of_keras(model, spec)
    ours = [truth(image) for image in images]
    for name, run in forms.items():
        far = [apart(mine, run(image)) for mine, image in zip(ours, images, strict=True)]
        yield name, max(score for score, _ in far), max(px for _, px in far)


def main(argv: list[str]) -> int:
    """Print how far the exported forms of a model are from it."""
    from .. import recipe
    from ..weights.npz import read_note, shipped
    from .command import build
    from .quantize import choose, pictures

    known = {"weights": str(shipped()), "data": recipe.SHIPPED, "pictures": "16"}
    for argument in argv:
        key, _, value = argument.partition("=")
        if key not in known or not value:
            raise ConfigError(f"unknown argument {argument!r}: expected one of {', '.join(known)}")
        known[key] = value
    weights = Path(known["weights"])
    spec = Spec.parse(read_note(weights), str(weights))
    images = list(pictures(choose(known["data"], int(known["pictures"])), spec.size))
    with tempfile.TemporaryDirectory() as folder:
        for name, score, px in compare(build(spec, weights), spec, images, Path(folder)):
            print(f"{name:32s} score {score:.1e}  box {px:.4f} px")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
