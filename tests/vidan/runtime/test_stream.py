"""Events: their way from the analyzers to the sinks."""

import threading
import time

import numpy as np
import pytest

from vidan import Event, Measure, Shape, StageError
from vidan.runtime import stream as stream_module
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream

from ..fakes import FakeDetector, FakeSink, FakeSource, FakeTracker


def event(frame, number=0, **data):
    return Event(
        f"{frame}.{number}", "test.happened", "point", "test", "rule", 0.0, frame, data=data
    )


class Counter:
    """Two events in every frame, one at the end, and a shape."""

    def __init__(self, *, fail_at=None, fail_at_end=False):
        self.fail_at = fail_at
        self.fail_at_end = fail_at_end
        self.seen = []

    def update(self, result):
        index = result.frame.index
        self.seen.append(len(result.events))
        if index == self.fail_at:
            raise RuntimeError("analyzer broke")
        return [event(index), event(index, 1)]

    def finish(self):
        if self.fail_at_end:
            raise RuntimeError("analyzer broke")
        return [event(10**6)]

    def shapes(self):
        return [Shape("path", np.zeros((2, 2), np.float32))]

    def measures(self):
        return {Measure("frames_seen"): len(self.seen)}


class EventOnly:
    """A sink of events alone."""

    def __init__(self, *, delay=0.0, fail_at=None):
        self.delay = delay
        self.fail_at = fail_at
        self.events = []
        self.closed_by = []

    def emit(self, events):
        time.sleep(self.delay)
        for each in events:
            if each.frame == self.fail_at:
                raise RuntimeError("sink broke")
            self.events.append(each)

    def close(self):
        self.closed_by.append(threading.current_thread().name)

    @property
    def ids(self):
        return [each.id for each in self.events]


class Both(EventOnly):
    """A view that also takes events."""

    lossless = False

    def __init__(self, **options):
        super().__init__(**options)
        self.order = []

    def emit(self, events):
        super().emit(events)
        self.order += [each.frame for each in events]

    def write(self, result):
        self.order.append(("frame", result.frame.index))


def run(sinks, analyzers=None, frames=50, **options):
    analyzers = {"counter": Counter()} if analyzers is None else analyzers
    stream = Stream(FakeSource(frames), FakeTracker(), sinks, analyzers, **options)
    Pipeline(stream, FakeDetector()).run()
    return stream


def expected(frames):
    return [f"{n}.{k}" for n in range(frames) for k in (0, 1)] + [f"{10**6}.0"]


def test_every_event_reaches_a_sink_of_events_in_order():
    sink = EventOnly()
    stream = run({"events": sink})
    assert sink.ids == expected(50)
    assert sink.closed_by == ["vidan-sink-events"]
    assert stream.stats.summary()["events"] == {"test.happened": 101}


def test_a_view_that_misses_frames_misses_no_event_and_gets_them_before_their_frame():
    sink = Both(delay=0.01)
    run({"view": sink})
    assert sink.ids == expected(50)
    frames = [at[1] for at in sink.order if isinstance(at, tuple)]
    assert len(frames) < 50
    assert frames[-1] == 49
    for place, at in enumerate(sink.order):
        if isinstance(at, tuple):
            before = [n for n in sink.order[:place] if not isinstance(n, tuple) and n < 10**6]
            assert before[-1] == at[1]


def test_a_sink_that_is_far_behind_holds_the_stream_up_and_loses_nothing(monkeypatch):
    monkeypatch.setattr(stream_module, "MAX_PENDING_EVENTS", 6)
    view, alone = Both(delay=0.005), EventOnly(delay=0.005)
    run({"view": view, "alone": alone})
    assert view.ids == alone.ids == expected(50)


def test_a_sink_of_results_gets_events_with_their_frame_and_no_others():
    sink = FakeSink()
    run({"out": sink})
    assert [[each.id for each in result.events] for result in sink.results] == [
        [f"{n}.0", f"{n}.1"] for n in range(50)
    ]


def test_an_analyzer_sees_the_events_of_those_before_it():
    first, second = Counter(), Counter()
    run({}, {"first": first, "second": second}, frames=3)
    assert (first.seen, second.seen) == ([0, 0, 0], [2, 2, 2])


def test_measures_of_the_analyzers_are_in_the_result_of_their_frame():
    sink = FakeSink()
    run({"out": sink}, {"one": Counter()}, frames=3)
    assert [result.measures for result in sink.results] == [
        {Measure("frames_seen"): n} for n in (1, 2, 3)
    ]


def test_shapes_and_seconds_of_the_analyzers_are_in_the_result():
    sink = FakeSink()
    run({"out": sink}, {"one": Counter(), "two": Counter()})
    assert [len(result.shapes) for result in sink.results] == [2] * 50
    assert all(result.timings["analytics"] >= 0 for result in sink.results)


@pytest.mark.parametrize("options", [{"fail_at": 7}, {"fail_at_end": True}])
def test_an_analyzer_that_fails_is_named(options):
    sink = EventOnly()
    with pytest.raises(StageError, match=r"analytics\.counter at frame \d+: .*analyzer broke"):
        run({"events": sink}, {"counter": Counter(**options)})
    assert sink.ids == expected(options.get("fail_at", 50))[: len(sink.ids)]
    assert len(sink.ids) >= 14
    assert len(sink.closed_by) == 1


def test_a_sink_of_events_that_fails_is_named():
    sink = EventOnly(fail_at=7)
    with pytest.raises(StageError, match=r"sink\.events at frame 7: .*sink broke"):
        run({"events": sink})
    assert sink.ids == expected(7)[:-1]


def test_events_of_a_run_that_is_stopped_are_complete():
    sink, stream = EventOnly(), None
    stream = Stream(
        FakeSource(None, known=False), FakeTracker(), {"events": sink}, {"counter": Counter()}
    )
    pipeline = Pipeline(stream, FakeDetector())
    stats = pipeline.run(lambda stats: pipeline.stop() if stats.frames > 20 else None)
    assert sink.ids == expected(stats.frames)


class Late(EventOnly):
    """A sink whose results may wait."""

    write_delay = 0.3

    def __init__(self, *, lossless):
        super().__init__()
        self.lossless = lossless
        self.frames, self.times = [], []

    def write(self, result):
        self.frames.append(result.frame)
        self.times.append(time.monotonic())


@pytest.mark.parametrize("lossless", [True, False])
def test_a_sink_that_may_wait_gets_several_results_in_a_row_without_their_images(lossless):
    late, prompt = Late(lossless=lossless), FakeSink()
    stream = Stream(
        FakeSource(40, delay=0.01),
        FakeTracker(),
        {"late": late, "prompt": prompt},
        {"counter": Counter()},
    )
    Pipeline(stream, FakeDetector()).run()
    assert late.ids == expected(40)
    indexes = [frame.index for frame in late.frames]
    assert indexes == list(range(40)) if lossless else indexes[-1] == 39
    assert np.diff(late.times).max() > 0.25  # far more than from frame to frame
    with pytest.raises(ValueError, match="was not kept"):
        late.frames[0].rgb()
    assert prompt.results[0].frame.rgb().shape
    ages = stream.stats.summary()["age_ms"]
    assert set(ages) == {"prompt"}  # that of the other is on purpose
