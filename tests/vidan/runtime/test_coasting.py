"""A detector that looks in every so many-th frame."""

import numpy as np
import pytest

from vidan import Tracks
from vidan.runtime.coasting import coast
from vidan.runtime.pipeline import Pipeline

from ..fakes import FakeDetector, FakeSink, FakeSource, FakeTracker, frame


class Every(FakeDetector):
    """Looks in every third frame, and keeps which those were."""

    every = 3

    def __init__(self):
        super().__init__()
        self.looked = []

    def detect(self, frames):
        self.looked += [each.index for each in frames]
        return super().detect(frames)


class Coasting(FakeTracker):
    """Says of frames without a look that a track is at x = 1000."""

    def __init__(self):
        super().__init__()
        self.looks = []

    def update(self, frame, detections):
        self.looks.append(frame.index)
        return super().update(frame, detections)

    def coast(self, frame):
        box = np.array([[1000, 0, 1010, 10]], np.float32)
        one = np.zeros(1, np.int32)
        return Tracks(np.ones(1, np.int64), box, np.ones(1, np.float32), one, one, one - 1)


def run(tracker, workers, count=8):
    detector, sink = Every(), FakeSink()
    Pipeline(FakeSource(count), detector, tracker, {"out": sink}, workers=workers).run()
    assert sink.indices == list(range(count))
    assert sorted(detector.looked) == [0, 3, 6]
    return sink.results


@pytest.mark.parametrize("workers", [1, 2])
def test_between_looks_the_tracker_says_where_tracks_are(workers):
    tracker = Coasting()
    results = run(tracker, workers)
    assert tracker.looks == [0, 3, 6]
    assert [r.tracks.boxes[0, 0] for r in results] == [0, 1000, 1000, 3, 1000, 1000, 6, 1000]
    assert [len(r.detections) for r in results] == [1, 0, 0, 1, 0, 0, 1, 0]
    assert [r.timings["detector"] > 0 for r in results] == [n % 3 == 0 for n in range(8)]


def test_a_tracker_that_does_not_say_it_keeps_its_tracks():
    results = run(FakeTracker(), 1)
    assert [r.tracks.boxes[0, 0] for r in results] == [0, 0, 0, 3, 3, 3, 6, 6]
    assert [r.tracks.detection[0] for r in results] == [0, -1, -1, 0, -1, -1, 0, -1]
    assert len(coast(FakeTracker(), frame(1), Tracks.empty())) == 0
