"""Figures of a made-up run whose numbers can be computed by hand."""

import pytest

from vidan.errors import ConfigError
from vidan_plugins.tools.bench.compare import compare, spreads
from vidan_plugins.tools.bench.environment import environment
from vidan_plugins.tools.bench.figures import figures, together
from vidan_plugins.tools.bench.latency import median_frame
from vidan_plugins.tools.bench.results import spread
from vidan_plugins.tools.bench.runs import read


def event(name, frame, start_ms, ms, **more):
    args = {"frame": frame} | more
    times = {"ts": 1e3 * start_ms, "dur": 1e3 * ms, "tdur": 500 * ms}
    return {"ph": "X", "name": name, "args": args} | times


def made_up():
    """Frames every 100 ms; frame 2 is dropped and frame 5 is missing; time zero is at 2 s.

    Each is captured 10 ms after its time, detected for 40 ms, tracked for 10 ms until 60 ms
    after it was captured, and shown 20 ms later. A frame costs 30 ms of CPU.
    """
    events = []
    for n in (0, 1, 2, 3, 4, 6):
        at = 100 * n
        events.append(event("source", n, at, 10, captured=1e3 * (at + 10)))
        if n != 2:
            events.append(event("detector", n, at + 20, 40))
            events.append(event("tracker", n, at + 60, 10, process_cpu=0.030 * n))
            events.append(event("sink.video", n, at + 80, 10))
    about = {"zero": 102.0, "peak_memory_mb": 321.0}
    return read({"otherData": about, "traceEvents": events}, {}, spawned=100.0, seconds=3.0)


def test_whole_run():
    found = figures(made_up(), burn_in=1)["run"]
    # Tracked after the burn-in: 1, 3, 4, 6; the last is 500 ms after the first: 3 gaps.
    assert found["frames"] == 4
    assert found["fps"] == pytest.approx(6)
    assert found["cpu_ms"] == pytest.approx(30 * 5 / 3)
    assert (found["dropped"], found["skipped"]) == (1, 1)
    assert found["startup_s"] == pytest.approx(2)
    assert found["first_result_s"] == pytest.approx(2.09)
    assert found["closing_s"] == pytest.approx(3 - 2.67)
    assert found["peak_memory_mb"] == 321


def test_stages_and_ages():
    found = figures(made_up(), burn_in=1)
    assert found["stages_ms"]["detector"] == pytest.approx(
        {"p50": 40, "p95": 40, "p99": 40, "max": 40, "cpu": 20}
    )
    assert found["ages_ms"]["result"]["p50"] == pytest.approx(60)
    assert found["ages_ms"]["sink.video"]["max"] == pytest.approx(80)


def test_the_median_frame_starts_at_its_capture():
    frame = median_frame(made_up(), burn_in=0)
    assert frame["source"] == pytest.approx({"start": -10, "end": 0, "cpu": 5})
    assert frame["detector"] == pytest.approx({"start": 10, "end": 50, "cpu": 20})


@pytest.mark.parametrize("burn_in", [5, 6, 100])
def test_too_few_frames(burn_in):
    with pytest.raises(ConfigError, match="more max_frames"):
        figures(made_up(), burn_in)


def test_spreads_over_several_runs():
    runs = [{"run": {"fps": fps, "x": 1.0}} for fps in (10, 14, 11)]
    runs[0]["run"]["only here"] = 1
    found = together(runs)["run"]
    assert found["fps"] == {"median": 11, "low": 10, "high": 14, "runs": [10, 14, 11]}
    assert set(found) == {"fps", "x"}


def outcome(fps, ms):
    about = environment() | {"date": "2026-01-01", "cpu": "one"}
    figures = {"run": {"fps": spread(fps)}, "ages_ms": {"result": {"p95": spread(ms)}}}
    return {"name": "r", "environment": about, "modes": {"file": {"figures": figures}}}


def test_only_differences_beyond_the_spread_count():
    a, b = outcome([10, 11, 12], [50, 55]), outcome([20, 21, 22], [54, 60])
    table = compare(a, b | {"environment": a["environment"] | {"cpu": "other"}})
    (fps, age) = table.rows
    assert fps[0] == "file fps"
    assert fps[3] == pytest.approx(21 / 11)
    assert fps[4] == "better"
    assert age[0] == "file ages_ms result p95"
    assert age[4] == "the same, inside the spread"
    assert "cpu: one and other" in table.note
    assert compare(b, a).rows[0][4] == "worse"


def test_one_run_has_no_spread():
    (row, *_) = compare(outcome([10], [1]), outcome([20], [1])).rows
    assert row[4].startswith("not known")


def test_nothing_in_common():
    with pytest.raises(ConfigError, match="no figure in common"):
        compare(outcome([1], [1]), outcome([1], [1]) | {"modes": {}})


def test_spreads_are_found_at_any_depth():
    assert dict(spreads({"figures": {"a": {"fps": spread([1])}}})).keys() == {"a fps"}
