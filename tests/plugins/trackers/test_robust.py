"""Properties of every tracker for any input: the conformance suite, and invariants.

The suite is the one that plugins run too. The other tests are for the built-in trackers, since
they inspect their track tables and need hypothesis.
"""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from vidan.testing import TrackerSuite
from vidan.types import Detections
from vidan_plugins.trackers.bytetrack import ByteTrack
from vidan_plugins.trackers.deepsort import DeepSort
from vidan_plugins.trackers.none import NoTracker
from vidan_plugins.trackers.sort import Sort
from vidan_plugins.trackers.steady import Steady

from .scenes import Blank, any_stream, ids, track, walkers


class TestSort(TrackerSuite):
    def make(self, tmp_path):
        return Sort()


class TestByteTrack(TrackerSuite):
    def make(self, tmp_path):
        return ByteTrack()


class TestDeepSort(TrackerSuite):
    features = 8

    def make(self, tmp_path):
        return DeepSort()


class TestDeepSortWithoutAppearance(TrackerSuite):
    def make(self, tmp_path):
        return DeepSort(embedder="none")


class TestSteady(TrackerSuite):
    def make(self, tmp_path):
        return Steady()


class TestNone(TrackerSuite):
    follows = False

    def make(self, tmp_path):
        return NoTracker()


TRACKERS = {
    "sort": Sort,
    "bytetrack": ByteTrack,
    "deepsort": DeepSort,
    "deepsort without appearance": lambda: DeepSort(embedder="none"),
    "steady": Steady,
}
FEATURES = {"deepsort": 8}

every = pytest.mark.parametrize("name", TRACKERS)


def with_features(name, found, seed):
    """The detections, with features if the tracker would request images."""
    if name not in FEATURES:
        return found
    vectors = np.random.default_rng(seed).normal(size=(len(found), FEATURES[name]))
    return Detections(found.boxes, found.scores, found.classes, vectors.astype(np.float32))


def rows(tracks):
    """All fields of some tracks, to the bit."""
    fields = ("ids", "boxes", "scores", "classes", "misses", "detection")
    return [getattr(tracks, field).tolist() for field in fields]


@every
@settings(max_examples=40, deadline=None)
@given(stream=any_stream())
def test_tracks_are_valid_for_any_input(name, stream):
    tracker, twin, highest, before = TRACKERS[name](), TRACKERS[name](), 0, set()
    for index, boxes in stream:
        found = with_features(name, boxes, index)
        tracks = tracker.update(Blank(index), found)
        assert np.isfinite(tracks.boxes).all()
        assert (tracks.boxes[:, :2] <= tracks.boxes[:, 2:]).all()
        assert sorted(set(ids(tracks))) == ids(tracks)  # each once, oldest first
        matched = tracks.detection[tracks.detection >= 0]
        assert len(set(matched.tolist())) == len(matched)
        assert (matched < len(found)).all()
        assert ((tracks.misses == 0) == (tracks.detection >= 0)).all()
        now = set(tracker.table.ids.tolist())
        assert all(i > highest for i in now - before)  # new ids were never used before
        assert set(ids(tracks)) <= now | before
        highest, before = max(highest, *now, 0), now
        assert rows(twin.update(Blank(index), found)) == rows(tracks)


@every
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
@example(seed=264255)
def test_the_order_of_detections_does_not_matter(name, seed):
    # Random boxes have no ties. Ids follow the order in which tracks start, so they are equal
    # up to a one-to-one renaming.
    rng = np.random.default_rng(seed)
    updates = walkers(seed, 15, 25, missing=0.1, features=FEATURES.get(name, 0))
    shuffled = [found[rng.permutation(len(found))] for found in updates]
    forth, back = {}, {}
    tracks = (track(TRACKERS[name](), each) for each in (updates, shuffled))
    for one, other in zip(*tracks, strict=True):
        assert len(one) == len(other)
        # Pairs of nearest boxes: two that begin at almost the same x have no order.
        a, b = linear_sum_assignment(cdist(one.boxes, other.boxes))
        np.testing.assert_allclose(one.boxes[a], other.boxes[b], rtol=1e-4, atol=1e-2)
        for i, j in zip(one.ids[a].tolist(), other.ids[b].tolist(), strict=True):
            assert forth.setdefault(i, j) == j
            assert back.setdefault(j, i) == i
