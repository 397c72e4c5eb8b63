import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vidan import StageError
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream
from vidan_plugins.analytics.presence import Presence

from ..fakes import FakeDetector, FakeSink, FakeSource, FakeTracker


def pipeline(source=None, detector=None, tracker=None, sinks=None, *, workers=1, **options):
    """A pipeline with one stream."""
    stream = Stream(
        source or FakeSource(),
        tracker or FakeTracker(),
        {"out": FakeSink()} if sinks is None else sinks,
        **options,
    )
    return Pipeline(stream, detector or FakeDetector(), workers=workers)


def sink_of(p, name="out"):
    return p.streams[0].sinks[name]


def alive():
    return [t for t in threading.enumerate() if t.name.startswith("vidan-")]


@pytest.mark.parametrize("workers", [1, 3])
def test_every_frame_of_a_file_arrives_in_order(workers):
    p = pipeline(
        FakeSource(200), FakeDetector(jitter=random.Random(1)), sinks=None, workers=workers
    )
    stats = p.run()
    sink = sink_of(p)
    assert sink.indices == list(range(200))
    assert [r.detections.boxes[0, 0] for r in sink.results] == list(range(200))
    assert (stats.captured, stats.frames, stats.dropped, stats.skipped) == (200, 200, 0, 0)
    assert not alive()


def test_each_part_is_closed_once_by_the_thread_that_used_it():
    p = pipeline(workers=2)
    p.run()
    source = p.streams[0].source
    assert (source.closed, source.closed_by) == (1, "vidan-source")
    assert p.detector.closed == 1
    assert p.detector.closed_by.startswith("vidan-detector-")
    assert (sink_of(p).closed, sink_of(p).closed_by) == (1, "vidan-sink-out")


def test_results_carry_labels_and_seconds_per_stage():
    p = pipeline(detector=FakeDetector(delay=0.01))
    p.run()
    result = sink_of(p).results[3]
    assert result.labels == ("thing",)
    assert set(result.timings) == {"source", "detector", "tracker"}
    assert result.timings["detector"] >= 0.01


def test_a_sink_that_shows_figures_is_told_what_the_run_measures():
    class LiveStats(FakeSink):
        def bind_stats(self, stats):
            self.stats = stats

        def write(self, result):
            assert self.stats.frames > 0
            super().write(result)

    sink = LiveStats()
    p = pipeline(sinks={"out": sink, "other": FakeSink()}, analyzers={"presence": Presence()})
    assert p.run() is sink.stats
    assert sink.stats.objects == {"thing": 1}


def test_no_frames_at_all():
    p = pipeline(FakeSource(0))
    assert p.run().frames == 0
    assert sink_of(p).closed == 1


def test_gaps_in_the_index_count_as_skipped_by_the_source():
    p = pipeline(FakeSource(3, indices=[0, 2, 5]))
    assert p.run().skipped == 3  # 1, 3 and 4


@pytest.mark.parametrize(("known", "total"), [(True, 4), (False, 4)])
def test_max_frames_ends_early(known, total):
    p = pipeline(FakeSource(None if not known else 10, known=known), max_frames=4)
    assert p.total == total
    p.run()
    assert sink_of(p).indices == [0, 1, 2, 3]


def test_an_identity_counts_once():
    stats = pipeline(analyzers={"presence": Presence()}).run()
    assert stats.summary()["objects"] == {"thing": 1}


