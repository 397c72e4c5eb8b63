"""Ids after those of an earlier run."""

from tests.vidan.fakes import frame
from vidan.interfaces import Coaster, Tracker
from vidan.runtime.continued_ids import ContinuedIds
from vidan.testing import detections
from vidan_plugins.trackers.sort import Sort

BOXES = detections([[5, 5, 25, 45], [35, 5, 50, 45]])


def test_ids_are_those_of_the_tracker_plus_the_last_one():
    plain, continued = Sort(min_hits=0), ContinuedIds(Sort(min_hits=0), 40)
    assert isinstance(continued, Tracker)
    assert isinstance(continued, Coaster)
    for n in range(5):
        expected = plain.update(frame(n), BOXES)
        assert continued.update(frame(n), BOXES).ids.tolist() == (expected.ids + 40).tolist()
        coasted = continued.coast(frame(n))
        assert set(coasted.ids.tolist()) == {41, 42}
