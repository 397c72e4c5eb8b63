"""Which detection goes to which track: one to one, at the least cost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .solver import linear_sum_assignment

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

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
    # pairs that are alone in row and column are sure; only the others need the solver
    alone = (np.bincount(rows) == 1)[rows] & (np.bincount(columns) == 1)[columns]
    if alone.all():
        return rows, columns
    crowd = np.ix_(_which(rows[~alone]), _which(columns[~alone]))
    among = good[crowd]
    i, j = linear_sum_assignment(np.where(among, cost[crowd], limit + 1e-5))
    kept = among[i, j]
    taken = np.concatenate([rows[alone], crowd[0][i[kept], 0]])
    given = np.concatenate([columns[alone], crowd[1][0, j[kept]]])
    order = taken.argsort()
    return taken[order], given[order]


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


def _which(indices: Rows) -> Rows:
    """The numbers that occur among indices, each once, rising."""
    return np.bincount(indices).nonzero()[0]


def _if_unambiguous(good: npt.NDArray[np.bool_]) -> tuple[Rows, Rows] | None:
    """The pairs that are good, if no row and no column has two of them."""
    rows, columns = np.nonzero(good)
    if len(rows) == 0:
        return _NONE, _NONE
    alone = len(rows) <= min(good.shape) and bool((rows[1:] > rows[:-1]).all())
    return (rows, columns) if alone and np.bincount(columns).max() == 1 else None
