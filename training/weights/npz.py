"""Weights from and to `.npz` files in Keras names, whole or partial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np

from vidan.errors import ModelError

from ..arrays import AnyArray

NOTE = "vidan.json"  # the entry of an `.npz` that says what the weights are of
SHIPPED = "shipped"  # said in place of a path
# Names that older Keras versions gave the same variables.
OLD_NAMES = {"depthwise_kernel": "kernel"}


def shipped() -> Path:
    """The weights of the model that comes with vidan."""
    return Path(str(files("vidan_plugins") / "models" / "facemask_lite0.npz"))


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was taken and what was not: names as `layer/variable`.

    Attributes:
        taken: variables of the model that now have the file's values.
        missing: variables of the model that the file does not have; they are as before.
        unused: entries of the file that the model has no variable for, or of another shape.
    """

    taken: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]


def variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Every variable of the model, statistics included, by `layer/variable`."""
    named: dict[str, keras.Variable] = {}
    for layer in model.layers:
        for variable in layer.variables:
            named[f"{layer.name}/{variable.name}"] = variable
    return named


def read_npz(path: Path) -> dict[str, AnyArray]:
    """All arrays of an `.npz` by name."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files if name != NOTE}
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read weights {str(path)!r}: {error}") from error


def put(model: keras.Model, arrays: Mapping[str, AnyArray]) -> Loaded:
    """Copy arrays into the model's variables of the same name and shape."""
    named = variables(model)
    taken, unused = [], []
    for name, array in arrays.items():
        layer, _, last = name.rpartition("/")
        known = name if name in named else f"{layer}/{OLD_NAMES.get(last, last)}"
        if known in named and tuple(named[known].shape) == array.shape:
            named[known].assign(array.astype(np.float32))
            taken.append(known)
        else:
            unused.append(name)
    missing = sorted(set(named) - set(taken))
    return Loaded(tuple(sorted(taken)), tuple(missing), tuple(sorted(unused)))


def load(model: keras.Model, path: Path) -> Loaded:
    """Weights from an `.npz` in Keras names, or of a Lite classifier from a `.tflite`."""
    if path.suffix == ".tflite":
        from .tflite import lite_weights

        arrays = lite_weights(path)
    else:
        arrays = read_npz(path)
    loaded = put(model, arrays)
    if not loaded.taken:
        raise ModelError(
            f"{str(path)!r} has no weight of this model (it has {', '.join(list(arrays)[:3])} …)"
        )
    return loaded


def read_note(path: Path) -> str:
    """The note that `save` was given."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return str(arrays[NOTE])
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read weights {str(path)!r}: {error}") from error
    except KeyError:
        raise ModelError(
            f"{str(path)!r} has no {NOTE!r}: expected weights that vidan train wrote"
        ) from None


def save(model: keras.Model, path: Path, dtype: str = "float32", note: str = "") -> None:
    """Every variable of the model, and a note, into a compressed `.npz`; float16 halves it."""
    arrays = {name: np.asarray(v, dtype) for name, v in variables(model).items()}
    not_finite = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if not_finite:
        raise ModelError(f"weights are not finite in {dtype}: {', '.join(not_finite)}")
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays, **{NOTE: np.array(note)})
    temporary.replace(path)
