"""SciPy's `linear_sum_assignment`, without the rest of SciPy.

Importing `scipy.optimize` takes longer than opening a model, and a tracker needs one function of
it, which is a C++ extension of its own (Crouse 2016, doi 10.1109/TAES.2016.140952). Where SciPy
keeps it is SciPy's own affair: where it is not found, the whole package is imported.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Solver = Callable[..., tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]


def _alone() -> Solver | None:
    """The function from its own extension; None if there is none, or it does not load."""
    package = importlib.util.find_spec("scipy")
    folders = () if package is None else package.submodule_search_locations or ()
    places = [str(Path(folder) / "optimize") for folder in folders]
    found = PathFinder.find_spec("scipy.optimize._lsap", places)
    if found is None or found.loader is None:
        return None
    try:
        extension: Any = importlib.util.module_from_spec(found)
        found.loader.exec_module(extension)
        return cast(Solver, extension.linear_sum_assignment)
    except (ImportError, AttributeError):
        return None


def _whole() -> Solver:
    from scipy.optimize import linear_sum_assignment

    return cast(Solver, linear_sum_assignment)


linear_sum_assignment: Solver = _alone() or _whole()
"""Rows and columns of the least total cost: see `scipy.optimize.linear_sum_assignment`."""
