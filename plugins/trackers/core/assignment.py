"""Which detection goes to which track: one to one, at the least cost."""

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


Array = npt.NDArray[np.float64]


Rows = npt.NDArray[np.intp]


DEARER = 1e-5
"""What a pair that is too dear costs beyond the limit, whatever its own cost."""


_NONE = np.zeros(0, dtype=np.intp)


def assign(cost: Array, limit: float) -> tuple[Rows, Rows]:
    """Pairs of the least total cost, none dearer than `limit`.

    Every pair above the limit costs the same, a little more than the limit, so that none
    of them decides how the others are paired (as in DeepSORT's release).

    Args:
        cost: (N,M), not NaN; may be infinite.
        limit: the highest cost of a pair.

    Returns:
        Rows (K,) and columns (K,) of the pairs, by rising row.
    """
    good = cost <= limit
    rows, columns = np.nonzero(good)
    if len(rows) == 0:
        return _NONE, _NONE
    chosen = best_pairs(rows, columns, limit + DEARER - cost[rows, columns])
    return rows[chosen], columns[chosen]


def best_pairs(rows: Rows, columns: Rows, gain: Array) -> Rows:
    """Of possible pairs, those that go together, one to one, and gain most in all.

    Args:
        rows: (K,) of each pair, rising.
        columns: (K,) of each pair.
        gain: (K,), above 0.

    Returns:
        (L,), which of the pairs, rising.
    """
    if len(rows) == 0:
        return _NONE
    if np.bincount(rows).max() == 1 and np.bincount(columns).max() == 1:
        return np.arange(len(rows))
    sure = gain > _others_best(rows, gain) + _others_best(columns, gain)
    left = ~(_among(rows, rows[sure]) | _among(columns, columns[sure]))
    if not left.any():
        return sure.nonzero()[0]
    unsure = left.nonzero()[0]
    row, column = _numbered(rows[unsure]), _numbered(columns[unsure])
    pair = np.full((row.max() + 1, column.max() + 1), -1, np.intp)
    pair[row, column] = unsure
    among = np.zeros(pair.shape)
    among[row, column] = gain[unsure]
    solved = pair[linear_sum_assignment(among, maximize=True)]
    sure[solved[solved >= 0]] = True
    return sure.nonzero()[0]


def _others_best(ends: Rows, gain: Array) -> Array:
    """Of pairs with these ends (K,) and gains (K,), the best gain of another at the same end: (K,).

    A pair that gains more than the best others at both of its ends together is in the best
    assignment: whatever has its ends instead gains less. Most pairs are, and need no solver.
    """
    best = np.zeros(int(ends.max()) + 1)
    np.maximum.at(best, ends, gain)
    top = gain == best[ends]
    second = np.zeros(len(best))
    np.maximum.at(second, ends[~top], gain[~top])
    ties = np.bincount(ends[top], minlength=len(best)) > 1
    second[ties] = best[ties]
    return np.where(top, second[ends], best[ends])


def _numbered(ends: Rows) -> Rows:
    """The number of each end (K,) among the different ends, from 0 by rising end: (K,)."""
    seen = np.zeros(int(ends.max()) + 1, np.intp)
    seen[ends] = 1
    return np.asarray(seen.cumsum()[ends] - 1)


def _among(ends: Rows, taken: Rows) -> npt.NDArray[np.bool_]:
    """Which of the ends (K,) are taken: (K,)."""
    seen = np.zeros(int(ends.max()) + 1, np.bool_)
    seen[taken] = True
    return seen[ends]


def assign_overlaps(overlap: Array, threshold: float) -> tuple[Rows, Rows]:
    """Pairs of the greatest total overlap, without those below a threshold.

    Where the threshold alone leaves each row and column one partner at most, those are the
    pairs. Otherwise overlaps below the threshold count in the total, and are dropped after
    (as in SORT's release).

    Args:
        overlap: (N,M) in [0,1].
        threshold: the least overlap of a pair.

    Returns:
        Rows (K,) and columns (K,) of the pairs, by rising row.
    """
    simple = _if_unambiguous(overlap > threshold)
    if simple is not None:
        return simple
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    kept = overlap[rows, columns] >= threshold
    return rows[kept], columns[kept]


def give(partner: Rows, rows: Rows, columns: Rows, cost: Array, limit: float) -> Rows:
    """Pair some tracks with some detections by `assign`, and note the pairs.

    Args:
        partner: (T,), written to: the detection of each track.
        rows: (N,) the tracks to pair.
        columns: (M,) the detections to pair.
        cost: (N,M).
        limit: the highest cost of a pair.

    Returns:
        The detections that are left of `columns`.
    """
    taken, given = assign(cost, limit)
    partner[rows[taken]] = columns[given]
    return columns[others(len(columns), given)]


def others(count: int, taken: Rows) -> Rows:
    """The indices below `count` that are not in `taken`, rising."""
    left = np.ones(count, dtype=np.bool_)
    left[taken] = False
    return left.nonzero()[0]


def _if_unambiguous(good: npt.NDArray[np.bool_]) -> tuple[Rows, Rows] | None:
    """The pairs that are good, if no row and no column has two of them."""
    rows, columns = good.nonzero()
    alone = len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    return (rows, columns) if alone else None
