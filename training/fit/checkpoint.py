"""Checkpoints: everything a run needs to continue, in one `.npz`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np

from vidan.errors import ModelError
from vidan.support.replace import replaced

from ..weights.npz import variables


@dataclass(slots=True)
class TrainingState:
    """Progress of a run.

    Attributes:
        epoch: completed epochs.
        best: best mAP on validation so far, in [0,1].
        stale: evaluations since the best one.
    """

    epoch: int = 0
    best: float = 0.0
    stale: int = 0


def save_checkpoint(model: keras.Model, path: Path, state: TrainingState) -> None:
    """Save weights, statistics, the optimizer and its averages at the end of an epoch.

    An interruption leaves a complete file.
    """
    arrays = {f"model/{name}": np.asarray(v) for name, v in variables(model).items()}
    arrays |= {f"optimizer/{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    progress = {n: np.array(getattr(state, n)) for n in ("epoch", "best", "stale")}
    with replaced(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **progress, **arrays)


def load_checkpoint(model: keras.Model, path: Path) -> TrainingState:
    """Restore a checkpoint into a compiled model; return the progress of the run.

    Raises:
        ModelError: the file cannot be read, or is of another model or recipe.
    """
    model.optimizer.build(model.trainable_variables)
    targets = {f"model/{name}": v for name, v in variables(model).items()}
    targets |= {f"optimizer/{i}": v for i, v in enumerate(model.optimizer.variables)}
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        epoch, best, stale = (arrays.pop(name) for name in ("epoch", "best", "stale"))
        state = TrainingState(int(epoch), float(best), int(stale))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
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