def test_a_live_source_drops_what_is_too_old_and_counts_it():
    period, detecting = 0.01, 0.1
    p = pipeline(FakeSource(60, live=True, delay=period), FakeDetector(delay=detecting))
    stats = p.run()
    sink = sink_of(p)
    assert stats.dropped > 0
    assert stats.frames + stats.dropped == stats.captured == 60
    assert sink.indices == sorted(set(sink.indices))
    # The newest frame is one period old at most when its detection starts; the rest is slack
    # for a busy machine. A queue of frames would make the last ages seconds long.
    assert sorted(sink.ages)[len(sink.ages) // 2] < detecting + period + 0.1
    assert sink.indices[-1] == 59


def test_a_view_takes_the_newest_and_never_stalls_a_recording():
    view, recording = FakeSink(lossless=False, delay=0.05), FakeSink()
    pipeline(FakeSource(50, delay=0.002), sinks={"view": view, "recording": recording}).run()
    assert recording.indices == list(range(50))
    assert len(view.indices) < 50
    assert view.indices[-1] == 49


@pytest.mark.parametrize("at", [0, 7, 19])
@pytest.mark.parametrize("stage", ["source", "detector", "tracker", "sink.out"])
def test_a_failure_names_stage_and_frame_and_keeps_what_was_done(stage, at):
    parts = {
        "source": FakeSource(20, fail_at=at if stage == "source" else None),
        "detector": FakeDetector(fail_at=at if stage == "detector" else None),
        "tracker": FakeTracker(fail_at=at if stage == "tracker" else None),
        "sinks": {
            "out": FakeSink(fail_at=at if stage == "sink.out" else None),
            "other": FakeSink(),
        },
    }
    p = pipeline(**parts)
    with pytest.raises(StageError) as caught:
        p.run()
    assert caught.value.stage == stage
    assert caught.value.frame == (None if stage == "source" and at == 0 else at)
    assert str(caught.value.__cause__).endswith("broke")
    assert not alive()
    stream = p.streams[0]
    for part in (stream.source, p.detector, *stream.sinks.values()):
        assert part.closed == 1
    done = sink_of(p, "other").indices
    assert done == list(range(len(done)))
    assert len(done) >= at  # what came before the failure was written


@pytest.mark.parametrize("frames", [0, 5])
def test_a_sink_that_fails_to_close(frames):
    p = pipeline(FakeSource(frames), sinks={"out": FakeSink(fail_close=True)})
    with pytest.raises(StageError, match=r"sink\.out: RuntimeError: sink did not close"):
        p.run()


def test_the_other_sinks_go_on_if_asked(caplog):
    sinks = {"out": FakeSink(fail_at=3), "view": FakeSink(), "late": FakeSink(fail_at=30)}
    p = pipeline(FakeSource(50), sinks=sinks, on_sink_error="continue")
    with pytest.raises(StageError, match=r"sink\.out at frame 3: .*sink broke"):
        p.run()
    assert [len(sink.indices) for sink in sinks.values()] == [3, 50, 30]
    assert [sink.closed for sink in sinks.values()] == [1, 1, 1]
    assert "sink.out at frame 3: RuntimeError: sink broke; the run continues without" in caplog.text
    assert [failure.stage for failure in p.failures] == ["sink.out", "sink.late"]


def test_a_run_ends_with_its_last_sink():
    sinks = {"out": FakeSink(fail_at=3), "other": FakeSink(fail_at=20)}
    p = pipeline(FakeSource(None, known=False), sinks=sinks, on_sink_error="continue")
    with pytest.raises(StageError, match=r"sink\.out"):
        p.run()
    assert len(p.failures) == 2
    assert not alive()


def test_a_loop_goes_on_without_the_sinks():
    p = pipeline(FakeSource(50), sinks={"out": FakeSink(fail_at=3)}, on_sink_error="continue")
    seen = []
    with pytest.raises(StageError, match=r"sink\.out"):
        seen.extend(result.frame.index for result in p)
    assert seen == [*range(50)]


def test_a_second_failure_is_logged(caplog):
    sinks = {"out": FakeSink(fail_at=3, fail_close=True)}
    with pytest.raises(StageError, match="sink broke"), caplog.at_level(logging.ERROR):
        pipeline(sinks=sinks).run()
    assert "sink did not close" in caplog.text


def test_a_detector_that_returns_too_little():
    class ResettingTracker(FakeDetector):
        def detect(self, frames):
            return []

    with pytest.raises(StageError, match=r"detector at frame 0: .*expected 1 result.*got 0"):
        pipeline(detector=ResettingTracker()).run()


def test_a_plugin_that_calls_exit_ends_the_run_with_an_error():
    class Quitter(FakeTracker):
        def update(self, frame, detections):
            raise SystemExit(0)

    with pytest.raises(StageError, match="tracker at frame 0: SystemExit: 0"):
        pipeline(tracker=Quitter()).run()


def test_a_sink_can_end_the_run():
    viewer, recording = FakeSink(stop_at=5), FakeSink()
    p = pipeline(FakeSource(None, known=False), sinks={"viewer": viewer, "recording": recording})
    p.run()
    assert viewer.indices == [0, 1, 2, 3, 4]
    assert recording.indices[:6] == [0, 1, 2, 3, 4, 5]
    assert recording.closed == 1


def test_one_interrupt_finishes_the_files():
    p = pipeline(FakeSource(None, known=False), sinks={"out": FakeSink(delay=0.001)})

    def interrupt_once(stats):
        if stats.frames >= 5 and p.interrupted is None:
            p.interrupt()

    stats = p.run(interrupt_once)
    assert sink_of(p).indices == list(range(stats.captured))[: stats.frames]
    assert stats.frames >= 5


def test_two_interrupts_discard_what_waits():
    sink = FakeSink(delay=0.05)
    p = pipeline(FakeSource(None, known=False), sinks={"out": sink}, buffer=50)

    def interrupt_twice(stats):
        if stats.frames >= 20:
            p.interrupt()
            p.interrupt()

    stats = p.run(interrupt_twice)
    assert len(sink.results) < stats.frames
    assert sink.closed == 1


class StuckDetector(FakeDetector):
    """Does not return from one frame until it is released."""

    def __init__(self, at):
        super().__init__()
        self.at, self.release = at, threading.Event()

    def detect(self, frames):
        if frames[0].index == self.at:
            self.release.wait(60)
        return super().detect(frames)


@pytest.fixture
def stuck(monkeypatch):
    monkeypatch.setattr("vidan.runtime.pipeline.ABANDON_AFTER_S", 0.3)
    detector = StuckDetector(5)
    yield detector
    detector.release.set()
    for thread in alive():
        thread.join(10)


def test_a_detection_without_end_fails_and_everything_else_ends(stuck):
    sink = FakeSink()
    stream = Stream(FakeSource(None), FakeTracker(), {"out": sink})
    with pytest.raises(StageError, match="detector at frame 5: TimeoutError: no result after"):
        Pipeline(stream, stuck, detection_timeout=0.2).run()
    assert (sink.indices, sink.closed, stream.source.closed) == (list(range(5)), 1, 1)
    assert [thread.name for thread in alive()] == ["vidan-detector-0"]


def test_all_streams_end_with_a_detection_without_end(stuck):
    sinks = [FakeSink(), FakeSink()]
    streams = [Stream(FakeSource(None), FakeTracker(), {"out": s}, name=f"{s}") for s in sinks]
    with pytest.raises(StageError, match="no result after"):
        Pipeline(streams, stuck, detection_timeout=0.2).run()
    assert [sink.closed for sink in sinks] == [1, 1]


def test_two_interrupts_end_a_run_whose_detector_does_not_return(stuck, caplog):
    p = pipeline(FakeSource(None, known=False), stuck)

    def interrupt_twice(stats):
        if stats.frames == 5 and not p.interrupted:
            p.interrupt()
            p.interrupt()

    stats = p.run(interrupt_twice)
    assert (stats.frames, sink_of(p).closed, p.streams[0].source.closed) == (5, 1, 1)
    assert "detector-0 did not end and is left behind" in caplog.text


def test_a_keyboard_interrupt_in_the_caller_stops_the_run():
    p = pipeline(FakeSource(None, known=False))
    raised = []

    def ctrl_c(stats):
        if not raised:
            raised.append(1)
            raise KeyboardInterrupt

    p.run(ctrl_c)
    assert p.interrupted is not None
    assert not alive()


def test_a_failing_progress_display_ends_the_run_and_is_raised():
    def broken(stats):
        raise ValueError("no terminal")

    with pytest.raises(StageError, match="progress: ValueError: no terminal"):
        pipeline(FakeSource(None, known=False)).run(broken)
    assert not alive()


def random_run(rng):
    """A run with random speeds, workers, stops and failures; what was broken on purpose."""

    def maybe(p, value):
        return value if rng.random() < p else None

    at = rng.randrange(30)
    sinks = {
        "out": FakeSink(
            delay=rng.choice([0, 0.001]), fail_at=maybe(0.2, at), fail_close=rng.random() < 0.1
        ),
        "view": FakeSink(lossless=False, delay=rng.choice([0, 0.003]), stop_at=maybe(0.1, at)),
    }
    p = pipeline(
        FakeSource(
            rng.choice([0, 1, 40]),
            live=rng.random() < 0.5,
            delay=rng.choice([0, 0.0005]),
            fail_at=maybe(0.2, at),
        ),
        FakeDetector(delay=rng.choice([0, 0.002]), fail_at=maybe(0.2, at), jitter=maybe(0.3, rng)),
        FakeTracker(fail_at=maybe(0.2, at)),
        sinks,
        workers=rng.randint(1, 4),
        buffer=rng.randint(1, 3),
        on_sink_error="stop" if rng.random() < 0.5 else "continue",
    )
    stops = rng.choice([0, 0, 1, 2])
    return p, stops, rng.random() * 0.03


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("runs", [25, pytest.param(250, marks=pytest.mark.stress)])
def test_random_stops_and_failures(seed, runs):
    rng = random.Random(seed)
    for number in range(runs):
        p, stops, after = random_run(rng)
        timers = [threading.Timer(after * (n + 1), p.interrupt) for n in range(stops)]
        with ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(p.run)
            for timer in timers:
                timer.start()
            try:
                error = outcome.exception(timeout=20)
            except TimeoutError:
                pytest.fail(f"run {number} of seed {seed} hangs")
        for timer in timers:
            timer.join()
        assert not alive(), f"run {number} of seed {seed} left threads"
        stream = p.streams[0]
        parts = (stream.source, p.detector, stream.tracker, *stream.sinks.values())
        assert isinstance(error, StageError) == any(part.raised for part in parts)
        assert [part.closed for part in parts if part is not stream.tracker] == [1, 1, 1, 1]
        indices = sink_of(p).indices
        assert indices == sorted(set(indices))
        if error is None and not stops and sink_of(p, "view").stop_at is None:
            assert p.stats.frames + p.stats.dropped == p.stats.captured
