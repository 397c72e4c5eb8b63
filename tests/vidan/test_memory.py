"""The number of frames in memory does not depend on the length of a run."""

import gc
import weakref

import pytest

from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream

from .fakes import FakeDetector, FakeSink, FakeSource, FakeTracker, frame

MOST = 12


class Counted(FakeSource):
    """Counts the frames in memory whenever a new one is created."""

    def __init__(self, count):
        super().__init__(count)
        self.alive = weakref.WeakSet()
        self.peak = 0

    def __iter__(self):
        for n in range(self.count):
            one = frame(n)
            self.alive.add(one)
            self.peak = max(self.peak, len(self.alive))
            yield one


class Forgetting(FakeSink):
    """A slow sink that keeps nothing, so all channels fill up."""

    def write(self, result):
        super().write(result)
        self.results.clear()


@pytest.mark.parametrize("workers", [1, 2])
def test_few_frames_are_in_memory_at_once(workers):
    peaks = []
    gc.disable()  # frames must be freed by reference counting alone
    try:
        for count in (60, 240):
            source = Counted(count)
            sinks = {name: Forgetting(delay=0.001) for name in ("video", "jsonl")}
            sinks["window"] = Forgetting(lossless=False, delay=0.004)
            Pipeline(Stream(source, FakeTracker(), sinks), FakeDetector(), workers=workers).run()
            peaks.append(source.peak)
    finally:
        gc.enable()
    assert 3 <= max(peaks) <= MOST
