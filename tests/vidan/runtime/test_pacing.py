import pytest

from vidan.runtime.pacing import MEAN_LENGTH, MIN_DETECTIONS, FrameSelector

from ..fakes import frame


def selector_after(*indexes, interval=0.04, detection=0.06, age_limit=1.25, concurrency=1):
    """A selector after frames of these indexes, which arrived 5 s after their stream time."""
    selector = FrameSelector(age_limit, concurrency)
    for index in indexes:
        one = frame(index)
        one.time = index * interval
        selector.arrived(one, index * interval + 5)
    for _ in range(MIN_DETECTIONS):
        selector.detected(detection)
    return selector


def waits(selector, came, *ms):
    return [selector.delay(came + one / 1000) * 1000 for one in ms]


@pytest.mark.parametrize("indexes", [(0, 1, 2), (0, 2), (0, 1, 50)])
def test_a_frame_that_would_get_too_old_gives_way_to_the_next(indexes):
    # Detections of 60 ms and a limit of 1.25: a frame may have waited for 15 ms. Steps of 40 ms:
    # the next one is waited for until 44 ms, and at 40 it is late.
    came = indexes[-1] * 0.04 + 5
    found = waits(selector_after(*indexes), came, 0, 14, 16, 33, 39, 41, 100)
    assert found == pytest.approx([0, 0, 28, 11, 5, 0, 0])


def test_where_the_detector_takes_long_only_one_that_is_due_soon_is_waited_for():
    found = waits(selector_after(0, 1, 2, detection=0.4), 5.08, 0, 16, 31, 33, 39)
    assert found == pytest.approx([0, 0, 0, 11, 5])


@pytest.mark.parametrize(("detection", "concurrency"), [(0.039, 1), (0.043, 1), (0.087, 2)])
def test_a_detector_that_keeps_up_or_nearly_does_waits_for_nothing(detection, concurrency):
    selector = selector_after(0, 1, 2, detection=detection, concurrency=concurrency)
    assert waits(selector, 5.08, 0, 10, 20, 33, 39) == [0] * 5


def test_the_limit_can_be_a_frame_that_has_just_come_or_none():
    assert waits(selector_after(0, 1, 2, age_limit=1.0), 5.08, 1, 20) == pytest.approx([43, 24])
    assert waits(selector_after(0, 1, 2, age_limit=None), 5.08, 1, 20, 39) == [0] * 3


def test_nothing_is_waited_for_where_the_times_are_not_known():
    assert selector_after().delay(5.0) == 0
    assert selector_after(0).delay(5.035) == 0
    assert selector_after(0, 1, interval=2.0).delay(8.9) == 0  # a rare frame
    begun = FrameSelector(1.25)
    for index in (0, 1):
        one = frame(index)
        one.time = index * 0.04
        begun.arrived(one, index * 0.04)
    for _ in range(MIN_DETECTIONS - 1):
        begun.detected(0.06)
        assert begun.delay(0.075) == 0
    begun.detected(0.06)
    assert begun.delay(0.075) == pytest.approx(0.009)


def test_a_detector_that_keeps_up_but_for_a_busy_moment_waits_for_nothing():
    selector = selector_after(0, 1, 2, detection=0.03)
    for _ in range(5):
        selector.detected(0.08)
    assert waits(selector, 5.08, 0, 10, 20, 33, 39) == [0] * 5


def test_times_that_change_are_followed():
    selector = selector_after(0, 1, 2, detection=0.4)
    for index in range(3, 503):
        one = frame(index)
        one.time = now = 0.08 + (index - 2) * 0.1
        selector.arrived(one, now)
    # Steps of 100 ms: at 35 ms nothing is due, at 90 ms the next is
    assert waits(selector, now, 35, 90) == pytest.approx([0, 20], abs=1)
    for _ in range(10 * MEAN_LENGTH):
        selector.detected(0.12)
    assert waits(selector, now, 25, 35, 90) == pytest.approx([0, 75, 20], abs=1)
    for _ in range(10 * MEAN_LENGTH):
        selector.detected(0.02)
    assert waits(selector, now, 25, 35, 90) == [0, 0, 0]
