import json

import numpy as np
import pytest

from tests.vidan.fakes import frame
from vidan import Detections, Tracks
from vidan.cli.terminal import table
from vidan.outages import Outages
from vidan.runtime.tracker_reset import ResettingTracker


class CountingTracker:
    """A tracker that always returns the ids 1 and 2, as a new tracker does."""

    made = 0

    def __init__(self):
        CountingTracker.made += 1

    def update(self, frame, detections):
        boxes = np.array([[0, 0, 1, 1], [2, 2, 3, 3]], np.float32)
        none = np.zeros(2, np.int32)
        return Tracks(np.array([1, 2]), boxes, np.ones(2, np.float32), none, none, none)


@pytest.fixture
def tracked():
    """Updates a tracker that is reset after 3 s at a stream time, and returns the ids."""
    outages = Outages()
    tracker = ResettingTracker(CountingTracker, outages, 3.0)

    def update(time):
        return tracker.update(frame(time_=time), Detections.empty()).ids.tolist()

    return outages, update


def test_tracks_are_reset_after_a_long_outage_and_no_id_is_reused(tracked):
    outages, update = tracked
    assert [update(0.0), update(1.0)] == [[1, 2], [1, 2]]
    for start, end in ((1.0, 5.0), (6.0, 20.0)):
        outages.begin(0.0, start, "lost")
        outages.end(end - start)
        ids = update(end)
        assert update(end + 1.0) == ids
    assert ids == [5, 6]


def test_a_short_outage_does_not_reset_tracks(tracked):
    outages, update = tracked
    update(1.0)
    outages.begin(0.0, 1.0, "lost")
    outages.end(2.9)
    assert update(3.9) == [1, 2]


def test_a_frame_from_before_an_outage_changes_nothing(tracked):
    outages, update = tracked
    update(1.0)
    outages.begin(0.0, 2.0, "lost")
    outages.end(9.0)
    assert update(2.0) == [1, 2]  # was in the pipeline when the source was lost
    assert update(11.0) == [3, 4]


def test_outages_are_in_the_summary(capsys):
    outages = Outages()
    outages.begin(0.5, 1.25, "pulled")
    outages.attempt()
    outages.attempt()
    outages.end(4.5)
    outages.begin(0.0, 9.0, "pulled again")
    first, second = json.loads(json.dumps([o.summary() for o in outages]))
    assert (first["time"], first["length"], first["attempts"]) == (1.25, 4.5, 2)
    assert (second["length"], second["reason"]) == (None, "pulled again")
    summary = {
        "frames": 1, "dropped": 0, "skipped": 0, "detections": 0, "objects": {}, "fps": 1.0,
        "stages_ms": {}, "age_ms": {}, "outputs": [], "outages": [first, second],
    }  # fmt: skip
    grid = table(summary)
    cells = list(grid.columns[1].cells)
    assert "2, 4.5 s in total" in cells
    assert "4.5 s, attempts: 2: pulled" in cells
    assert "ongoing, attempts: 0: pulled again" in cells


def test_memory_is_bounded():
    outages = Outages()
    for number in range(1500):
        outages.begin(0.0, float(number), "lost")
        outages.end(0.5)
    assert (outages.count, len(list(outages))) == (1500, 1000)
    assert [o.time for o in outages.since(1498.0)] == [1499.0, 1498.0]
