"""Which frames the detector gets, in which batches, and how several streams share it."""

import threading
import time

import pytest

from vidan import StageError
from vidan.runtime.batching import DetectorPool
from vidan.runtime.pacing import FrameSelector
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Captured, Stream

from ..fakes import FakeDetector, FakeSink, FakeSource, FakeTracker, frame


class BatchDetector(FakeDetector):
    """Notes the batches it gets, each once `ready` is set."""

    def __init__(self, batch=4, **options):
        super().__init__(**options)
        self.batch = batch
        self.batches = []
        self.ready = threading.Event()
        self.ready.set()

    def detect(self, frames):
        self.ready.wait()
        self.batches.append([(each.stream, each.index) for each in frames])
        return super().detect(frames)


class NamedSource(FakeSource):
    def __init__(self, name, *args, **options):
        super().__init__(*args, **options)
        self.name = name

    def __iter__(self):
        for each in super().__iter__():
            each.stream = self.name
            yield each


def stream(name, *args, sink=None, tracker=None, detector=None, **options):
    source = NamedSource(name, *args, **options)
    sinks = {"out": sink or FakeSink()}
    return Stream(source, tracker or FakeTracker(), sinks, name=name, detector=detector)


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def run(streams, detector, **options):
    """A pipeline that runs in a thread of its own."""
    pipeline = Pipeline(streams, detector, **options)
    thread = threading.Thread(target=pipeline.run)
    thread.start()
    return pipeline, thread


def test_frames_that_wait_are_detected_in_one_batch_oldest_first():
    detector = BatchDetector()
    detector.ready.clear()
    streams = [stream(name, 6) for name in "abc"]
    _, thread = run(streams, detector)
    wait_until(lambda: sum(s.frames.first is not None for s in streams) == 3)
    detector.ready.set()
    thread.join()
    assert any(len(batch) == 4 for batch in detector.batches)
    detected = [key for batch in detector.batches for key in batch]
    assert sorted(detected) == [(s, n) for s in "abc" for n in range(6)]
    for s in streams:
        assert s.sinks["out"].indices == list(range(6))


def test_no_stream_gets_a_second_frame_before_another_that_waits_got_its_first():
    detector = BatchDetector(batch=2)
    detector.ready.clear()
    streams = [stream("file", 10), stream("one", 1), stream("two", 1)]
    _, thread = run(streams, detector)
    wait_until(lambda: sum(s.source.count - s.stats.captured == 0 for s in streams[1:]) == 2)
    detector.ready.set()
    thread.join()
    places = {key: n for n, batch in enumerate(detector.batches) for key in batch}
    # The first batch was taken before all were waiting; the next one has the other streams.
    assert max(places["one", 0], places["two", 0]) <= 2


def test_streams_take_turns_whatever_their_frame_rates():
    fast, slow = (Stream(FakeSource(None, live=True), FakeTracker()) for _ in range(2))
    pool = DetectorPool(FakeDetector(), [fast, slow], workers=1, max_batch=1)
    slow.frames.put(Captured(frame(0), {}))
    for index in range(4):  # while both wait, the newest frame of the fast one is the younger one
        fast.frames.put(Captured(frame(index), {}))
    taken = []
    for index in range(1, 5):
        (job,) = pool._form_batch(float(index))
        taken.append(job.stream)
        next(job.stream.pending)  # makes room for another result
        slow.frames.put(Captured(frame(index), {}))
        fast.frames.put(Captured(frame(index + 4), {}))
    assert taken == [slow, fast, slow, fast]


def test_streams_may_have_detectors_of_their_own():
    own, common = FakeDetector(), FakeDetector()
    streams = [stream("a", 5, detector=own), stream("b", 5), stream("c", 5, detector=own)]
    assert Pipeline(streams, common).run().frames == 15
    assert (own.closed, common.closed) == (1, 1)
    assert [s.detector for s in streams] == [own, common, own]
    with pytest.raises(ValueError, match="stream 'x' has no detector"):
        Pipeline([stream("x", 1)])


