"""Where tracks are expected in frames that no detector looks at."""

import numpy as np
import pytest

from vidan import Tracks
from vidan_plugins.trackers.bytetrack import ByteTrack
from vidan_plugins.trackers.deepsort import DeepSort
from vidan_plugins.trackers.sort import Sort
from vidan_plugins.trackers.steady import Steady

from ..scenes import Blank, found

TRACKERS = [Sort, ByteTrack, DeepSort, Steady]


def seen(left):
    return found([[left, 100, left + 50, 250]], features=[[1.0, 0.0]])


def walked(tracker, every=2, until=41):
    """The tracks of the last look at a box that walks by 5 px a frame."""
    for n in range(0, until, every):
        tracks = tracker.update(Blank(n), seen(100 + 5 * n))
    return tracks


@pytest.mark.parametrize("kalman", ["batched", "filterpy"])
@pytest.mark.parametrize("make", TRACKERS)
def test_tracks_walk_on(make, kalman):
    tracker = make(kalman=kalman)
    last = walked(tracker)
    ahead = tracker.coast(Blank(41))
    assert ahead.ids.tolist() == last.ids.tolist()
    np.testing.assert_allclose(ahead.boxes[0], [305, 100, 355, 250], atol=2.5)
    assert (ahead.misses.tolist(), ahead.detection.tolist()) == ([0], [-1])


@pytest.mark.parametrize("make", TRACKERS)
def test_it_is_no_look(make):
    disturbed, calm = make(), make()
    walked(disturbed)
    walked(calm)
    for n in range(41, 80):
        disturbed.coast(Blank(n))
    box = seen(505)  # where it is at 81
    a, b = disturbed.update(Blank(81), box), calm.update(Blank(81), box)
    np.testing.assert_array_equal(a.boxes, b.boxes)
    assert a.ids.tolist() == b.ids.tolist()
    assert a.misses.tolist() == b.misses.tolist()


def test_misses_count_for_tracks_that_were_missed():
    tracker = Steady(trust=0)
    walked(tracker)
    missed = tracker.update(Blank(42), found([]))
    assert missed.misses.tolist() == [2]
    assert tracker.coast(Blank(43)).misses.tolist() == [3]


@pytest.mark.parametrize("make", TRACKERS)
def test_nothing_to_foretell(make):
    assert len(make().coast(Blank(3))) == 0
    assert isinstance(make().coast(Blank(3)), Tracks)
