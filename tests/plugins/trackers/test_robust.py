"""What holds for every tracker, whatever comes: one suite for all of them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan.types import Detections
from vidan_plugins.trackers.bytetrack import ByteTrack
from vidan_plugins.trackers.deepsort import DeepSort
from vidan_plugins.trackers.sort import Sort
from vidan_plugins.trackers.steady import Steady

from .scenes import Blank, any_stream, follow, found, ids, walkers

TRACKERS = {
    "sort": Sort,
    "bytetrack": ByteTrack,
    "deepsort": DeepSort,
    "deepsort without appearance": lambda: DeepSort(embedder="none"),
    "steady": Steady,
}
FEATURES = {"deepsort": 8}
NOTHING = found([])
BOX = [100, 100, 150, 200]

every = pytest.mark.parametrize("name", TRACKERS)


def make(name):
    return TRACKERS[name]()


def some(name, looks, seed=3, people=12, **more):
    return walkers(seed, people, looks, features=FEATURES.get(name, 0), **more)


def described(name, looks):
    """The looks, with features where the tracker would ask for pictures."""
    if name not in FEATURES:
        return looks
    return [
        Detections(d.boxes, d.scores, d.classes, np.ones((len(d), FEATURES[name]), np.float32))
        for d in looks
    ]


def same(one, other):
    """Whether two lists of Tracks are the same, to the bit."""
    fields = ("ids", "boxes", "scores", "classes", "misses", "detection")
    return len(one) == len(other) and all(
        np.array_equal(getattr(a, f), getattr(b, f))
        for a, b in zip(one, other, strict=True)
        for f in fields
    )


@every
def test_nothing_at_all(name):
    assert [len(t) for t in follow(make(name), [NOTHING] * 50)] == [0] * 50


@every
def test_a_single_frame(name):
    (look,) = described(name, [found([BOX, [300, 100, 350, 200]])])
    (tracks,) = follow(make(name), [look])
    assert len(tracks) in (0, 2)  # DeepSORT waits for more
    assert set(tracks.detection.tolist()) <= {0, 1}


@every
def test_a_stream_that_falls_empty_and_comes_back(name):
    looks = some(name, 60)
    looks[20:40] = [NOTHING] * 20
    tracks = follow(make(name), looks)
    assert len(tracks[19]) > 8
    assert len(tracks[-1]) > 8
    assert all((t.detection == -1).all() for t in tracks[20:40])


@every
def test_a_thousand_boxes_in_a_frame(name):
    tracks = follow(make(name), some(name, 5, people=1000, missing=0.0))
    assert len(tracks[-1]) > 700
    assert len(set(ids(tracks[-1]))) == len(tracks[-1])


@every
@pytest.mark.parametrize("gap", [200, 900, 10**7])
def test_gaps_of_hundreds_of_frames(name, gap):
    looks = some(name, 40)
    frames = [k + gap * (k >= 20) for k in range(40)]
    tracks = follow(make(name), looks, frames)
    assert len(tracks[19]) > 8
    assert len(tracks[-1]) > 6  # SORT shows nothing for three looks after a miss
    assert all(np.isfinite(t.boxes).all() for t in tracks)


@every
def test_boxes_at_the_border_and_beyond_it(name):
    # A person walks out of a picture of 1920x1080 on the right, another stands half outside.
    looks = [
        found([[1800 + 6 * k, 500, 1850 + 6 * k, 600], [-30, 980, 20, 1100]]) for k in range(60)
    ]
    tracks = follow(make(name), described(name, looks))
    assert all(len(t) <= 2 for t in tracks)
    assert all(len(t) == 2 for t in tracks[5:])


@every
def test_two_trackers_side_by_side(name):
    left, right = some(name, 40, seed=1), some(name, 40, seed=2)
    alone = follow(make(name), left), follow(make(name), right)
    a, b = make(name), make(name)
    both = [
        (a.update(Blank(k), one), b.update(Blank(k), other))
        for k, (one, other) in enumerate(zip(left, right, strict=True))
    ]
    assert same([x for x, _ in both], alone[0])
    assert same([y for _, y in both], alone[1])


@every
def test_the_same_result_from_run_to_run(name):
    looks = some(name, 60, missing=0.2)
    assert same(follow(make(name), looks), follow(make(name), looks))


@every
def test_ids_are_never_used_again(name):
    # The same place again and again, after longer than any track is remembered.
    looks = described(name, ([found([BOX])] * 6 + [NOTHING] * 120) * 4)
    runs = [set(ids(t)) for t in follow(make(name), looks) if len(t)]
    seen = set().union(*runs)
    assert len(seen) == 4
    assert [i for i, _ in itertools.groupby(i for run in runs for i in run)] == sorted(seen)


@every
@settings(max_examples=40, deadline=None)
@given(stream=any_stream())
def test_whatever_comes_tracks_are_sound(name, stream):
    tracker, highest, before = make(name), 0, set()
    looks = described(name, [look for _, look in stream])
    for (index, _), look in zip(stream, looks, strict=True):
        tracks = tracker.update(Blank(index), look)
        assert np.isfinite(tracks.boxes).all()
        assert (tracks.boxes[:, :2] <= tracks.boxes[:, 2:]).all()
        assert len(set(ids(tracks))) == len(tracks)
        matched = tracks.detection[tracks.detection >= 0]
        assert len(set(matched.tolist())) == len(matched)
        assert (matched < len(look)).all()
        assert ((tracks.misses == 0) == (tracks.detection >= 0)).all()
        now = set(tracker._roster.ids.tolist())
        assert all(i > highest for i in now - before)  # what is new was never there
        assert set(ids(tracks)) <= now | before
        highest, before = max(highest, *now, 0), now


@every
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_detections_does_not_matter(name, seed):
    # Generic boxes have no ties. Ids go by the order in which tracks begin, so they agree
    # up to a renaming, one to one.
    rng = np.random.default_rng(seed)
    looks = some(name, 25, seed=seed, people=15, missing=0.1)
    shuffled = [look[rng.permutation(len(look))] for look in looks]
    forth, back = {}, {}
    for one, other in zip(follow(make(name), looks), follow(make(name), shuffled), strict=True):
        a, b = (t.boxes[:, 0].argsort() for t in (one, other))
        np.testing.assert_allclose(one.boxes[a], other.boxes[b], rtol=1e-4, atol=1e-2)
        for i, j in zip(one.ids[a].tolist(), other.ids[b].tolist(), strict=True):
            assert forth.setdefault(i, j) == j
            assert back.setdefault(j, i) == i
