"""Results for the tests of the web sink."""

import time

import numpy as np

from vidan.types import Detections, Frame, Result, Tracks


class Still(Frame):
    """A gray image whose brightness is the index of the frame."""

    __slots__ = ()

    def _make_rgb(self):
        return np.full((self.height, self.width, 3), self.index % 256, np.uint8)

    def resized(self, width, height):
        return np.full((height, width, 3), self.index % 256, np.uint8)


class Noisy(Still):
    """An image that JPEG cannot compress."""

    __slots__ = ()

    def _make_rgb(self):
        rng = np.random.default_rng(self.index)
        return rng.integers(0, 256, (self.height, self.width, 3), np.uint8)


class Broken(Still):
    """An image that cannot be drawn."""

    __slots__ = ()

    def _make_rgb(self):
        raise RuntimeError("no such image")


def result(index, ids=(), kind=Still, width=64, height=48, events=()):
    n = len(ids)
    frame = kind(
        index=index,
        time=index / 10,
        captured=time.monotonic(),
        stream="door",
        width=width,
        height=height,
    )
    tracks = Tracks(
        np.array(ids, np.int64),
        np.tile(np.array([[8, 8, 24, 24]], np.float32), (n, 1)),
        np.full(n, 0.5, np.float32),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.full(n, -1, np.int32),
    )
    return Result(frame, Detections.empty(), tracks, ("person",), events)
