import threading

import pytest

from vidan_plugins.sources import pacing as clock
from vidan_plugins.sources.pacing import Pace, StreamTime


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([7.0, 7.04, 7.2, 8.2], [0, 0.04, 0.2, 1.2]),  # begins at 0, keeps a variable rate
        ([None, None, None], [0, 0.1, 0.2]),  # no timestamps: by the step
        ([None, 5.0, 5.3], [0, 0.1, 0.4]),  # a first one without: the second comes a step later
        ([1.0, None, 1.3], [0, 0.1, 0.3]),
        ([1.0, 1.0, 1.5], [0, 0.001, 0.5]),  # twice the same: rises by the least there is
        ([1.0, 1.4, 1.2, 1.5], [0, 0.4, 0.401, 0.5]),  # a small step back: what follows stays
        ([9.0, 9.1, 0.0, 0.1], [0, 0.1, 0.2, 0.3]),  # a jump back: a new beginning
        ([0.0, 9.0], [0, 9.0]),  # a jump ahead is a real pause
    ],
)
def test_stream_time(stamps, times):
    stream_time = StreamTime()
    assert [stream_time.of(stamp, 0.1) for stamp in stamps] == pytest.approx(times)


def test_stream_time_goes_on_where_the_timestamps_begin_anew():
    stream_time = StreamTime()
    first = [stream_time.of(stamp, 0.1) for stamp in (3.0, 3.5)]
    stream_time.restart()
    second = [stream_time.of(stamp, 0.1) for stamp in (3.0, 3.5)]
    assert [*first, *second] == pytest.approx([0, 0.5, 0.6, 1.1])


@pytest.fixture
def waits(monkeypatch):
    """What a pace waited for, on a clock that only waiting moves on."""
    stop, waited, now = threading.Event(), [], [100.0]

    def wait(seconds):
        waited.append(seconds)
        now[0] += seconds
        return False

    monkeypatch.setattr(stop, "wait", wait)
    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    return stop, waited, now


def test_a_pace_waits_until_an_image_is_due(waits):
    stop, waited, _ = waits
    pace = Pace(stop)
    for stream_time in (0.0, 0.04, 0.2):
        pace.wait(stream_time)
    assert waited == pytest.approx([0.04, 0.16])


def test_a_pace_does_not_wait_for_what_is_late_and_catches_up(waits):
    stop, waited, now = waits
    pace = Pace(stop)
    pace.wait(0.0)
    now[0] += 0.5  # somebody was slow
    pace.wait(0.1)
    pace.wait(0.6)
    assert waited == pytest.approx([0.1])


def test_a_pace_cuts_long_pauses_down_and_stays_in_step_behind_them(waits):
    stop, waited, _ = waits
    pace = Pace(stop)
    for stream_time in (0.0, 60.0, 60.5):
        pace.wait(stream_time)
    assert waited == pytest.approx([1.0, 0.5])