@pytest.mark.parametrize(
    ("batch", "max_batch", "largest"), [(4, None, 4), (8, 2, 2), (1, None, 1), (1, 4, 4)]
)
def test_a_batch_is_as_large_as_helps_and_is_allowed(batch, max_batch, largest):
    detector = BatchDetector(batch)
    detector.ready.clear()
    one = stream("a", 20)
    _, thread = run(one, detector, max_batch=max_batch)
    wait_until(lambda: one.stats.captured > (max_batch or batch))
    detector.ready.set()
    thread.join()
    assert max(map(len, detector.batches)) == largest
    assert one.sinks["out"].indices == list(range(20))


def test_a_detector_that_says_nothing_gets_single_frames():
    class Single(FakeDetector):
        def detect(self, frames):
            assert len(frames) == 1
            return super().detect(frames)

    assert Pipeline([stream("a", 9), stream("b", 9)], Single()).run().frames == 18


def test_a_slow_stream_does_not_hold_up_the_others():
    slow, fast = stream("slow", 3, sink=FakeSink(delay=0.3)), stream("fast", 50)
    pipeline, thread = run([slow, fast], FakeDetector())
    wait_until(lambda: fast.stats.frames == 50)
    assert slow.stats.frames < 50
    thread.join()
    assert pipeline.stats.frames == 53
    assert pipeline.total == 53


def test_a_failure_ends_only_its_stream():
    broken, whole = stream("door", 20, fail_at=5), stream("hall", 20)
    pipeline = Pipeline([broken, whole], FakeDetector(), workers=2)
    with pytest.raises(StageError, match=r"door/source at frame 5: .*source broke"):
        pipeline.run()
    assert broken.sinks["out"].indices == [0, 1, 2, 3, 4]
    assert whole.sinks["out"].indices == list(range(20))
    assert [failure.stage for failure in pipeline.failures] == ["door/source"]


def test_a_detection_that_fails_ends_only_the_stream_of_its_frame():
    detector = BatchDetector(fail_at=7)
    streams = [stream("long", 20), stream("short", 5)]
    with pytest.raises(StageError, match=r"long/detector at frame 7"):
        Pipeline(streams, detector).run()
    assert streams[0].sinks["out"].indices == list(range(7))
    assert streams[1].sinks["out"].indices == list(range(5))
    assert detector.closed == 1


def test_results_of_all_streams_in_one_loop():
    streams = [stream("a", 8), stream("b", 8)]
    seen = {"a": [], "b": []}
    for result in Pipeline(streams, FakeDetector(), workers=2):
        seen[result.frame.stream].append(result.frame.index)
    assert seen == {"a": list(range(8)), "b": list(range(8))}


def connected(live=True):
    """A stream and its pool, without threads."""
    one = Stream(FakeSource(None, live=live, known=False), FakeTracker())
    return one, DetectorPool(FakeDetector(), [one], workers=1, max_batch=1)


def test_a_frame_that_would_get_too_old_is_held_until_a_newer_one_is_there(monkeypatch):
    one, _ = connected()
    assert one.due(0.0) == float("inf")  # there is none
    one.frames.put(Captured(frame(0), {}))
    delays = iter([0.02, 0.0])
    monkeypatch.setattr(FrameSelector, "delay", lambda _, now: next(delays))
    assert one.due(10.0) == pytest.approx(0.02)
    assert one.due(10.015) == pytest.approx(0.005)
    one.frames.put(Captured(frame(1), {}))
    assert one.due(10.016) == 0
    assert one.take().frame.index == 1


def test_a_frame_is_held_no_longer_than_its_deadline_nor_after_the_end(monkeypatch):
    for end in (lambda s: None, lambda s: s.frames.close()):
        one, _ = connected()
        one.frames.put(Captured(frame(0), {}))
        monkeypatch.setattr(FrameSelector, "delay", lambda _, now: 0.02)
        assert one.due(10.0) > 0
        end(one)
        assert one.due(10.02) == 0
    assert one.take().frame.index == 0
    assert one.due(10.03) == float("inf")
    assert one.finished
