import numpy as np
import pytest

import vidan
from vidan import ConfigError, Detections, Result, Tracks
from vidan.events import APPEARED, CONFIRMED, LEFT
from vidan.testing import AnalyzerSuite, frame
from vidan_plugins.analytics import presence
from vidan_plugins.analytics.presence import Presence


class TestPresence(AnalyzerSuite):
    def make(self, tmp_path):
        return Presence()


def result(index, *ids, missed=(), at=0.0, time=None):
    """Tracks of a 20 px box whose center is at (`at` + 10, 10), 10 frames a second."""
    n = len(ids)
    tracks = Tracks(
        np.array(ids, np.int64),
        np.tile(np.array([[at, 0, at + 20, 20]], np.float32), (n, 1)),
        np.ones(n, np.float32),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.array([-1 if i in missed else 0 for i in ids], np.int32),
    )
    one = frame(index, time=index / 10 if time is None else time)
    return Result(one, Detections.empty(), tracks, ("person",))


def told(events):
    return [(event.kind, event.track, event.frame) for event in events]


def test_an_object_appears_is_confirmed_and_leaves():
    analyzer, events = Presence(confirm_after=3, leave_after=1.0), []
    for index in range(30):  # seen in frames 0 to 9, and gone 1 s after frame 9, in frame 20
        events += analyzer.update(result(index, *([7] if index < 10 else [])))
        if index == 19:
            assert told(events) == [(APPEARED, 7, 0), (CONFIRMED, 7, 2)]
    assert told(events[2:]) == [(LEFT, 7, 9)]
    assert [event.phase for event in events] == ["start", "update", "end"]
    assert len({event.id for event in events}) == 1
    assert events[2].time == pytest.approx(0.9)
    assert events[2].data["duration"] == pytest.approx(0.9)
    assert events[2].data["delay"] == pytest.approx(1.1)
    assert analyzer.finish() == []


def test_only_detections_confirm():
    analyzer, events = Presence(confirm_after=3), []
    for index in range(8):  # detected in frames 0, 4 and 5 only
        missed = [] if index in (0, 4, 5) else [7]
        events += analyzer.update(result(index, 7, missed=missed))
    assert told(events)[1:] == [(CONFIRMED, 7, 5)]


def test_an_object_that_is_hidden_for_less_than_leave_after_has_not_left():
    analyzer, events = Presence(leave_after=1.0), []
    for index in range(25):
        events += analyzer.update(result(index, *([7] if index in (0, 10, 20) else [])))
    assert told(events) == [(APPEARED, 7, 0)]


def test_an_id_that_comes_back_begins_another_visit_and_is_confirmed_once():
    analyzer, events = Presence(confirm_after=1, leave_after=0.5), []
    for index in range(30):
        events += analyzer.update(result(index, *([7] if index in (0, 20) else [])))
    assert told(events) == [(APPEARED, 7, 0), (CONFIRMED, 7, 0), (LEFT, 7, 0), (APPEARED, 7, 20),
                            (LEFT, 7, 20)]  # fmt: skip
    assert [event.data.get("returned", False) for event in events] == [False] * 3 + [True] * 2
    assert events[0].id != events[3].id == events[4].id


def test_the_end_of_the_stream_ends_visits():
    analyzer = Presence()
    for index in range(5):
        analyzer.update(result(index, 7, 8))
    events = analyzer.finish()
    assert told(events) == [(LEFT, 7, 4), (LEFT, 8, 4)]
    assert events[0].data == {"duration": pytest.approx(0.4), "end_of_stream": True}


def test_a_clock_that_is_set_back_ends_no_visit():
    analyzer = Presence(leave_after=1.0)
    analyzer.update(result(0, 7, time=1e6))
    assert told(analyzer.update(result(1, 7, time=0.0))) == []
    assert told(analyzer.update(result(2, time=2.0))) == [(LEFT, 7, 1)]


def test_trails_cover_the_last_second():
    analyzer = Presence(trail=1.0)
    for index in range(30):  # centers at (10, 10), (15, 10), (20, 10), ...
        analyzer.update(result(index, 7, at=5.0 * index))
    (shape,) = analyzer.shapes()
    assert (shape.kind, shape.track) == ("path", 7)
    np.testing.assert_allclose(shape.points, [[10 + 5 * n, 10] for n in range(19, 30)])
    analyzer.update(result(30))
    assert analyzer.shapes() == []


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(presence, "MAX_REMEMBERED_IDS", 20)
    analyzer = Presence(leave_after=1.0)
    for index in range(200):
        analyzer.update(result(index, index))
    assert analyzer.remembered == 11 + 20  # of the last second, and of before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confirm_after": 0}, "analytics.confirm_after"),
        ({"leave_after": -1}, "analytics.leave_after"),
        ({"trail": -1}, "analytics.trail"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ConfigError, match=message):
        vidan.create("analytics", "presence", **options)
