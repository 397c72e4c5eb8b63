import pytest

from vidan.rhythm import Rhythm

from .fakes import frame


def heard(*indexes, step=0.04):
    """A rhythm that has heard frames of these indexes, captured 5 s after their stream time."""
    rhythm = Rhythm()
    for index in indexes:
        one = frame(index)
        one.time, one.captured = index * step, index * step + 5
        rhythm.hear(one)
    return rhythm


@pytest.mark.parametrize("indexes", [(0, 1, 2), (0, 2), (0, 1, 50)])
def test_the_next_frame_is_waited_for_when_it_is_due_soon(indexes):
    # Steps of 40 ms: soon is from 32 ms on; it is waited for until 44 ms, and at 40 it is late.
    rhythm = heard(*indexes)
    came = indexes[-1] * 0.04 + 5
    waits = {ms: rhythm.wait(came + ms / 1000) for ms in (0, 10, 31, 33, 39, 41, 100)}
    assert waits == pytest.approx({0: 0, 10: 0, 31: 0, 33: 0.011, 39: 0.005, 41: 0, 100: 0})


def test_nothing_is_waited_for_where_the_step_is_not_known():
    assert heard().wait(5.0) == 0
    assert heard(0).wait(5.035) == 0
    assert heard(0, 1, step=2.0).wait(8.9) == 0  # a camera that sends a picture now and then


def test_a_step_that_changes_is_followed():
    rhythm = heard(0, 1, 2)
    for index in range(3, 103):
        one = frame(index)
        one.time = one.captured = 0.08 + (index - 2) * 0.1
        rhythm.hear(one)
    # Steps of 100 ms: at 35 ms nothing is due, at 90 ms the next is
    assert rhythm.wait(one.captured + 0.035) == 0
    assert rhythm.wait(one.captured + 0.09) == pytest.approx(0.02, abs=1e-3)
