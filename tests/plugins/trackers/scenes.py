"""Frames, detections and walking people for the tests of trackers."""

import itertools

import numpy as np
from hypothesis import strategies as st

from vidan.testing import detections as found
from vidan.types import Frame


class Blank(Frame):
    """A frame whose image must not be requested."""

    def __init__(self, index=0, width=1920, height=1080):
        super().__init__(
            index=index,
            time=index / 30,
            captured=0.0,
            stream="test",
            width=width,
            height=height,
        )

    def _make_rgb(self):
        raise AssertionError("the image is not needed")

    def resized(self, width, height):
        raise AssertionError("the image is not needed")


class Painted(Blank):
    """A gray frame with rectangles: {(x1, y1, x2, y2): (r, g, b)}."""

    def __init__(self, index=0, rectangles=None, width=320, height=240):
        super().__init__(index, width, height)
        self._rectangles = rectangles or {}

    def _make_rgb(self):
        image = np.full((self.height, self.width, 3), 128, np.uint8)
        for (x1, y1, x2, y2), color in self._rectangles.items():
            image[max(y1, 0) : y2, max(x1, 0) : x2] = color
        return image


def track(tracker, updates, frames=None):
    """The Tracks after each of some Detections, in frames 0, 1, 2 ... or in those given."""
    indices = itertools.count() if frames is None else frames
    return [tracker.update(Blank(i), each) for i, each in zip(indices, updates, strict=False)]


def ids(tracks):
    return tracks.ids.tolist()


def walkers(seed, people, updates, missing=0.05, jitter=2.0, features=0):
    """Detections, per update, of people walking straight in 1920x1080; some are missing."""
    rng = np.random.default_rng(seed)
    center = rng.uniform((100, 200), (1820, 880), (people, 2))
    step = rng.uniform(-4, 4, (people, 2))
    half = np.array([0.2, 0.5]) * rng.uniform(80, 300, (people, 1))
    appearance = rng.normal(size=(people, features))
    out = []
    for k in range(updates):
        detected = rng.random(people) >= missing
        at = (center + k * step + rng.normal(0, jitter, (people, 2)))[detected]
        boxes = np.concatenate([at - half[detected], at + half[detected]], axis=1)
        vectors = appearance[detected] + rng.normal(0, 0.1, (detected.sum(), features))
        out.append(found(boxes, features=vectors if features else None))
    return out


sides = st.one_of(st.just(0.0), st.floats(0.0, 1e5, width=32))
corners = st.one_of(
    st.floats(-100, 2000, width=32), st.sampled_from([0.0, 1920.0]), st.floats(-1e6, 1e6, width=32)
)


@st.composite
def any_detections(draw, most=6):
    """Detections of every kind: none, degenerate, huge, outside the image, identical."""
    rows = draw(st.lists(st.tuples(corners, corners, sides, sides), max_size=most))
    boxes = np.array(rows, np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    scores = draw(st.lists(st.floats(0, 1, width=32), min_size=len(rows), max_size=len(rows)))
    classes = draw(st.lists(st.integers(-1, 3), min_size=len(rows), max_size=len(rows)))
    return found(boxes, scores, classes)


@st.composite
def any_stream(draw, most=25):
    """Updates of a stream: a list of (frame index, Detections), with gaps of up to 500 frames."""
    updates = draw(st.lists(any_detections(), min_size=1, max_size=most))
    count = len(updates)
    gap = st.one_of(st.just(1), st.integers(1, 500))
    gaps = draw(st.lists(gap, min_size=count, max_size=count))
    repeat = draw(st.booleans())  # repeating the same boxes makes tracks that last
    seen = [updates[0] if repeat and k % 3 else each for k, each in enumerate(updates)]
    return list(zip(np.cumsum(gaps).tolist(), seen, strict=True))
