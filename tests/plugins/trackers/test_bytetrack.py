"""ByteTrack: its matching stages, on scenes computed by hand."""

import numpy as np
import pytest

from vidan.config.build import build
from vidan.errors import ConfigError
from vidan_plugins.trackers.bytetrack import ByteTrack

from .scenes import found, ids, track, walkers

BOX = [100, 100, 150, 200]
NOTHING = found([])


def box(score, left=100):
    return found([[left, 100, left + 50, 200]], [score])


def test_tracks_of_the_first_update_are_reported_at_once():
    assert [ids(t) for t in track(ByteTrack(), [box(0.9)] * 3)] == [[1]] * 3


def test_later_tracks_are_reported_from_their_second_detection():
    tracks = track(ByteTrack(), [NOTHING, box(0.9), box(0.9), box(0.9)])
    assert [ids(t) for t in tracks] == [[], [], [1], [1]]


def test_a_second_detection_after_a_gap_starts_another_track():
    tracks = track(ByteTrack(), [NOTHING, box(0.9), NOTHING, box(0.9), box(0.9)])
    assert [ids(t) for t in tracks] == [[], [], [], [], [2]]


@pytest.mark.parametrize(("score", "expected"), [(0.71, [1]), (0.69, []), (0.2, [])])
def test_only_a_very_high_scoring_detection_starts_a_track(score, expected):
    assert ids(track(ByteTrack(), [box(score)] * 3)[-1]) == expected


def test_a_low_scoring_detection_continues_a_track():
    tracks = track(ByteTrack(), [box(0.9)] * 3 + [box(0.2)] * 20 + [box(0.9)])
    assert [ids(t) for t in tracks] == [[1]] * 24
    assert tracks[10].scores.tolist() == pytest.approx([0.2])


def test_a_detection_below_the_low_score_is_ignored():
    tracks = track(ByteTrack(), [box(0.9)] * 3 + [box(0.05)])
    assert ids(tracks[-1]) == []


def test_a_low_scoring_detection_does_not_recover_a_missed_track():
    tracks = track(ByteTrack(), [box(0.9)] * 3 + [NOTHING, box(0.3), box(0.65)])
    # a high-scoring one does, although it is too low to start a track
    assert [ids(t) for t in tracks[3:]] == [[], [], [1]]


def test_high_scoring_detections_are_matched_first():
    # The low-scoring one lies exactly on the track, the high-scoring one overlaps by 30 / 70.
    update = found([BOX, [120, 100, 170, 200]], [0.5, 0.9])
    tracks = track(ByteTrack(), [box(0.9)] * 3 + [update])
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
def test_the_overlap_thresholds(score, left, found_again):
    tracks = track(ByteTrack(), [box(0.9)] * 3 + [box(score, left)])
    assert (ids(tracks[-1]) == [1]) is found_again


@pytest.mark.parametrize(("missed", "expected"), [(3, [1]), (4, [])])
def test_a_track_ends_after_max_age(missed, expected):
    tracks = track(ByteTrack(max_age=3), [box(0.9)] * 3 + [NOTHING] * missed + [box(0.65)])
    assert ids(tracks[-1]) == expected


def test_people_keep_their_ids():
    updates = walkers(seed=8, people=12, updates=100)
    assert len({i for t in track(ByteTrack(), updates) for i in ids(t)}) == 12


def test_both_kalman_filters_produce_the_same_tracks():
    updates = walkers(seed=4, people=20, updates=60)
    frames = [k + 3 * (k > 20) + 9 * (k > 40) for k in range(60)]
    tracks = (track(ByteTrack(kalman=k), updates, frames) for k in ("batched", "filterpy"))
    for a, b in zip(*tracks, strict=True):
        assert ids(a) == ids(b)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"high_score": 1.1}, "high_score: expected `float` <= 1.0, not 1.1"),
        ({"low_score": 0.7}, "low_score=0.7 is above high_score=0.6"),
        ({"max_age": -1}, "max_age: expected `int` >= 0, not -1"),
        ({"min_iou": "x"}, "min_iou: expected `float`, got `str`, not 'x'"),
        ({"kalman": "filter"}, "kalman='filter': did you mean 'filterpy'"),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ConfigError, match=rf"^tracker\.{message}"):
        build("tracker", {"name": "bytetrack", **options})
