"""SORT: what it reports and when, on scenes worked out by hand."""

import numpy as np
import pytest

from vidan.errors import ConfigError
from vidan_plugins.trackers.sort import Sort

from .scenes import Blank, follow, found, ids, walkers

STILL = found([[100, 100, 150, 200]])
NOTHING = found([])


def test_a_stream_begins_with_tracks_at_once():
    tracks = follow(Sort(), [STILL] * 5)
    assert [ids(t) for t in tracks] == [[1]] * 5
    np.testing.assert_allclose(tracks[-1].boxes, STILL.boxes, atol=1e-3)
    assert tracks[-1].detection.tolist() == [0]
    assert tracks[-1].misses.tolist() == [0]


def test_later_a_track_shows_after_min_hits_matches_in_a_row():
    # looks 1 to 3 are empty; the box comes in look 4 and is matched in looks 5, 6 and 7
    tracks = follow(Sort(min_hits=3), [NOTHING] * 3 + [STILL] * 4)
    assert [len(t) for t in tracks] == [0, 0, 0, 0, 0, 0, 1]


def test_a_miss_hides_a_track_and_starts_its_row_of_hits_anew():
    tracks = follow(Sort(max_age=5), [STILL] * 5 + [NOTHING] + [STILL] * 4)
    assert [len(t) for t in tracks] == [1, 1, 1, 1, 1, 0, 0, 0, 1, 1]
    assert ids(tracks[-1]) == [1]  # but it is the same track


@pytest.mark.parametrize(("max_age", "expected"), [(1, 2), (2, 1)])
def test_a_track_that_is_missed_too_often_does_not_come_back(max_age, expected):
    # two empty looks, one more than max_age=1 bears
    tracks = follow(Sort(max_age=max_age, min_hits=0), [STILL, NOTHING, NOTHING, STILL, STILL])
    assert ids(tracks[-1]) == [expected]


def test_a_box_that_overlaps_too_little_is_another_object():
    # 40 of 160 px² wide boxes in common: IoU 10/30 = 0.33 above, 8/32 = 0.25 below 0.3
    a, near, far = [0, 0, 20, 10], [10, 0, 30, 10], [12, 0, 32, 10]
    assert ids(follow(Sort(), [found([a]), found([near])])[1]) == [1]
    assert ids(follow(Sort(), [found([a]), found([far])])[1]) == [2]


def test_each_detection_is_told_by_its_row():
    a, b = [0, 0, 50, 100], [400, 0, 450, 100]
    first, second = follow(Sort(), [found([a, b]), found([b, a])])
    assert ids(first) == ids(second) == [1, 2]
    assert first.detection.tolist() == [0, 1]
    assert second.detection.tolist() == [1, 0]


def test_scores_are_of_the_detection_and_classes_a_vote():
    looks = [found(STILL.boxes, [s], [c]) for s, c in ((0.9, 1), (0.9, 1), (0.3, 0))]
    last = follow(Sort(), looks)[-1]
    assert last.scores.tolist() == pytest.approx([0.3])
    assert last.classes.tolist() == [1]


def test_classes_play_no_part_in_matching():
    looks = [found(STILL.boxes, classes=[k % 2]) for k in range(6)]
    assert [ids(t) for t in follow(Sort(), looks)] == [[1]] * 6


@pytest.mark.parametrize("every", [1, 5])
def test_frames_left_out_do_not_bend_velocities(every):
    # 6 px to the right in each frame of the stream; the object is 60 px wide
    frames = list(range(0, 100, every))
    looks = [found([[6 * i, 100, 6 * i + 60, 250]]) for i in frames]
    tracker = Sort()
    tracks = follow(tracker, looks, frames)
    assert {i for t in tracks[5:] for i in ids(t)} == {ids(tracks[-1])[0]}
    velocity = tracker._roster.kalman.velocities[0, 0]
    assert velocity == pytest.approx(6.0, abs=0.05)
    # and after 10 frames without a look it is expected, and found, 60 px on
    at = frames[-1] + 10
    again = tracker.update(Blank(at), found([[6 * at, 100, 6 * at + 60, 250]]))
    assert ids(again) == ids(tracks[-1])


def test_a_slow_detector_does_not_wear_out_patience():
    # max_age=1 counts looks: every 25th frame of something that stands still is enough
    tracks = follow(Sort(max_age=1), [STILL] * 10, range(0, 250, 25))
    assert [ids(t) for t in tracks] == [[1]] * 10


def test_both_kalman_filters_give_the_same_tracks():
    looks = walkers(seed=4, people=20, looks=60)
    frames = [k + 3 * (k > 20) + 9 * (k > 40) for k in range(60)]
    tracks = (follow(Sort(kalman=k), looks, frames) for k in ("batched", "filterpy"))
    for a, b in zip(*tracks, strict=True):
        assert ids(a) == ids(b)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-5)


def test_tracks_that_are_gone_are_gone():
    tracker = Sort()
    follow(tracker, walkers(seed=7, people=50, looks=60, missing=0.5))
    follow(tracker, [NOTHING] * 2, [60, 61])
    assert len(tracker._roster) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_age": -1}, r"tracker.max_age=-1: expected a whole number of at least 0"),
        ({"max_age": 1.5}, r"tracker.max_age=1.5: "),
        ({"min_hits": "3"}, r"tracker.min_hits='3': "),
        ({"min_hits": True}, r"tracker.min_hits=True: "),
        ({"iou_threshold": 1.2}, r"tracker.iou_threshold=1.2: expected a number from 0 to 1"),
        ({"iou_threshold": float("nan")}, r"tracker.iou_threshold=nan: "),
        ({"iou_threshold": None}, r"tracker.iou_threshold=None: "),
        ({"kalman": "batch"}, r"tracker.kalman='batch': did you mean 'batched'"),
        ({"kalman": None}, r"tracker.kalman=None: there is batched, filterpy"),
    ],
)
def test_values_that_cannot_be_used(options, message):
    with pytest.raises(ConfigError, match=message):
        Sort(**options)
