"""ByteTrack: its stages, on scenes worked out by hand."""

import numpy as np
import pytest

from vidan.errors import ConfigError
from vidan_plugins.trackers.bytetrack import ByteTrack

from .scenes import follow, found, ids, walkers

BOX = [100, 100, 150, 200]
NOTHING = found([])


def box(score, left=100):
    return found([[left, 100, left + 50, 200]], [score])


def test_a_stream_begins_with_tracks_at_once():
    assert [ids(t) for t in follow(ByteTrack(), [box(0.9)] * 3)] == [[1]] * 3


def test_later_a_track_shows_from_its_second_detection_on():
    tracks = follow(ByteTrack(), [NOTHING, box(0.9), box(0.9), box(0.9)])
    assert [ids(t) for t in tracks] == [[], [], [1], [1]]


def test_a_second_detection_that_does_not_come_at_once_is_another_track():
    tracks = follow(ByteTrack(), [NOTHING, box(0.9), NOTHING, box(0.9), box(0.9)])
    assert [ids(t) for t in tracks] == [[], [], [], [], [2]]


@pytest.mark.parametrize(("score", "expected"), [(0.71, [1]), (0.69, []), (0.2, [])])
def test_only_a_very_good_detection_begins_a_track(score, expected):
    assert ids(follow(ByteTrack(), [box(score)] * 3)[-1]) == expected


def test_a_weak_detection_goes_on_with_a_track():
    tracks = follow(ByteTrack(), [box(0.9)] * 3 + [box(0.2)] * 20 + [box(0.9)])
    assert [ids(t) for t in tracks] == [[1]] * 24
    assert tracks[10].scores.tolist() == pytest.approx([0.2])


def test_a_detection_below_the_low_score_is_left_out():
    tracks = follow(ByteTrack(), [box(0.9)] * 3 + [box(0.05)])
    assert ids(tracks[-1]) == []


def test_a_weak_detection_does_not_bring_back_a_track_that_was_missed():
    tracks = follow(ByteTrack(), [box(0.9)] * 3 + [NOTHING, box(0.3), box(0.65)])
    assert [ids(t) for t in tracks[3:]] == [[], [], [1]]  # a good one does, too weak to begin one


def test_good_detections_come_first():
    # The weak one lies exactly where the track is, the good one overlaps by 30 / 70.
    look = found([BOX, [120, 100, 170, 200]], [0.5, 0.9])
    tracks = follow(ByteTrack(), [box(0.9)] * 3 + [look])
    assert tracks[-1].detection.tolist() == [1]


@pytest.mark.parametrize(
    ("score", "left", "found_again"),
    [
        # 50 px wide; moved by 30 px 20 / 80 = 0.25 overlap, by 35 px 15 / 85 = 0.18;
        # by 15 px 35 / 65 = 0.54, by 20 px 30 / 70 = 0.43
        (0.9, 130, True),
        (0.9, 135, False),
        (0.3, 115, True),
        (0.3, 120, False),
    ],
)
def test_the_least_overlaps(score, left, found_again):
    tracks = follow(ByteTrack(), [box(0.9)] * 3 + [box(score, left)])
    assert (ids(tracks[-1]) == [1]) is found_again


@pytest.mark.parametrize(("missed", "expected"), [(3, [1]), (4, [])])
def test_a_track_is_given_up_after_max_age(missed, expected):
    tracks = follow(ByteTrack(max_age=3), [box(0.9)] * 3 + [NOTHING] * missed + [box(0.65)])
    assert ids(tracks[-1]) == expected


def test_people_keep_their_identities():
    looks = walkers(seed=8, people=12, looks=100)
    assert len({i for t in follow(ByteTrack(), looks) for i in ids(t)}) == 12


def test_both_kalman_filters_give_the_same_tracks():
    looks = walkers(seed=4, people=20, looks=60)
    frames = [k + 3 * (k > 20) + 9 * (k > 40) for k in range(60)]
    tracks = (follow(ByteTrack(kalman=k), looks, frames) for k in ("batched", "filterpy"))
    for a, b in zip(*tracks, strict=True):
        assert ids(a) == ids(b)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"high_score": 1.1}, "high_score=1.1: expected a number from 0 to 1"),
        ({"low_score": 0.7}, "low_score=0.7 is above tracker.high_score=0.6"),
        ({"max_age": -1}, "max_age=-1: expected a whole number"),
        ({"min_iou": "x"}, "min_iou='x': "),
        ({"kalman": "filter"}, "kalman='filter': did you mean 'filterpy'"),
    ],
)
def test_values_that_cannot_be_used(options, message):
    with pytest.raises(ConfigError, match=f"^tracker\\.{message}"):
        ByteTrack(**options)
