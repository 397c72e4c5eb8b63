"""SORT: which tracks it reports and when, on scenes computed by hand."""

import numpy as np
import pytest

from vidan.config.build import build
from vidan.errors import ConfigError
from vidan_plugins.trackers.sort import Sort

from .scenes import Blank, found, ids, track, walkers

STILL = found([[100, 100, 150, 200]])
NOTHING = found([])


def test_tracks_of_the_first_updates_are_reported_at_once():
    tracks = track(Sort(), [STILL] * 5)
    assert [ids(t) for t in tracks] == [[1]] * 5
    np.testing.assert_allclose(tracks[-1].boxes, STILL.boxes, atol=1e-3)
    assert tracks[-1].detection.tolist() == [0]
    assert tracks[-1].misses.tolist() == [0]


def test_later_tracks_are_reported_after_min_hits_consecutive_matches():
    # updates 1 to 3 are empty; the box appears in update 4 and is matched in 5, 6 and 7
    tracks = track(Sort(min_hits=3), [NOTHING] * 3 + [STILL] * 4)
    assert [len(t) for t in tracks] == [0, 0, 0, 0, 0, 0, 1]


def test_a_miss_hides_a_track_and_resets_its_consecutive_matches():
    tracks = track(Sort(max_age=5), [STILL] * 5 + [NOTHING] + [STILL] * 4)
    assert [len(t) for t in tracks] == [1, 1, 1, 1, 1, 0, 0, 0, 1, 1]
    assert ids(tracks[-1]) == [1]  # but it is the same track


@pytest.mark.parametrize(("max_age", "expected"), [(1, 2), (2, 1)])
def test_a_track_with_too_many_misses_does_not_return(max_age, expected):
    # two empty updates, one more than max_age=1 allows
    tracks = track(Sort(max_age=max_age, min_hits=0), [STILL, NOTHING, NOTHING, STILL, STILL])
    assert ids(tracks[-1]) == [expected]


def test_a_box_with_too_little_overlap_is_another_object():
    # 40 of 160 px² wide boxes in common: IoU 10/30 = 0.33 above, 8/32 = 0.25 below 0.3
    a, near, far = [0, 0, 20, 10], [10, 0, 30, 10], [12, 0, 32, 10]
    assert ids(track(Sort(), [found([a]), found([near])])[1]) == [1]
    assert ids(track(Sort(), [found([a]), found([far])])[1]) == [2]


def test_each_track_names_the_row_of_its_detection():
    a, b = [0, 0, 50, 100], [400, 0, 450, 100]
    first, second = track(Sort(), [found([a, b]), found([b, a])])
    assert ids(first) == ids(second) == [1, 2]
    assert first.detection.tolist() == [0, 1]
    assert second.detection.tolist() == [1, 0]


def test_scores_come_from_the_detection_and_classes_from_a_vote():
    updates = [found(STILL.boxes, [s], [c]) for s, c in ((0.9, 1), (0.9, 1), (0.3, 0))]
    last = track(Sort(), updates)[-1]
    assert last.scores.tolist() == pytest.approx([0.3])
    assert last.classes.tolist() == [1]


def test_classes_do_not_affect_matching():
    updates = [found(STILL.boxes, classes=[k % 2]) for k in range(6)]
    assert [ids(t) for t in track(Sort(), updates)] == [[1]] * 6


@pytest.mark.parametrize("every", [1, 5])
def test_skipped_frames_do_not_distort_velocities(every):
    # 6 px to the right per frame of the stream; the object is 60 px wide
    frames = list(range(0, 100, every))
    updates = [found([[6 * i, 100, 6 * i + 60, 250]]) for i in frames]
    tracker = Sort()
    tracks = track(tracker, updates, frames)
    assert {i for t in tracks[5:] for i in ids(t)} == {ids(tracks[-1])[0]}
    velocity = tracker.table.kalman.velocities[0, 0]
    assert velocity == pytest.approx(6.0, abs=0.05)
    # and after 10 frames without an update it is predicted, and found, 60 px further
    at = frames[-1] + 10
    again = tracker.update(Blank(at), found([[6 * at, 100, 6 * at + 60, 250]]))
    assert ids(again) == ids(tracks[-1])


def test_a_slow_detector_does_not_end_tracks():
    # max_age=1 counts updates: every 25th frame of a standing object is enough
    tracks = track(Sort(max_age=1), [STILL] * 10, range(0, 250, 25))
    assert [ids(t) for t in tracks] == [[1]] * 10


def test_both_kalman_filters_produce_the_same_tracks():
    updates = walkers(seed=4, people=20, updates=60)
    frames = [k + 3 * (k > 20) + 9 * (k > 40) for k in range(60)]
    tracks = (track(Sort(kalman=k), updates, frames) for k in ("batched", "filterpy"))
    for a, b in zip(*tracks, strict=True):
        assert ids(a) == ids(b)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-5)


def test_ended_tracks_are_deleted():
    tracker = Sort()
    track(tracker, walkers(seed=7, people=50, updates=60, missing=0.5))
    track(tracker, [NOTHING] * 2, [60, 61])
    assert len(tracker.table) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_age": -1}, "max_age: expected `int` >= 0, not -1"),
        ({"max_age": 1.5}, "max_age: expected `int`, got `float`, not 1.5"),
        ({"min_hits": "3"}, "min_hits: expected `int`, got `str`, not '3'"),
        ({"min_hits": True}, "min_hits: expected `int`, got `bool`, not True"),
        ({"iou_threshold": 1.2}, "iou_threshold: expected `float` <= 1.0, not 1.2"),
        ({"iou_threshold": float("nan")}, "iou_threshold=nan: expected a finite number"),
        ({"iou_threshold": None}, "iou_threshold: expected `float`, got `null`, not None"),
        ({"kalman": "batch"}, "kalman='batch': did you mean 'batched'"),
        ({"kalman": None}, "kalman: .*None"),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ConfigError, match=rf"^tracker\.{message}"):
        build("tracker", {"name": "sort", **options})
