import pytest

from vidan.events import APPEARED, Event
from vidan.stats import WINDOW, Series, Stats


def appeared(track, **data):
    return Event(str(track), APPEARED, "start", "a", "presence", 0.0, 0, track, "cat", data=data)


def test_percentiles_of_a_hundred_measurements():
    series = Series()
    for ms in range(101):  # 0, 1, …, 100 ms: the p-th percentile is p ms
        series.add(ms / 1e3)
    assert series.summary() == {"count": 101, "p50": 50, "p95": 95, "p99": 99, "max": 100}


def test_the_maximum_outlives_the_window():
    series = Series()
    series.add(1.0)
    for _ in range(WINDOW):
        series.add(0.001)
    assert series.summary()["max"] == 1000
    assert series.summary()["p99"] == pytest.approx(1)
    assert series.summary()["count"] == WINDOW + 1


def test_nothing_measured():
    assert Series().summary() == {}
    assert Stats().fps == 0
    assert Stats().summary()["frames"] == 0


def test_fps_is_over_the_gaps_between_frames():
    stats = Stats()
    for n in range(5):  # five frames, half a second apart: four gaps in 2 s
        stats.frame_done(10 + n / 2, {"detector": 0.01}, 3)
        stats.events_emitted([appeared(n)])
    assert stats.fps == 2
    summary = stats.summary()
    assert (summary["detections"], summary["objects"]) == (15, {"cat": 5})
    assert summary["stages_ms"]["detector"]["p50"] == 10


def test_an_object_that_returns_is_not_counted_again():
    stats = Stats()
    stats.events_emitted([appeared(1), appeared(1, returned=True)])
    assert stats.objects == {"cat": 1}
    assert stats.summary()["events"] == {"object.appeared": 2}


def test_counts_of_several_streams_add_up():
    parts = [Stats(), Stats()]
    for n, part in enumerate(parts):  # frames at 10 and 11 s, and at 10.5 and 12 s: 3 gaps in 2 s
        part.frame_done(10 + n / 2, {}, 3)
        part.frame_done(11 + n, {}, 1)
        part.events_emitted([appeared(n)])
    total = Stats.total(parts)
    assert (total.frames, total.detections, total.fps) == (4, 8, 1.5)
    assert total.objects == {"cat": 2}
