"""Where training starts: all that `weights=` may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidan.errors import ConfigError, ModelError

from ..model.efficientdet import ARCHITECTURES
from ..tfod import checkpoint as tfod
from ..tfod.pipeline_config import read_origin
from .npz import SHIPPED, Loaded, load, put, shipped, variables

IMAGENET = "imagenet"
SUBJECT = ("stem", "block")  # layers of the backbone


@dataclass(frozen=True, slots=True)
class Start:
    """What the model has now.

    Attributes:
        name: of what was read.
        loaded: names that were taken, that the file lacks, and that found no place.
        reasons: why entries found no place, as far as that is known.
    """

    name: str
    loaded: Loaded
    reasons: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """For people: what was taken, and every name that was left out."""
        bare = [name for name in self.loaded.missing if name.startswith(SUBJECT)]
        lines = [
            f"{len(self.loaded.taken)} variables from {self.name}",
            f"backbone without weights: {', '.join(bare) or 'nothing'}",
        ]
        if not self.reasons:
            return [*lines, f"not used: {', '.join(self.loaded.unused) or 'nothing'}"]
        whys: dict[str, list[str]] = {}
        for name, why in self.reasons.items():
            whys.setdefault(why, []).append(name)
        return lines + [f"not used, {why}: {_named(names)}" for why, names in whys.items()]


def _named(names: list[str]) -> str:
    """Names in a line; the optimizer's many are counted."""
    slots = [name for name in names if tfod.SLOT in name]
    return f"{len(slots)} of them" if len(slots) == len(names) else ", ".join(names)


def load_start(model: keras.Model, config: Any, shapes: Any) -> Start:
    """Put the weights that a recipe starts from into the model.

    Args:
        model: of `model.efficientdet`.
        config: the recipe: `weights`, `model` and `fine_tune_checkpoint_type` count.
        shapes: the recipe's anchors.

    Raises:
        ModelError: no such weights, or none that fit.
    """
    weights = str(config.weights)
    if weights == SHIPPED:
        return Start("the model that ships", load(model, shipped()))
    if weights == IMAGENET:
        return Start("keras.applications", put(model, imagenet(config.model)))
    prefix = tfod.find_checkpoint(Path(weights).expanduser())
    if prefix is None:
        if not Path(weights).is_file():
            raise ModelError(
                f"no weights at {weights!r}: weights=<.npz, .tflite or a TF Object Detection API "
                f"checkpoint>, {IMAGENET}, {SHIPPED}, or null to start from nothing"
            )
        return Start(Path(weights).name, load(model, Path(weights)))
    kind = config.fine_tune_checkpoint_type
    found = tfod.convert(tfod.read_checkpoint(prefix), model, shapes, kind, _origin(prefix))
    loaded = put(model, found.arrays)
    return Start(f"{prefix.name} ({kind})", loaded, found.left_out)


def _origin(prefix: Path) -> tfod.Origin | None:
    """What the pipeline.config beside a checkpoint, or above its folder, says of its outputs."""
    for folder in (prefix.parent, prefix.parent.parent):
        if (folder / "pipeline.config").is_file():
            return read_origin(folder / "pipeline.config")
    return None


def imagenet(name: str) -> dict[str, Any]:
    """ImageNet weights of a model's backbone in Keras names, from `keras.applications`."""
    backbone = ARCHITECTURES[name].backbone
    if not backbone.startswith("b"):
        raise ConfigError(
            f"weights={IMAGENET}: keras.applications has no EfficientNet-Lite; "
            "give weights=<file.tflite> or weights=shipped"
        )
    build = getattr(keras.applications, f"EfficientNet{backbone.upper()}")
    try:
        return backbone_arrays(build(weights="imagenet", include_top=False))
    except Exception as error:  # urllib's, h5py's and Keras's own, without a common base
        raise ModelError(
            f"cannot get the ImageNet weights of EfficientNet-{backbone.upper()}: "
            f"{str(error).splitlines()[0]}; weights=<file.npz> reads them from a file"
        ) from error


def backbone_arrays(model: keras.Model) -> dict[str, Any]:
    """The variables of a model of `keras.applications` that a backbone here has too."""
    return {
        name: np.asarray(variable)
        for name, variable in variables(model).items()
        # Its dropout layers bring the state of a generator, which is no weight.
        if name.startswith(SUBJECT) and "_drop/" not in name
    }
