"""The conformance suites: the built-in components pass them, and what is wrong does not."""

import cv2
import numpy as np
import pytest

from vidan import Detections, Tracks
from vidan.registry.discovery import load_plugins
from vidan.testing import (
    DetectorSuite,
    ListSource,
    RecordingSink,
    SinkSuite,
    SourceSuite,
    TrackerSuite,
    TruthDetector,
    array_frame,
    clip,
    detections,
    frame,
    frames,
    result,
    walkers,
)


def component(kind, name, **options):
    return load_plugins().registry.get(kind, name).load()(**options)


class TestVideoFile(SourceSuite):
    def make(self, tmp_path):
        path = tmp_path / "clip.mp4"
        return component("source", "file", path=str(path if path.exists() else clip(path)))


class TestSynthetic(SourceSuite):
    limit = 5

    def make(self, tmp_path):
        return component("source", "synthetic", width=160, height=96, live=False)


class TestImages(SourceSuite):
    def make(self, tmp_path):
        for n in range(5):
            rgb = np.full((24, 32, 3), 40 * n, np.uint8)
            cv2.imwrite(str(tmp_path / f"{n}.png"), rgb)
        return component("source", "images", path=str(tmp_path))


class TestListSource(SourceSuite):
    def make(self, tmp_path):
        return ListSource(frames(6))


class TestEventsAlone(SinkSuite):
    """A sink of events needs no `write`."""

    def make(self, tmp_path):
        self.events = []
        sink = type("Sink", (), {"close": lambda _: None})()
        sink.emit = self.events.extend
        return sink

    def check(self, tmp_path, results):
        assert self.events == [event for result in results for event in result.events]


class TestTruthDetector(DetectorSuite):
    finds = True

    def make(self, tmp_path):
        return TruthDetector([detections([[10, 50, 30, 90]])] * 3)


class TestShippedModel(DetectorSuite):
    def make(self, tmp_path):
        return component("detector", "onnx")


class TestMotDetector(DetectorSuite):
    finds = True

    def make(self, tmp_path):
        rows = "".join(f"{n + 1},-1,10,50,20,40,0.9\n" for n in range(3))
        (tmp_path / "det.txt").write_text(rows)
        return component("detector", "mot", path=str(tmp_path / "det.txt"))


class TestVideoSink(SinkSuite):
    def make(self, tmp_path):
        return component("sink", "video", path=str(tmp_path / "out.mp4"))

    def check(self, tmp_path, results):
        source = component("source", "file", path=str(tmp_path / "out.mp4"))
        assert len(list(source)) == len(results)
        source.close()


class TestJsonLines(SinkSuite):
    def make(self, tmp_path):
        return component("sink", "jsonl", path=str(tmp_path / "out.jsonl"))

    def check(self, tmp_path, results):
        lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(results)


class TestMotFile(SinkSuite):
    def make(self, tmp_path):
        return component("sink", "mot", path=str(tmp_path / "out.txt"))


class TestSnapshots(SinkSuite):
    def make(self, tmp_path):
        return component("sink", "snapshots", path=str(tmp_path / "{time}_{label}_{id}.jpg"))


class TestDiscard(SinkSuite):
    def make(self, tmp_path):
        return component("sink", "discard")


class TestWeb(SinkSuite):
    def make(self, tmp_path):
        pytest.importorskip("aiohttp", reason="needs the extra web")
        return component("sink", "web", port=0)


class TestPrometheus(SinkSuite):
    def make(self, tmp_path):
        pytest.importorskip("prometheus_client", reason="needs the extra prometheus")
        return component("sink", "prometheus", port=0)


class TestRecordingSink(SinkSuite):
    def make(self, tmp_path):
        return RecordingSink()


def fails(suite, name, tmp_path, *arguments):
    """Whether a test of a suite fails."""
    try:
        getattr(suite, name)(*arguments, tmp_path)
    except AssertionError:
        return True
    return False


def of(base, made):
    """A suite whose component is `made()`."""
    return type("Suite", (base,), {"make": lambda self, tmp_path: made()})()


class Reusing:
    """A tracker that assigns the same ids in every frame, whatever the objects."""

    def update(self, frame, detections):
        n = len(detections)
        ids = np.arange(1, n + 1, dtype=np.int64)
        zeros = np.zeros(n, np.int32)
        return Tracks(
            ids, detections.boxes, detections.scores, detections.classes, zeros,
            np.arange(n, dtype=np.int32),
        )  # fmt: skip


class Coasting(Reusing):
    """Says that nothing was missed where nothing was matched."""

    def update(self, frame, detections):
        t = super().update(frame, detections)
        return Tracks(t.ids, t.boxes, t.scores, t.classes, t.misses, t.detection - 5)


@pytest.mark.parametrize(
    ("tracker", "test"),
    [
        (Reusing, "test_ids_are_never_reused"),
        (Coasting, "test_a_single_frame"),
    ],
)
def test_a_wrong_tracker_is_found_out(tracker, test, tmp_path):
    assert fails(of(TrackerSuite, tracker), test, tmp_path)


def test_a_source_that_counts_wrong_is_found_out(tmp_path):
    def short():
        source = ListSource(frames(6))
        source.frames = 7
        return source

    assert fails(of(SourceSuite, short), "test_number_of_frames_is_right", tmp_path)


def test_a_detector_that_forgets_a_frame_is_found_out():
    class ResettingTracker(TruthDetector):
        def detect(self, frames):
            return super().detect(frames)[1:]

    with pytest.raises(AssertionError):
        DetectorSuite().test_answers_each_frame(ResettingTracker([]))


def test_a_sink_that_paints_over_boxes_is_found_out(tmp_path):
    class Painting(RecordingSink):
        def write(self, result):
            result.tracks.boxes[:] = 0

    assert fails(of(SinkSuite, Painting), "test_takes_results", tmp_path)


def test_a_suite_must_say_how_its_component_is_made(tmp_path):
    with pytest.raises(NotImplementedError, match=r"SourceSuite\.make must return"):
        SourceSuite().make(tmp_path)


def test_walkers_stay_themselves():
    first, *_, last = walkers(1, 4, 30, missing=0.0, features=3)
    assert len(first) == len(last) == 4
    np.testing.assert_array_equal(first.features, last.features)
    assert np.abs(first.boxes - last.boxes).max() < 60


def test_frames_show_their_boxes():
    shown = frame(3, [[10, 20, 30, 60]])
    rgb = shown.rgb()
    assert rgb[40, 20].min() >= 160
    assert rgb[5, 5].max() < 160
    assert shown.time == pytest.approx(0.1)
    assert array_frame(rgb).resized(4, 2).shape == (2, 4, 3)


def test_a_result_has_a_track_for_each_box():
    given = result(2, [[0, 0, 5, 5], [5, 5, 9, 9]], classes=[1, -1])
    assert given.tracks.classes.tolist() == [1, -1]
    assert given.detections.classes.tolist() == [1, 0]
    assert [given.label(c) for c in (0, 1, -1)] == ["thing", "other", "uncertain"]
    assert isinstance(given.detections, Detections)
