"""Predicted tracks in frames without an update."""

import numpy as np
import pytest

from vidan import Tracks
from vidan_plugins.trackers.bytetrack import ByteTrack
from vidan_plugins.trackers.deepsort import DeepSort
from vidan_plugins.trackers.sort import Sort
from vidan_plugins.trackers.steady import Steady

from .scenes import Blank, found

TRACKERS = [Sort, ByteTrack, DeepSort, Steady]


def box_at(left):
    return found([[left, 100, left + 50, 250]], features=[[1.0, 0.0]])


def walk(tracker, every=2, until=41):
    """The last tracks of a box that moves by 5 px per frame."""
    for n in range(0, until, every):
        tracks = tracker.update(Blank(n), box_at(100 + 5 * n))
    return tracks


@pytest.mark.parametrize("kalman", ["batched", "filterpy"])
@pytest.mark.parametrize("make", TRACKERS)
def test_tracks_continue_at_their_velocity(make, kalman):
    tracker = make(kalman=kalman)
    last = walk(tracker)
    ahead = tracker.coast(Blank(41))
    assert ahead.ids.tolist() == last.ids.tolist()
    np.testing.assert_allclose(ahead.boxes[0], [305, 100, 355, 250], atol=2.5)
    assert (ahead.misses.tolist(), ahead.detection.tolist()) == ([0], [-1])


@pytest.mark.parametrize("make", TRACKERS)
def test_coasting_is_not_an_update(make):
    coasted, untouched = make(), make()
    walk(coasted)
    walk(untouched)
    for n in range(41, 80):
        coasted.coast(Blank(n))
    box = box_at(505)  # where it is at 81
    a, b = coasted.update(Blank(81), box), untouched.update(Blank(81), box)
    np.testing.assert_array_equal(a.boxes, b.boxes)
    assert a.ids.tolist() == b.ids.tolist()
    assert a.misses.tolist() == b.misses.tolist()


def test_misses_grow_for_tracks_that_were_missed():
    tracker = Steady(min_confirmed_ratio=0)
    walk(tracker)
    missed = tracker.update(Blank(42), found([]))
    assert missed.misses.tolist() == [2]
    assert tracker.coast(Blank(43)).misses.tolist() == [3]


@pytest.mark.parametrize("make", TRACKERS)
def test_nothing_to_predict(make):
    assert len(make().coast(Blank(3))) == 0
    assert isinstance(make().coast(Blank(3)), Tracks)
