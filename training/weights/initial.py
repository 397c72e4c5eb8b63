"""Initial weights of a training run: everything that `weights=` accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidan.errors import ConfigError, ModelError
from vidan.options import expanded

from ..arrays import AnyArray
from ..model.anchors import AnchorShapes
from ..model.efficientdet import ARCHITECTURES
from ..tfod import checkpoint as tfod
from ..tfod.pipeline_config import read_output_layout
from .npz import SHIPPED, LoadReport, assign, load, shipped_weights, spec_of, variables

IMAGENET = "imagenet"
BACKBONE_PREFIXES = ("stem", "block")  # of layer names
LAST_LAYERS = ("class_predict", "box_predict")  # of the heads


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """The weights that a model starts from.

    Attributes:
        name: name of the source.
        report: which weights were loaded.
        reasons: why entries of the source were skipped, where known.
    """

    name: str
    report: LoadReport
    reasons: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Messages about the weights that were loaded and skipped, with names."""
        bare = [name for name in self.report.missing if name.startswith(BACKBONE_PREFIXES)]
        lines = [
            f"{len(self.report.loaded)} variables from {self.name}",
            f"backbone without weights: {', '.join(bare) or 'none'}",
        ]
        if not self.reasons:
            return [*lines, f"not used: {', '.join(self.report.unused) or 'none'}"]
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.reasons.items():
            by_reason.setdefault(reason, []).append(name)
        return lines + [f"not used, {why}: {_format(names)}" for why, names in by_reason.items()]


def _format(names: list[str]) -> str:
    """A list of names; only the number of optimizer slots."""
    slots = [name for name in names if tfod.SLOT in name]
    return f"{len(slots)} of them" if len(slots) == len(names) else ", ".join(names)


def load_initial_weights(model: keras.Model, config: Any, shapes: AnchorShapes) -> InitialWeights:
    """Load the weights that a recipe starts from.

    Args:
        model: a model of `model.efficientdet`.
        config: the recipe, of which `weights`, `model` and `fine_tune_checkpoint_type` are used.
        shapes: anchors of the recipe.

    Raises:
        ModelError: the weights do not exist or do not fit.
    """
    weights = str(config.weights)
    if weights == SHIPPED:
        return _from_file(model, shipped_weights(), shapes, "the shipped model")
    if weights == IMAGENET:
        return InitialWeights("keras.applications", assign(model, imagenet(config.model)))
    prefix = tfod.find_checkpoint(expanded(weights))
    if prefix is None:
        if not Path(weights).is_file():
            raise ModelError(
                f"no weights at {weights!r}: set weights=<.npz, .tflite or a TF Object Detection "
                f"API checkpoint>, {IMAGENET}, {SHIPPED}, or null for random weights"
            )
        return _from_file(model, Path(weights), shapes, Path(weights).name)
    kind = config.fine_tune_checkpoint_type
    arrays = tfod.read_checkpoint(prefix)
    imported = tfod.convert(arrays, model, shapes, kind, _output_layout(prefix))
    report = assign(model, imported.arrays)
    return InitialWeights(f"{prefix.name} ({kind})", report, imported.skipped)


def _from_file(model: keras.Model, path: Path, shapes: AnchorShapes, name: str) -> InitialWeights:
    """Load an `.npz` or `.tflite`, and explain what is not used if the file describes its model."""
    report = load(model, path)
    spec = spec_of(path)
    if spec is None:
        return InitialWeights(name, report)
    fits = spec.anchors.per_location == shapes.per_location
    reasons = {
        unused: _reason(unused, variables(model), spec.anchors, fits) for unused in report.unused
    }
    return InitialWeights(name, report, reasons)


def _reason(name: str, known: Mapping[str, object], anchors: AnchorShapes, fits: bool) -> str:
    """Why a weight is not used.

    Args:
        name: its name.
        known: variables of the model by name.
        anchors: anchors of the weights.
        fits: whether the model has as many at each location.
    """
    if name not in known:
        return "not in this model"
    if name.startswith(LAST_LAYERS) and not fits:
        ratios = ",".join(map(str, anchors.ratios))
        return (
            "made for other anchors "
            f"(anchors.octaves={anchors.octaves} anchors.ratios=[{ratios}] keeps it)"
        )
    return "made for other labels" if name.startswith(LAST_LAYERS) else "of another shape"


def _output_layout(prefix: Path) -> tfod.OutputLayout | None:
    """The output layout in the pipeline.config next to a checkpoint or its folder."""
    for folder in (prefix.parent, prefix.parent.parent):
        if (folder / "pipeline.config").is_file():
            return read_output_layout(folder / "pipeline.config")
    return None


def imagenet(name: str) -> dict[str, AnyArray]:
    """ImageNet weights of a model's backbone by Keras names, from `keras.applications`.

    Raises:
        ConfigError: `keras.applications` does not have the backbone.
        ModelError: the download failed.
    """
    backbone = ARCHITECTURES[name].backbone
    if not backbone.startswith("b"):
        raise ConfigError(
            f"weights={IMAGENET}: keras.applications has no EfficientNet-Lite; "
            "set weights=<file.tflite> or weights=shipped"
        )
    build = getattr(keras.applications, f"EfficientNet{backbone.upper()}")
    try:
        return backbone_arrays(build(weights="imagenet", include_top=False))
    except Exception as error:  # of urllib, h5py or Keras, without a common base class
        raise ModelError(
            f"cannot get the ImageNet weights of EfficientNet-{backbone.upper()}: "
            f"{str(error).splitlines()[0]}; weights=<file.npz> reads them from a file"
        ) from error


def backbone_arrays(model: keras.Model) -> dict[str, AnyArray]:
    """The variables of a model of `keras.applications` that our backbone has, too."""
    return {
        name: np.asarray(variable)
        for name, variable in variables(model).items()
        # Dropout layers contribute the state of a random generator, which is not a weight.
        if name.startswith(BACKBONE_PREFIXES) and "_drop/" not in name
    }
