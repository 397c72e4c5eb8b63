"""The assignment's solver is SciPy's, and comes without the rest of it."""

import subprocess
import sys
from importlib.machinery import PathFinder

import numpy as np
import pytest
import scipy.optimize

from vidan_plugins.trackers.core import assignment as solver

HEAVY = ("scipy.optimize", "scipy.stats", "filterpy")


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("make", [solver._alone, solver._whole])
def test_both_ways_lead_to_scipys_function(make, maximize):
    solve = make()
    cost = np.random.default_rng(0).random((5, 8))
    ours, theirs = solve(cost, maximize), scipy.optimize.linear_sum_assignment(cost, maximize)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("found", [None, PathFinder.find_spec("json")])
def test_where_scipy_keeps_it_elsewhere_the_whole_package_serves(monkeypatch, found):
    monkeypatch.setattr(PathFinder, "find_spec", lambda *_: found)
    assert solver._alone() is None


@pytest.mark.parametrize("tracker", ["steady", "sort", "bytetrack", "deepsort"])
def test_no_tracker_imports_what_it_does_not_need(tracker):
    code = (
        "import sys; from vidan.config.build import build\n"
        f"build('tracker', {{'name': {tracker!r}}})\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
