"""Comparison of two results."""

import pytest

from vidan.errors import ConfigError
from vidan_plugins.tools.bench.compare import compare, spreads
from vidan_plugins.tools.bench.environment import environment
from vidan_plugins.tools.bench.results import spread


def result(fps, ms):
    about = environment() | {"date": "2026-01-01", "cpu": "one"}
    metrics = {"run": {"fps": spread(fps)}, "ages_ms": {"result": {"p95": spread(ms)}}}
    return {"name": "r", "environment": about, "modes": {"file": {"figures": metrics}}}


def test_only_differences_beyond_the_range_of_runs_count():
    a, b = result([10, 11, 12], [50, 55]), result([20, 21, 22], [54, 60])
    table = compare(a, b | {"environment": a["environment"] | {"cpu": "other"}})
    (fps, age) = table.rows
    assert fps[0] == "file fps"
    assert fps[3] == pytest.approx(21 / 11)
    assert fps[4] == "better"
    assert age[0] == "file ages_ms result p95"
    assert age[4] == "equal, within the range of runs"
    assert "cpu: one and other" in table.note
    assert compare(b, a).rows[0][4] == "worse"


def test_a_single_run_has_no_range():
    (row, *_) = compare(result([10], [1]), result([20], [1])).rows
    assert row[4].startswith("unknown")


def test_nothing_in_common():
    with pytest.raises(ConfigError, match="no metric in common"):
        compare(result([1], [1]), result([1], [1]) | {"modes": {}})


def test_summaries_are_found_at_any_depth():
    assert dict(spreads({"figures": {"a": {"fps": spread([1])}}})).keys() == {"a fps"}
