"""Assignment of detections to tracks, and the solver that SciPy provides."""

import itertools
import subprocess
import sys
from importlib.machinery import PathFinder

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from vidan_plugins.trackers.core import assignment
from vidan_plugins.trackers.core.assignment import (
    assign,
    assign_into,
    assign_overlaps,
    best_pairs,
    unassigned,
)

HEAVY = ("scipy.optimize", "scipy.stats", "filterpy")

shapes = st.tuples(st.integers(0, 5), st.integers(0, 5))
costs = shapes.flatmap(lambda s: arrays(np.float64, s, elements=st.floats(0, 1)))


def pairs(result):
    return [(int(r), int(c)) for r, c in zip(*result, strict=True)]


@pytest.mark.parametrize("solve", [assign, assign_overlaps])
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_pair(solve, shape):
    assert pairs(solve(np.zeros(shape), 0.5)) == []


def test_the_total_cost_decides_not_the_best_pair():
    # a greedy choice is 0.1 + 0.6 = 0.7; the other pairing is 0.2 + 0.3
    assert pairs(assign(np.array([[0.1, 0.2], [0.3, 0.6]]), 1.0)) == [(0, 1), (1, 0)]


def test_pairs_above_the_limit_do_not_influence_others():
    # 0.9 and inf are both above the limit, so (0, 0) at 0.1 is chosen, whatever (1, 1) costs
    assert pairs(assign(np.array([[0.1, 0.2], [0.9, np.inf]]), 0.5)) == [(0, 0)]


def test_a_cost_at_the_limit_is_allowed():
    assert pairs(assign(np.array([[0.5]]), 0.5)) == [(0, 0)]
    assert pairs(assign(np.array([[0.5 + 1e-9]]), 0.5)) == []


def test_all_costs_above_the_limit():
    assert pairs(assign(np.full((2, 2), np.inf), 0.5)) == []


def test_overlaps_without_ambiguity_above_the_threshold():
    # the other pairing is 0.29 + 0.29, more than 0.31, but both are below the threshold
    assert pairs(assign_overlaps(np.array([[0.31, 0.29], [0.29, 0.0]]), 0.3)) == [(0, 0)]


def test_overlaps_below_the_threshold_count_in_the_total_as_in_the_release():
    # row 0 has a choice; (0, 1) + (1, 0) = 0.4 + 0.25 is the largest total; 0.25 is removed
    assert pairs(assign_overlaps(np.array([[0.5, 0.4], [0.25, 0.0]]), 0.3)) == [(0, 1)]


@settings(deadline=None)
@given(costs, st.floats(0, 1))
def test_pairs_are_one_to_one_within_the_limit_and_minimal(cost, limit):
    rows, columns = assign(cost, limit)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    assert (cost[rows, columns] <= limit).all()
    assert (np.diff(rows) > 0).all()

    def total(chosen):  # an unpaired row costs slightly more than the limit
        unpaired = min(cost.shape) - len(chosen)
        return sum(cost[r, c] for r, c in chosen) + unpaired * (limit + 1e-5)

    wide = cost if cost.shape[0] <= cost.shape[1] else cost.T
    best = min(
        total([(r, c) if wide is cost else (c, r) for r, c in enumerate(p) if wide[r, c] <= limit])
        for p in itertools.permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert total(pairs((rows, columns))) == pytest.approx(best, abs=1e-9)


@settings(deadline=None)
@given(costs, st.floats(0, 1), st.randoms())
def test_the_order_of_rows_matters_for_ties_only(cost, limit, random):
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
def test_another_solver_differs_in_ties_only(solve):
    # SciPy's matching of sparse graphs is LAPJVsp (Jonker and Volgenant), and ignores zeros:
    # so 1 is added. Quarters are exact, and many of their totals are equal.
    rng, different = np.random.default_rng(0), 0
    for _ in range(300):
        values = rng.integers(1, 5, rng.integers(2, 7, 2)) / 4
        best = solve is assign_overlaps
        ours = solve(values, 0.0) if best else solve(values, 1.0)
        theirs = min_weight_full_bipartite_matching(csr_array(1 + values), maximize=best)
        assert len(ours[0]) == min(values.shape)
        assert values[ours].sum() == values[theirs].sum()
        different += set(pairs(ours)) != set(pairs(theirs))
    assert different > 0


def test_unassigned_indices():
    assert unassigned(5, np.array([3, 0])).tolist() == [1, 2, 4]
    assert unassigned(0, np.zeros(0, np.intp)).tolist() == []


@pytest.mark.parametrize("seed", range(40))
def test_best_pairs_has_the_same_total_as_the_solver(seed):
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


def test_assign_into_writes_the_pairs_and_returns_the_detections_left():
    partner = np.full(4, -1, np.intp)
    cost = np.array([[0.1, 0.9, 0.9], [0.9, 0.9, 0.2]])
    left = assign_into(partner, np.array([1, 3]), np.array([5, 6, 7]), cost, 0.5)
    assert partner.tolist() == [-1, 5, -1, 7]
    assert left.tolist() == [6]


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize(
    "make", [assignment._solver_from_extension, assignment._solver_from_package]
)
def test_both_ways_lead_to_scipys_function(make, maximize):
    solve = make()
    cost = np.random.default_rng(0).random((5, 8))
    np.testing.assert_array_equal(solve(cost, maximize), linear_sum_assignment(cost, maximize))


@pytest.mark.parametrize("found", [None, PathFinder.find_spec("json")])
def test_the_package_is_used_if_the_extension_is_elsewhere(monkeypatch, found):
    monkeypatch.setattr(PathFinder, "find_spec", lambda *_: found)
    assert assignment._solver_from_extension() is None


@pytest.mark.parametrize("tracker", ["steady", "sort", "bytetrack", "deepsort"])
def test_no_tracker_imports_what_it_does_not_need(tracker):
    code = (
        "import sys; from vidan.config.build import build\n"
        f"build('tracker', {{'name': {tracker!r}}})\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
