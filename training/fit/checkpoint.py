"""Checkpoints: everything a run needs to go on, in one `.npz`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from vidan.errors import ModelError

from ..weights.npz import variables


@dataclass(slots=True)
class State:
    """How far a run is.

    Attributes:
        epoch: whole epochs done.
        best: the best mAP on validation so far, in [0,1].
        stale: evaluations since then.
    """

    epoch: int = 0
    best: float = 0.0
    stale: int = 0


def save_checkpoint(model: keras.Model, path: Path, state: State) -> None:
    """Weights, statistics, optimizer and its averages after `state.epoch` whole epochs.

    Written beside the old file and then put in its place: a kill leaves one or the other.
    """
    arrays = {f"model/{name}": np.asarray(v) for name, v in variables(model).items()}
    arrays |= {f"optimizer/{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    counts = {n: np.array(getattr(state, n)) for n in ("epoch", "best", "stale")}
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **counts, **arrays)
    temporary.replace(path)


def load_checkpoint(model: keras.Model, path: Path) -> State:
    """Put a checkpoint into a compiled model; returns how far the run was."""
    model.optimizer.build(model.trainable_variables)
    targets = {f"model/{name}": v for name, v in variables(model).items()}
    targets |= {f"optimizer/{i}": v for i, v in enumerate(model.optimizer.variables)}
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        # Runs from before there was early stopping have no count of stale evaluations.
        stale = int(arrays.pop("stale", np.array(0)))
        state = State(int(arrays.pop("epoch")), float(arrays.pop("best")), stale)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"cannot read checkpoint {str(path)!r}: {error}; resume=false starts anew"
        ) from error
    if {n: a.shape for n, a in arrays.items()} != {n: tuple(v.shape) for n, v in targets.items()}:
        raise ModelError(
            f"{str(path)!r} is of another model or recipe: resume=false starts anew, "
            "output=<folder> keeps both"
        )
    for name, variable in targets.items():
        variable.assign(arrays[name])
    return state
