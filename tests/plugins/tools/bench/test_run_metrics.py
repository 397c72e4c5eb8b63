"""Metrics of an artificial run, computed by hand."""

import pytest

from vidan.errors import ConfigError
from vidan_plugins.tools.bench.latency import median_frame
from vidan_plugins.tools.bench.run_metrics import combine, run_metrics
from vidan_plugins.tools.bench.runs import parse_trace


def event(name, frame, start_ms, ms, **more):
    args = {"frame": frame} | more
    times = {"ts": 1e3 * start_ms, "dur": 1e3 * ms, "tdur": 500 * ms}
    return {"ph": "X", "name": name, "args": args} | times


def artificial_run():
    """Frames every 100 ms; frame 2 is dropped and frame 5 is missing; time zero is at 2 s.

    Each is captured 10 ms after its time; detection takes 40 ms, and tracking takes 10 ms and
    ends 60 ms after capture. The sink is done 20 ms later. A frame takes 30 ms of CPU time.
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
    return parse_trace({"otherData": about, "traceEvents": events}, {}, spawned=100.0, seconds=3.0)


def test_whole_run():
    found = run_metrics(artificial_run(), burn_in=1)["run"]
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
    found = run_metrics(artificial_run(), burn_in=1)
    assert found["stages_ms"]["detector"] == pytest.approx(
        {"p50": 40, "p95": 40, "p99": 40, "max": 40, "cpu": 20}
    )
    assert found["ages_ms"]["result"]["p50"] == pytest.approx(60)
    assert found["ages_ms"]["sink.video"]["max"] == pytest.approx(80)


def test_the_median_frame_starts_at_its_capture():
    frame = median_frame(artificial_run(), burn_in=0)
    assert frame["source"] == pytest.approx({"start": -10, "end": 0, "cpu": 5})
    assert frame["detector"] == pytest.approx({"start": 10, "end": 50, "cpu": 20})


@pytest.mark.parametrize("burn_in", [5, 6, 100])
def test_too_few_frames(burn_in):
    with pytest.raises(ConfigError, match="more max_frames"):
        run_metrics(artificial_run(), burn_in)


def test_several_runs_are_summarized():
    runs = [{"run": {"fps": fps, "x": 1.0}} for fps in (10, 14, 11)]
    runs[0]["run"]["only here"] = 1
    found = combine(runs)["run"]
    assert found["fps"] == {"median": 11, "low": 10, "high": 14, "runs": [10, 14, 11]}
    assert set(found) == {"fps", "x"}
