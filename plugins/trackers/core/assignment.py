"""One-to-one assignment of detections to tracks at minimal total cost.

Pairs that nobody disputes are found directly; the rest goes to SciPy's
`linear_sum_assignment` (Crouse 2016, "On implementing 2D rectangular assignment algorithms").

Importing `scipy.optimize` takes longer than everything else a tracker imports, and this one
function lives in an extension of its own, `scipy.optimize._lsap`. It is therefore loaded from that
file, without the package around it. The file is private to SciPy: where it is missing, does not
load or has no such function, the public `scipy.optimize.linear_sum_assignment` is imported
instead, which is the same function.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Solver = Callable[..., tuple[Rows, Rows]]

OVER_LIMIT_COST = 1e-5
"""Cost of a pair above the limit, counted from the limit, whatever its own cost."""

_NONE = np.zeros(0, dtype=np.intp)


def assign(cost: Array, limit: float) -> tuple[Rows, Rows]:
    """Pairs of minimal total cost, none above `limit`.

    Every pair above the limit costs the same, slightly more than the limit, so that none
    of them influences how the others are paired (as in DeepSORT's release).

    Args:
        cost: (N,M), not NaN; may be infinite.
        limit: the highest cost of a pair.

    Returns:
        Rows (K,) and columns (K,) of the pairs, by ascending row.
    """
    rows, columns = np.nonzero(cost <= limit)
    if len(rows) == 0:
        return _NONE, _NONE
    chosen = best_pairs(rows, columns, limit + OVER_LIMIT_COST - cost[rows, columns])
    return rows[chosen], columns[chosen]


def assign_overlaps(overlap: Array, threshold: float) -> tuple[Rows, Rows]:
    """Pairs of maximal total overlap, none below a threshold.

    If the threshold alone leaves at most one partner for each row and column, these are the
    pairs. Otherwise overlaps below the threshold count in the total and are removed afterwards
    (as in SORT's release).

    Args:
        overlap: (N,M) in [0,1].
        threshold: the smallest overlap of a pair.

    Returns:
        Rows (K,) and columns (K,) of the pairs, by ascending row.
    """
    rows, columns = (overlap > threshold).nonzero()
    if len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows):
        return rows, columns
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    kept = overlap[rows, columns] >= threshold
    return rows[kept], columns[kept]


def assign_into(partner: Rows, rows: Rows, columns: Rows, cost: Array, limit: float) -> Rows:
    """Assign some detections to some tracks by `assign`, and write the pairs to `partner`.

    Args:
        partner: (T,), modified: the detection of each track.
        rows: (N,) the tracks to assign to.
        columns: (M,) the detections to assign.
        cost: (N,M).
        limit: the highest cost of a pair.

    Returns:
        The detections in `columns` that were not assigned.
    """
    row, column = assign(cost, limit)
    partner[rows[row]] = columns[column]
    return columns[unassigned(len(columns), column)]


def unassigned(count: int, assigned: Rows) -> Rows:
    """The indices below `count` that are not in `assigned`, ascending."""
    free = np.ones(count, dtype=np.bool_)
    free[assigned] = False
    return free.nonzero()[0]


def best_pairs(rows: Rows, columns: Rows, gain: Array) -> Rows:
    """The one-to-one subset of candidate pairs with maximal total gain.

    Args:
        rows: (K,) of each pair, ascending.
        columns: (K,) of each pair.
        gain: (K,), above 0.

    Returns:
        (L,), indices of the chosen pairs, ascending.
    """
    if len(rows) == 0:
        return _NONE
    if np.bincount(rows).max() == 1 and np.bincount(columns).max() == 1:
        return np.arange(len(rows))
    # A pair that gains more than the best other pair at its row and the best other pair at its
    # column together is optimal: whatever replaces it gains less. Most pairs need no solver.
    chosen = gain > _best_rival(rows, gain) + _best_rival(columns, gain)
    disputed = ~(_contained(rows, rows[chosen]) | _contained(columns, columns[chosen]))
    if not disputed.any():
        return chosen.nonzero()[0]
    pairs = disputed.nonzero()[0]
    row, column = _compact(rows[pairs]), _compact(columns[pairs])
    pair = np.full((row.max() + 1, column.max() + 1), -1, np.intp)
    pair[row, column] = pairs
    gains = np.zeros(pair.shape)
    gains[row, column] = gain[pairs]
    solved = pair[linear_sum_assignment(gains, maximize=True)]
    chosen[solved[solved >= 0]] = True
    return chosen.nonzero()[0]


def _best_rival(nodes: Rows, gain: Array) -> Array:
    """For pairs with nodes (K,) and gains (K,), the best gain of another pair at the node: (K,)."""
    best = np.zeros(int(nodes.max()) + 1)
    np.maximum.at(best, nodes, gain)
    top = gain == best[nodes]
    second = np.zeros(len(best))
    np.maximum.at(second, nodes[~top], gain[~top])
    ties = np.bincount(nodes[top], minlength=len(best)) > 1
    second[ties] = best[ties]
    return np.where(top, second[nodes], best[nodes])


def _compact(nodes: Rows) -> Rows:
    """The rank of each node (K,) among the distinct nodes, from 0: (K,)."""
    seen = np.zeros(int(nodes.max()) + 1, np.intp)
    seen[nodes] = 1
    return np.asarray(seen.cumsum()[nodes] - 1)


def _contained(nodes: Rows, among: Rows) -> npt.NDArray[np.bool_]:
    """Which of the nodes (K,) are among others: (K,)."""
    seen = np.zeros(int(nodes.max()) + 1, np.bool_)
    seen[among] = True
    return seen[nodes]


def _solver_from_extension() -> Solver | None:
    """SciPy's function from its extension file; None if that is not possible."""
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


def _solver_from_package() -> Solver:
    from scipy.optimize import linear_sum_assignment

    return cast(Solver, linear_sum_assignment)


linear_sum_assignment: Solver = _solver_from_extension() or _solver_from_package()
"""Rows and columns of minimal total cost: see `scipy.optimize.linear_sum_assignment`."""
