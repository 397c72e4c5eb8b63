"""Statistics and events beside the image."""

import json

import pytest

from tests.plugins.sinks.web.results import result
from vidan import Event
from vidan.events import APPEARED
from vidan.interfaces import StatsAware
from vidan.stats import Stats
from vidan_plugins.analytics.presence import Presence
from vidan_plugins.sinks.web.live_stats import MAX_EVENTS, LiveStats


def event(kind, track):
    label = None if track is None else "person"
    return Event("1", kind, "point", "door", "door", 0.0, 0, track, label)


def texts(live_stats):
    return [event["text"] for event in live_stats.snapshot()["events"]]


def test_frames_drops_and_objects_equal_those_of_the_summary(web, ask):
    assert isinstance(web, StatsAware)
    stats = Stats()
    web.bind_stats(stats)
    stats.frame_captured(2, 0.0)  # the source skipped 0 and 1
    stats.dropped = 5
    stats.still = 4
    stats.frame_done(1.0, {}, 1)
    stats.events_emitted([event(APPEARED, track) for track in (1, 2, 3)])
    web.write(result(2, [7]))
    web.write(
        result(9, [7])
    )  # a gap in the index is not a dropped frame: the sink receives only the newest
    lines = ask(web, "/metrics").read().decode().splitlines()
    stream = f'stream="{result(0).frame.stream}"'
    assert f"vidan_frames_total{{{stream}}} 1.0" in lines
    assert f"vidan_dropped_frames_total{{{stream}}} 5.0" in lines
    assert f"vidan_skipped_frames_total{{{stream}}} 2.0" in lines
    assert f"vidan_still_frames_total{{{stream}}} 4.0" in lines
    assert f'vidan_objects{{label="person",{stream}}} 1.0' in lines
    assert f'vidan_appeared_objects_total{{label="person",{stream}}} 3.0' in lines


def test_an_object_that_is_hidden_briefly_has_not_left():
    live_stats, presence = LiveStats(), Presence(leave_after=3.0)
    for index in range(31):  # 3 s
        live_stats.add_events(presence.update(result(index, [1] if index in (0, 30) else [])))
    assert texts(live_stats) == ["person #1 appeared"]
    live_stats.add_events(presence.update(result(61)))
    assert texts(live_stats) == ["person #1 left", "person #1 appeared"]


def test_objects_do_not_leave_at_the_end_of_the_stream():
    live_stats, presence = LiveStats(), Presence()
    live_stats.add_events(presence.update(result(0, [1])))
    live_stats.add_events(presence.finish())
    assert texts(live_stats) == ["person #1 appeared"]


def test_number_and_length_of_events_are_limited():
    live_stats = LiveStats()
    live_stats.add_events([event("line." + "x" * 500, None)] * (MAX_EVENTS + 5))
    assert texts(live_stats) == ["door line." + "x" * 190] * MAX_EVENTS
    live_stats.add_events([event("line.crossed", 7)])
    assert texts(live_stats)[0] == "door line.crossed: person #7"


def test_memory_is_limited_without_viewers(monkeypatch):
    clock = iter(range(100_000))
    monkeypatch.setattr("vidan_plugins.sinks.web.live_stats.time.monotonic", lambda: next(clock))
    live_stats = LiveStats()
    for index in range(500):
        live_stats.add(result(index, [index]))
    snapshot = live_stats.snapshot()
    assert snapshot["fps"] <= 3 / 2  # of at most 3 results within 2 s
    assert len(snapshot["latency"]) == 180


def test_latency_is_the_maximum_of_each_second(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("vidan_plugins.sinks.web.live_stats.time.monotonic", lambda: now[0])
    live_stats = LiveStats()
    for at, captured in [(100.2, 100.1), (100.6, 100.3), (100.9, 100.8), (101.5, 101.3)]:
        now[0] = at
        one = result(0)
        object.__setattr__(one.frame, "captured", captured)
        live_stats.add(one)
    assert live_stats.snapshot()["latency"] == [(0, 0.3), (1, 0.2)]
    assert live_stats.snapshot()["age"] == pytest.approx(0.2)


def test_before_the_first_frame_there_is_no_age():
    snapshot = LiveStats().snapshot()
    assert (snapshot["age"], snapshot["stream"], snapshot["fps"], snapshot["frames"]) == (
        None,
        None,
        0,
        0,
    )
    json.dumps(snapshot, allow_nan=False)
