import threading

import pytest

from vidan_plugins.sources.pacing import MAX_PAUSE_S, Pacer


class Clock:
    """A clock that advances only by waiting, or by hand."""

    def __init__(self):
        self.now = 100.0
        self.waits = []

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pacer(clock):
    return Pacer(threading.Event(), MAX_PAUSE_S, lambda: clock.now, clock.sleep)


def test_it_waits_until_a_frame_is_due(pacer, clock):
    due = [pacer.wait(stream_time) for stream_time in (0.0, 0.04, 0.2)]
    assert clock.waits == pytest.approx([0.04, 0.16])
    assert due == pytest.approx([100.0, 100.04, 100.2])


def test_it_does_not_wait_for_a_late_frame_and_catches_up(pacer, clock):
    pacer.wait(0.0)
    clock.now += 0.5  # a slow reader
    pacer.wait(0.1)
    pacer.wait(0.6)
    assert clock.waits == pytest.approx([0.1])


def test_long_pauses_are_shortened_and_later_frames_keep_their_distance(pacer, clock):
    for stream_time in (0.0, 60.0, 60.5):
        pacer.wait(stream_time)
    assert clock.waits == pytest.approx([1.0, 0.5])


def test_without_a_maximum_it_waits_for_the_whole_pause(clock):
    pacer = Pacer(threading.Event(), now=lambda: clock.now, sleep=clock.sleep)
    pacer.wait(0.0)
    pacer.wait(60.0)
    assert clock.waits == pytest.approx([60.0])


def test_elapsed_time_starts_with_the_first_frame(pacer, clock):
    assert pacer.elapsed() == 0
    clock.now += 5
    pacer.wait(0.5)
    clock.now += 0.25
    assert pacer.elapsed() == pytest.approx(0.75)
