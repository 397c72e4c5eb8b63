"""Random stops, losses and failures of streams that share a detector."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vidan import StageError
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream

from ..fakes import FakeDetector, FakeSink, FakeSource, FakeTracker

FATES = ("whole", "source", "tracker", "sink", "sink's end", "detector", "stopped", "stalled")


class NamedSource(FakeSource):
    """Its frames have the name of its stream; after `stall_at` frames none come anymore."""

    def __init__(self, name, *args, stall_at=None, **options):
        super().__init__(*args, **options)
        self.name, self.stall_at = name, stall_at
        self.stopped = threading.Event()

    def __iter__(self):
        for each in super().__iter__():
            if each.index == self.stall_at:
                self.stopped.wait()
                return
            each.stream = self.name
            yield each

    def stop(self):
        self.stopped.set()


class SharedDetector(FakeDetector):
    """Fails at some frames of some streams."""

    def __init__(self, rng, failing, batch):
        super().__init__(delay=rng.choice([0, 0.001]), jitter=rng if rng.random() < 0.3 else None)
        self.batch, self.failing = batch, failing

    def detect(self, frames):
        for each in frames:
            if self.failing.get(each.stream) == each.index:
                self.break_down("detector broke")
        return super().detect(frames)


class Camera:
    """A stream, and what happens to it."""

    def __init__(self, rng, name):
        self.fate = rng.choice(FATES)
        self.count = rng.choice([0, 1, 25])
        self.at = rng.randrange(25)

        def at(fate):
            return self.at if self.fate == fate else None

        self.sink = FakeSink(
            delay=rng.choice([0, 0.001]), fail_at=at("sink"), fail_close=self.fate == "sink's end"
        )
        self.source = NamedSource(
            name,
            self.count,
            live=rng.random() < 0.3,
            delay=rng.choice([0, 0.0005, 0.002]),
            fail_at=at("source"),
            stall_at=at("stalled"),
        )
        self.tracker = FakeTracker(fail_at=at("tracker"))
        self.stream = Stream(
            self.source, self.tracker, {"out": self.sink}, name=name, buffer=rng.randint(1, 3)
        )

    @property
    def broken(self):
        """Whether a part of it failed; the detector is shared."""
        reached = self.fate == "detector" and self.at in self.taken
        return any(part.raised for part in (self.source, self.tracker, self.sink)) or reached

    @property
    def taken(self):
        return {failure.frame for failure in self.stream.failures}

    def check(self):
        indices = self.sink.indices
        assert indices == sorted(set(indices))
        assert len(self.stream.failures) == self.broken, (self.fate, self.stream.failures)
        if self.source.live:
            return
        cut = self.fate in ("stopped", "stalled") or self.broken
        if not cut or self.fate == "sink's end":
            assert indices == list(range(self.count)), self.fate
        else:
            assert indices == list(range(len(indices))), self.fate
            if self.fate in ("source", "tracker", "sink", "detector") and self.broken:
                assert len(indices) == self.at, self.fate


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("runs", [15, pytest.param(250, marks=pytest.mark.stress)])
def test_random_stops_losses_and_failures_of_streams(seed, runs):
    rng = random.Random(seed)
    for number in range(runs):
        cameras = [Camera(rng, f"camera{n}") for n in range(rng.randint(2, 6))]
        failing = {c.source.name: c.at for c in cameras if c.fate == "detector"}
        detector = SharedDetector(rng, failing, rng.choice([1, 2, 4]))
        streams = [camera.stream for camera in cameras]
        pipeline = Pipeline(streams, detector, workers=rng.randint(1, 3))
        timers = [
            threading.Timer(rng.random() * 0.05, camera.stream.stop)
            for camera in cameras
            if camera.fate in ("stopped", "stalled")
        ]
        with ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(pipeline.run)
            for timer in timers:
                timer.start()
            try:
                error = outcome.exception(timeout=20)
            except TimeoutError:
                pytest.fail(f"run {number} of seed {seed} hangs")
        for timer in timers:
            timer.join()
        assert not [t for t in threading.enumerate() if t.name.startswith("vidan-")]
        for camera in cameras:
            camera.check()
        assert isinstance(error, StageError) == any(camera.broken for camera in cameras)
        assert len(pipeline.failures) == sum(camera.broken for camera in cameras)
        closed = [detector.closed, *(part.closed for c in cameras for part in (c.source, c.sink))]
        assert set(closed) == {1}
