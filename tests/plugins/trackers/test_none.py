"""No tracking."""

from vidan_plugins.trackers.none import NoTracker

from .scenes import Blank, found


def test_there_are_no_tracks():
    tracker = NoTracker()
    assert len(tracker.update(Blank(0), found([[0, 0, 10, 10]]))) == 0
    assert len(tracker.update(Blank(1), found([]))) == 0
