"""Checkpoints: everything a run needs to go on, in one `.npz`."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from vidan.errors import ModelError

from .weights import variables


def save_checkpoint(model: keras.Model, path: Path, epoch: int, best: float) -> None:
    """Weights, statistics, optimiser and its averages after `epoch` whole epochs.

    Written beside the old file and then put in its place: a kill leaves one or the other.
    """
    arrays = {f"model/{name}": np.asarray(v) for name, v in variables(model).items()}
    arrays |= {f"optimizer/{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, epoch=np.array(epoch), best=np.array(best), **arrays)
    temporary.replace(path)


def load_checkpoint(model: keras.Model, path: Path) -> tuple[int, float]:
    """Put a checkpoint into a compiled model; returns the whole epochs done and the best AP50."""
    model.optimizer.build(model.trainable_variables)
    targets = {f"model/{name}": v for name, v in variables(model).items()}
    targets |= {f"optimizer/{i}": v for i, v in enumerate(model.optimizer.variables)}
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    epoch, best = int(arrays.pop("epoch")), float(arrays.pop("best"))
    if {n: a.shape for n, a in arrays.items()} != {n: tuple(v.shape) for n, v in targets.items()}:
        raise ModelError(
            f"{str(path)!r} is of another model or recipe: resume=false starts anew, "
            "output=<folder> keeps both"
        )
    for name, variable in targets.items():
        variable.assign(arrays[name])
    return epoch, best
