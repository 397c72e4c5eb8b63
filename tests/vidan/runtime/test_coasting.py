"""Frames that the detector skips: the tracker predicts their tracks."""

import numpy as np
import pytest

from vidan import Tracks
from vidan.runtime.coasting import coast
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream

from ..fakes import FakeDetector, FakeSink, FakeSource, FakeTracker, frame


class Noting(FakeDetector):
    """Notes the frames it detects."""

    def __init__(self):
        super().__init__()
        self.indices = []

    def detect(self, frames):
        self.indices += [each.index for each in frames]
        return super().detect(frames)


class Coasting(FakeTracker):
    """Predicts a track at x = 1000 in skipped frames."""

    def __init__(self):
        super().__init__()
        self.updates = []

    def update(self, frame, detections):
        self.updates.append(frame.index)
        return super().update(frame, detections)

    def coast(self, frame):
        box = np.array([[1000, 0, 1010, 10]], np.float32)
        one = np.zeros(1, np.int32)
        return Tracks(np.ones(1, np.int64), box, np.ones(1, np.float32), one, one, one - 1)


def run(tracker, workers, count=8):
    detector, sink = Noting(), FakeSink()
    stream = Stream(FakeSource(count), tracker, {"out": sink}, detect_every=3)
    Pipeline(stream, detector, workers=workers).run()
    assert sink.indices == list(range(count))
    assert sorted(detector.indices) == [0, 3, 6]
    return sink.results


@pytest.mark.parametrize("workers", [1, 2])
def test_between_updates_the_tracker_predicts_the_tracks(workers):
    tracker = Coasting()
    results = run(tracker, workers)
    assert tracker.updates == [0, 3, 6]
    assert [r.tracks.boxes[0, 0] for r in results] == [0, 1000, 1000, 3, 1000, 1000, 6, 1000]
    assert [len(r.detections) for r in results] == [1, 0, 0, 1, 0, 0, 1, 0]
    assert [r.timings["detector"] > 0 for r in results] == [n % 3 == 0 for n in range(8)]


def test_tracks_stay_in_place_if_the_tracker_cannot_predict():
    results = run(FakeTracker(), 1)
    assert [r.tracks.boxes[0, 0] for r in results] == [0, 0, 0, 3, 3, 3, 6, 6]
    assert [r.tracks.detection[0] for r in results] == [0, -1, -1, 0, -1, -1, 0, -1]
    assert len(coast(FakeTracker(), frame(1), Tracks.empty())) == 0
