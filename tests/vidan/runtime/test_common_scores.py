"""Every tracker gets scores on the common scale, and results have those of the model."""

import numpy as np
import pytest

from vidan import Detections, Tracks
from vidan.config.build import build
from vidan.execution.replay import ReplayDetector
from vidan.runtime.common_scores import CommonScores, on_common_scale, scale_of
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream
from vidan.support.score_scale import COMMON, ScoreScale
from vidan.tracing.trace import Trace
from vidan.tracing.wrap import TracedDetector

from ..fakes import FakeDetector, FakeSource, frame

LOW = ScoreScale(0.3, 2.5)
"""Of a model that gives people 0.4 where others give 0.75."""


def found(*scores):
    left = np.arange(len(scores), dtype=np.float32)[:, None] * 20
    boxes = np.float32([[0, 0, 10, 20]]) + left * np.float32([1, 0, 1, 0])
    return Detections(boxes, np.float32(scores), np.zeros(len(scores), np.int32))


class Recorder:
    """Reports the detections as tracks, and what their scores were."""

    def __init__(self):
        self.scores = []

    def update(self, _frame, detections):
        self.scores.append(detections.scores)
        rows = np.arange(len(detections), dtype=np.int32)
        none = np.zeros(len(rows), np.int32)
        return Tracks(
            rows.astype(np.int64) + 1, detections.boxes, detections.scores, none, none, rows
        )


def test_a_tracker_gets_common_scores_and_reports_those_of_the_model():
    tracker, detections = Recorder(), found(0.1, 0.3, 0.4)
    tracks = CommonScores(tracker, LOW).update(frame(), detections)
    assert tracker.scores[0] == pytest.approx(LOW.to_common(detections.scores))
    assert tracks.scores.tolist() == detections.scores.tolist()


def test_coasting_tracks_have_scores_of_the_model_too():
    tracker = CommonScores(Recorder(), LOW)
    tracker.update(frame(0), found(0.4))
    tracks = tracker.coast(frame(1))
    assert (tracks.scores.tolist(), tracks.detection.tolist()) == ([pytest.approx(0.4)], [-1])


def test_given_scores_reach_the_tracker_directly():
    tracker = Recorder()
    assert on_common_scale(tracker, COMMON) is tracker


@pytest.mark.parametrize("name", ["steady", "bytetrack"])
@pytest.mark.parametrize("scale", [LOW, None])
def test_people_with_low_scores_are_tracked(name, scale):
    # 0.48 is below the thresholds of every tracker with two bands of scores.
    plain, common = build("tracker", {"name": name}), build("tracker", {"name": name})
    common = on_common_scale(common, scale)
    rng = np.random.default_rng(0)
    for index in range(60):
        people = 0.48 + rng.uniform(-0.02, 0.02, 4)
        background = rng.uniform(0.02, 0.25, 8)  # flickers
        detections = found(*people, *background)
        tracks = [t.update(frame(index), detections) for t in (plain, common)]
    assert len(tracks[0]) == 0
    assert (tracks[1].boxes[:, 0] < 80).sum() == 4


def test_a_stream_takes_the_scale_of_its_detector():
    class Scaled(FakeDetector):
        score_scale = LOW

    tracker = Recorder()
    detector = Scaled()
    list(Pipeline(Stream(FakeSource(3), tracker), detector))
    expected = LOW.to_common(detector.detect([frame(0)])[0].scores)
    assert tracker.scores[0] == pytest.approx(expected)


def test_layers_around_a_detector_know_its_scale(tmp_path):
    class Scaled(FakeDetector):
        score_scale = LOW

    detector = Scaled()
    replay = ReplayDetector(detector, tmp_path / "detections.bin", resumed=False)
    assert scale_of(TracedDetector(replay, Trace())) == LOW
    replay.close()
    assert scale_of(FakeDetector()) is None
