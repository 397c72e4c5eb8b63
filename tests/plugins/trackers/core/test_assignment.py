"""Which detection goes to which track."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from vidan_plugins.trackers.core.assignment import assign, assign_overlaps, best_pairs, others

shapes = st.tuples(st.integers(0, 5), st.integers(0, 5))
costs = shapes.flatmap(lambda s: arrays(np.float64, s, elements=st.floats(0, 1)))


def pairs(result):
    return [(int(r), int(c)) for r, c in zip(*result, strict=True)]


@pytest.mark.parametrize("solve", [assign, assign_overlaps])
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_pair(solve, shape):
    assert pairs(solve(np.zeros(shape), 0.5)) == []


def test_the_total_decides_not_the_best_pair():
    # greedy would take 0.1 and be left with 0.6: 0.7; crosswise it is 0.2 + 0.3
    assert pairs(assign(np.array([[0.1, 0.2], [0.3, 0.6]]), 1.0)) == [(0, 1), (1, 0)]


def test_pairs_above_the_limit_do_not_decide():
    # 0.9 and inf are forbidden alike, so (0, 0) at 0.1 stands, whatever (1, 1) costs
    assert pairs(assign(np.array([[0.1, 0.2], [0.9, np.inf]]), 0.5)) == [(0, 0)]


def test_a_cost_at_the_limit_is_good():
    assert pairs(assign(np.array([[0.5]]), 0.5)) == [(0, 0)]
    assert pairs(assign(np.array([[0.5 + 1e-9]]), 0.5)) == []


def test_no_cost_is_good():
    assert pairs(assign(np.full((2, 2), np.inf), 0.5)) == []


def test_overlaps_where_the_threshold_leaves_no_choice():
    # crosswise is 0.29 + 0.29, more than 0.31, but both would be below the threshold
    assert pairs(assign_overlaps(np.array([[0.31, 0.29], [0.29, 0.0]]), 0.3)) == [(0, 0)]


def test_overlaps_below_the_threshold_count_in_the_total_as_in_the_release():
    # row 0 has a choice; (0, 1) + (1, 0) = 0.4 + 0.25 is the greatest total, and 0.25 goes
    assert pairs(assign_overlaps(np.array([[0.5, 0.4], [0.25, 0.0]]), 0.3)) == [(0, 1)]


@settings(deadline=None)
@given(costs, st.floats(0, 1))
def test_pairs_are_one_to_one_good_and_the_cheapest(cost, limit):
    rows, columns = assign(cost, limit)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    assert (cost[rows, columns] <= limit).all()
    assert (np.diff(rows) > 0).all()

    def total(chosen):  # what is not paired costs a little more than the limit
        dear = limit + 1e-5
        free = min(cost.shape) - len(chosen)
        return sum(cost[r, c] for r, c in chosen) + free * dear

    wide = cost if cost.shape[0] <= cost.shape[1] else cost.T
    best = min(
        total([(r, c) if wide is cost else (c, r) for r, c in enumerate(p) if wide[r, c] <= limit])
        for p in itertools.permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert total(pairs((rows, columns))) == pytest.approx(best, abs=1e-9)


@settings(deadline=None)
@given(costs, st.floats(0, 1), st.randoms())
def test_the_order_of_rows_does_not_matter_but_for_ties(cost, limit, random):
    order = list(range(len(cost)))
    random.shuffle(order)
    for solve in (assign, assign_overlaps):
        plain = solve(cost, limit)
        mixed = solve(cost[order].reshape(cost.shape), limit)
        assert (
            cost[plain].sum() == pytest.approx(cost[order][mixed].sum(), abs=1e-9)
            or len(np.unique(cost)) < cost.size
        )


@pytest.mark.parametrize("solve", [assign, assign_overlaps])
def test_where_another_solver_pairs_otherwise_it_is_a_tie(solve):
    # SciPy's matching of sparse graphs is LAPJVsp (Jonker and Volgenant), and leaves out zeros:
    # so 1 is added. Quarters are exact, and of a few of them many totals are alike.
    rng, otherwise = np.random.default_rng(0), 0
    for _ in range(300):
        values = rng.integers(1, 5, rng.integers(2, 7, 2)) / 4
        best = solve is assign_overlaps
        ours = solve(values, 0.0) if best else solve(values, 1.0)
        theirs = min_weight_full_bipartite_matching(csr_array(1 + values), maximize=best)
        assert len(ours[0]) == min(values.shape)
        assert values[ours].sum() == values[theirs].sum()
        otherwise += set(pairs(ours)) != set(pairs(theirs))
    assert otherwise > 0


def test_others_are_those_not_taken():
    assert others(5, np.array([3, 0])).tolist() == [1, 2, 4]
    assert others(0, np.zeros(0, np.intp)).tolist() == []


@pytest.mark.parametrize("seed", range(40))
def test_pairs_in_dispute_are_solved_and_the_others_are_what_the_solver_says(seed):
    rng = np.random.default_rng(seed)
    gain = np.maximum(rng.uniform(-1, 1, rng.integers(1, 12, 2)), 0.0)
    if seed % 2:
        gain = np.round(gain * 4) / 4  # ties
    rows, columns = np.nonzero(gain)
    chosen = best_pairs(rows, columns, gain[rows, columns])
    assert len(set(rows[chosen])) == len(set(columns[chosen])) == len(chosen)
    assert (np.diff(rows[chosen]) > 0).all()
    best = gain[linear_sum_assignment(gain, maximize=True)].sum()
    assert gain[rows[chosen], columns[chosen]].sum() == pytest.approx(best)
