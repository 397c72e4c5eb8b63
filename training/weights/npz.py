"""Weights in `.npz` files by Keras names, complete or partial; reading needs no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from vidan.errors import ModelError
from vidan.support.replace import replaced

from ..arrays import AnyArray
from ..model.spec import TrainedModelSpec

if TYPE_CHECKING:
    import keras

METADATA_ENTRY = "vidan.json"
"""Entry of an `.npz` with the metadata of the model."""

SHIPPED = "shipped"
"""Stands for the weights of the shipped model wherever a path is expected."""

RENAMED_VARIABLES = {"depthwise_kernel": "kernel"}
"""Keras 3's names of variables, by the names of older versions."""


def shipped_weights() -> Path:
    """Path of the weights of the shipped model."""
    return Path(str(files("vidan_plugins") / "models" / "facemask_lite0.npz"))


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Which weights were loaded; names are `layer/variable`.

    Attributes:
        loaded: variables of the model that were set.
        missing: variables of the model that the file does not contain; they are unchanged.
        unused: entries of the file without a variable of this name and shape.
    """

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]


def variables(model: keras.Model) -> dict[str, keras.Variable]:
    """All variables of the model by `layer/variable`, statistics included."""
    named: dict[str, keras.Variable] = {}
    for layer in model.layers:
        for variable in layer.variables:
            named[f"{layer.name}/{variable.name}"] = variable
    return named


def read_npz(path: Path) -> dict[str, AnyArray]:
    """Read all arrays of an `.npz` by name.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files if name != METADATA_ENTRY}
    except (OSError, ValueError, BadZipFile) as error:
        raise ModelError(f"cannot read weights {str(path)!r}: {error}") from error


def assign(model: keras.Model, arrays: Mapping[str, AnyArray]) -> LoadReport:
    """Copy arrays into the model's variables of the same name and shape."""
    named = variables(model)
    loaded, unused = [], []
    for name, array in arrays.items():
        layer, _, last = name.rpartition("/")
        known = name if name in named else f"{layer}/{RENAMED_VARIABLES.get(last, last)}"
        if known in named and tuple(named[known].shape) == array.shape:
            named[known].assign(array.astype(np.float32))
            loaded.append(known)
        else:
            unused.append(name)
    missing = sorted(set(named) - set(loaded))
    return LoadReport(tuple(sorted(loaded)), tuple(missing), tuple(sorted(unused)))


def load(model: keras.Model, path: Path) -> LoadReport:
    """Load weights from an `.npz` with Keras names, or a Lite classifier from a `.tflite`.

    Raises:
        ModelError: the file cannot be read or contains no weight of this model.
    """
    if path.suffix == ".tflite":
        from .tflite import lite_weights

        arrays = lite_weights(path)
    else:
        arrays = read_npz(path)
    report = assign(model, arrays)
    if not report.loaded:
        raise ModelError(
            f"{str(path)!r} has no weight of this model (it has {', '.join(list(arrays)[:3])} …)"
        )
    return report


def read_spec(path: Path) -> TrainedModelSpec:
    """Read the description of the model that `save` stored.

    Raises:
        ModelError: the file cannot be read or does not describe a model.
    """
    text = read_metadata(path)
    try:
        return TrainedModelSpec.from_json(text)
    except ModelError as error:
        raise ModelError(f"{str(path)!r}: {error}") from error


def spec_of(weights: object) -> TrainedModelSpec | None:
    """The description of the model in `weights=`; None if these weights have none.

    Weights that cannot be read have none, too: the error is that of `load`.
    """
    path = shipped_weights() if weights == SHIPPED else Path(str(weights))
    if path.suffix != ".npz":
        return None
    try:
        return read_spec(path)
    except ModelError:
        return None


def read_metadata(path: Path) -> str:
    """Read the metadata that `save` stored.

    Raises:
        ModelError: the file cannot be read or has no metadata.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return str(arrays[METADATA_ENTRY])
    except (OSError, ValueError, BadZipFile) as error:
        raise ModelError(f"cannot read weights {str(path)!r}: {error}") from error
    except KeyError:
        raise ModelError(
            f"{str(path)!r} has no {METADATA_ENTRY!r}: expected weights written by vidan train"
        ) from None


def save(model: keras.Model, path: Path, dtype: str = "float32", metadata: str = "") -> None:
    """Save all variables of the model and its metadata in a compressed `.npz`.

    Args:
        model: the model.
        path: the file.
        dtype: type of the stored values; float16 halves the file.
        metadata: JSON that describes the model.

    Raises:
        ModelError: a value is not finite in this type.
    """
    arrays = {name: np.asarray(v, dtype) for name, v in variables(model).items()}
    not_finite = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if not_finite:
        raise ModelError(f"weights are not finite in {dtype}: {', '.join(not_finite)}")
    arrays[METADATA_ENTRY] = np.array(metadata)
    with replaced(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
