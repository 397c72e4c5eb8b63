"""Small components for tests of the core: no decoder, no model."""

from __future__ import annotations

import threading
import time

import numpy as np

from vidan import Detections, Frame, Result, Tracks


class GrayFrame(Frame):
    """A gray image, brighter from frame to frame, made on demand."""

    def _make_rgb(self):
        return np.full((self.height, self.width, 3), self.index % 256, np.uint8)

    def resized(self, width, height):
        return np.full((height, width, 3), self.index % 256, np.uint8)


def frame(index=0, *, stream="test", time_=None, width=64, height=48, filename=None):
    return GrayFrame(
        index=index,
        time=index / 30 if time_ is None else time_,
        captured=time.monotonic(),
        stream=stream,
        width=width,
        height=height,
        filename=filename,
    )


class Breaking:
    """Raises where it is told to, and remembers that it did."""

    raised = False

    def break_down(self, what):
        self.raised = True
        raise RuntimeError(what)


class Closing(Breaking):
    """Counts how often it was closed, and by which thread."""

    def __init__(self):
        self.closed = 0
        self.closed_by = None

    def close(self):
        self.closed += 1
        self.closed_by = threading.current_thread().name


class FakeSource(Closing):
    """`count` frames (None: endless), each after `delay` s; `indices` in place of 0, 1, 2, …."""

    def __init__(self, count=10, *, live=False, delay=0.0, indices=None, fail_at=None, known=True):
        super().__init__()
        self.live = live
        self.frames = count if known else None
        self.count = count
        self.delay = delay
        self.indices = indices
        self.fail_at = fail_at

    def __iter__(self):
        n = 0
        while self.count is None or n < self.count:
            if n == self.fail_at:
                self.break_down("source broke")
            if self.delay:
                time.sleep(self.delay)
            yield frame(n if self.indices is None else self.indices[n])
            n += 1


class FakeDetector(Closing):
    """One box per frame whose x is the frame's index."""

    labels = ("thing",)

    def __init__(self, *, delay=0.0, fail_at=None, jitter=None):
        super().__init__()
        self.delay = delay
        self.fail_at = fail_at
        self.jitter = jitter

    def detect(self, frames):
        found = []
        for each in frames:
            if each.index == self.fail_at:
                self.break_down("detector broke")
            pause = self.delay + (self.jitter.random() * 0.003 if self.jitter else 0)
            if pause:
                time.sleep(pause)
            x = float(each.index)
            found.append(
                Detections(
                    np.array([[x, 0, x + 10, 10]], np.float32),
                    np.array([0.9], np.float32),
                    np.zeros(1, np.int32),
                )
            )
        return found


class FakeTracker(Breaking):
    """Every detection is the same object."""

    def __init__(self, *, fail_at=None):
        self.fail_at = fail_at

    def update(self, frame, detections):
        if frame.index == self.fail_at:
            self.break_down("tracker broke")
        n = len(detections)
        zeros = np.zeros(n, np.int32)
        return Tracks(
            np.arange(1, n + 1, dtype=np.int64),
            detections.boxes,
            detections.scores,
            detections.classes,
            zeros,
            np.arange(n, dtype=np.int32),
        )


class FakeSink(Closing):
    """Keeps what it gets."""

    def __init__(self, *, lossless=True, delay=0.0, fail_at=None, fail_close=False, stop_at=None):
        super().__init__()
        self.lossless = lossless
        self.delay = delay
        self.fail_at = fail_at
        self.fail_close = fail_close
        self.stop_at = stop_at
        self.results: list[Result] = []
        self.ages: list[float] = []

    def write(self, result):
        if result.frame.index == self.fail_at:
            self.break_down("sink broke")
        if result.frame.index == self.stop_at:
            from vidan import StopRun

            raise StopRun
        if self.delay:
            time.sleep(self.delay)
        self.results.append(result)
        self.ages.append(time.monotonic() - result.frame.captured)

    def close(self):
        super().close()
        if self.fail_close:
            self.break_down("sink did not close")

    @property
    def indices(self):
        return [result.frame.index for result in self.results]
