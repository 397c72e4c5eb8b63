"""steady: its stages and what it does through gaps, on scenes worked out by hand."""

import numpy as np
import pytest

from vidan.boxes import iou
from vidan.errors import ConfigError
from vidan_plugins.trackers.core.similarity import likeness, overlap, touching
from vidan_plugins.trackers.steady import Steady

from .scenes import Blank, follow, found, ids, walkers

NOTHING = found([])


def box(score, left=100):
    return found([[left, 100, left + 50, 200]], [score])


def people(shift=0.0):
    """Four people who stand apart, the whole image moved by `shift` px."""
    return [[x + shift, 300, x + shift + 60, 480] for x in (200, 600, 1000, 1400)]


def test_likeness_tells_people_behind_each_other_apart():
    # Boxes of 10 x 20, grown by a quarter on each side: 15 x 30. One 5 px lower: shared 15 x 25,
    # union 900 - 375, heights (not grown) share 15 of 25. Side by side by 4 px: shared 11 x 30,
    # union 900 - 330, heights alike. One that begins where the first ends: shared 5 x 30.
    a = np.array([[0.0, 0, 10, 20]])
    b = np.array([[0.0, 5, 10, 25], [4, 0, 14, 20], [10, 0, 20, 20], [50, 50, 60, 70]])
    rows, columns, similarity = likeness(a, b)
    assert (rows.tolist(), columns.tolist()) == ([0, 0, 0], [0, 1, 2])
    assert similarity == pytest.approx([375 / 525 * 0.6**1.5, 330 / 570, 150 / 750])
    for pairs in (likeness(a, np.zeros((0, 4))), likeness(np.zeros((0, 4)), b)):
        assert [len(part) for part in pairs] == [0, 0, 0]


def test_overlap_of_pairs_is_iou():
    a, b = (np.array(np.random.default_rng(k).uniform(0, 50, (30, 4))) for k in (1, 2))
    a[:, 2:] += a[:, :2]
    b[:, 2:] += b[:, :2]
    whole = np.zeros((30, 30))
    rows, columns = touching(a, b)
    whole[rows, columns] = overlap(a[rows], b[columns])
    np.testing.assert_allclose(whole, iou(a, b))
    assert overlap(np.zeros((1, 4)), np.zeros((1, 4))).tolist() == [0]


def test_a_stream_begins_with_tracks_at_once_later_they_need_three_detections():
    assert [ids(t) for t in follow(Steady(), [box(0.9)] * 2)] == [[1]] * 2
    tracks = follow(Steady(), [NOTHING, *[box(0.9)] * 4])
    assert [ids(t) for t in tracks] == [[], [], [], [1], [1]]


@pytest.mark.parametrize(("score", "expected"), [(0.61, [1]), (0.59, []), (0.2, [])])
def test_only_a_good_detection_begins_a_track(score, expected):
    assert ids(follow(Steady(), [box(score)] * 4)[-1]) == expected


def test_a_weak_detection_goes_on_with_a_track_and_brings_none_back():
    tracks = follow(Steady(coast=0), [box(0.9)] * 4 + [box(0.2)] * 9 + [NOTHING, box(0.3)])
    assert [ids(t) for t in tracks] == [[1]] * 13 + [[], []]


def test_a_track_coasts_at_its_velocity_and_in_its_size():
    looks = [box(0.9, 100 + 4 * k) for k in range(30)]
    tracks = follow(Steady(trust=0), [*looks, *[NOTHING] * 10])
    assert tracks[-1].misses.tolist() == [10]
    assert tracks[-1].detection.tolist() == [-1]
    x1, y1, x2, y2 = tracks[-1].boxes[0].tolist()
    assert x1 == pytest.approx(100 + 4 * 39, abs=4)
    assert (x2 - x1, y2 - y1) == pytest.approx((50, 100), abs=1)


def test_coasting_ends_after_its_time_whatever_the_frame_rate():
    # 0.8 s are 24 frames at 30 a second, 8 at 10 a second.
    for rate, frames in ((30, 24), (10, 8)):
        tracker, shown = Steady(trust=0), 0
        for k in range(120):
            frame = Blank(k)
            frame.time = k / rate
            tracks = tracker.update(frame, box(0.9) if k < 60 else NOTHING)
            shown += len(tracks) if k >= 60 else 0
        assert shown in (frames - 1, frames)


@pytest.mark.parametrize(("rate", "speed"), [(30, 4), (10, 12), (7.5, 16), (60, 2)])
def test_motion_goes_by_time_whatever_the_frame_rate(rate, speed):
    # 120 px a second, seen for 3 s, then foretold half a second on: to 100 + 120 * 3.5 px.
    tracker = Steady()
    for k in range(int(3 * rate) + 1):
        frame = Blank(k)
        frame.time = k / rate
        tracker.update(frame, box(0.9, 100 + speed * k))
    later = Blank(int(3.5 * rate))
    later.time = later.index / rate
    expected = 100 + speed * later.index
    assert tracker.coast(later).boxes[0, 0] == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("clock", [lambda k: 0.0, lambda k: 9000.0 * k, lambda k: -0.04 * k])
def test_a_clock_that_lies_does_not_move_anybody(clock):
    tracker = Steady(memory=1e6)
    for k in range(40):
        frame = Blank(k)
        frame.time = clock(k)
        tracks = tracker.update(frame, box(0.9, 100 + 4 * k))
    assert ids(tracks) == [1]
    assert tracks.boxes[0, 0] == pytest.approx(100 + 4 * 39, abs=2)


def test_a_track_that_blinks_more_than_it_shows_does_not_coast():
    looks = [box(0.9) if k % 3 == 0 else NOTHING for k in range(60)]
    tracks = follow(Steady(trust=0, min_hits=1), looks)
    assert [len(t) for t in tracks[-3:]] == [1, 0, 0]


def test_gaps_are_shown_once_the_stream_has_proved_that_guesses_come_true():
    # Somebody blinks for two looks in ten, thirty times, and always comes back in place.
    looks = [NOTHING if k % 10 > 7 else box(0.9) for k in range(300)]
    coasting = [int((t.misses > 0).sum()) for t in follow(Steady(trust=0.35), looks)]
    assert coasting[8:10] == [0, 0]
    assert sum(coasting[-20:]) == 4


def test_where_tracks_never_come_back_coasting_ends():
    # Every ten looks another person stands elsewhere for five; nobody ever comes back.
    looks = [box(0.9, 100 + 120 * (k // 10 % 14)) if k % 10 < 5 else NOTHING for k in range(140)]
    coasting = [int((t.misses > 0).sum()) for t in follow(Steady(), looks)]
    assert sum(coasting[:10]) > 0
    assert sum(coasting[-40:]) == 0
    assert not any(len(t) and (t.misses > 0).any() for t in follow(Steady(trust=0.35), looks))


def test_a_track_is_found_again_while_it_is_remembered():
    looks = [*[box(0.9)] * 10, *[NOTHING] * 50, box(0.9)]
    assert ids(follow(Steady(), looks)[-1]) == [1]  # 51 frames are 1.7 s
    assert ids(follow(Steady(memory=1.5), looks)[-1]) == []


def test_a_clock_that_stands_still_keeps_no_track_for_ever():
    tracker = Steady(memory=0.5)
    for k in range(1000):
        frame = Blank(k)
        frame.time = 0.0
        tracker.update(frame, box(0.9) if k < 5 else NOTHING)
    assert len(tracker._roster) == 0


def test_the_camera_takes_the_one_who_is_hidden_along():
    # All stand still; then the camera turns by 10 px a frame, while the fourth is hidden.
    looks = [found(people())] * 20 + [found(people(10 * k)[:3]) for k in range(1, 16)]
    seen = {}
    for camera in (True, False):
        tracks = follow(Steady(camera=camera, trust=0), looks)[-1]
        seen[camera] = tracks.boxes[tracks.ids == 4][:, 0]
    assert seen[True] == pytest.approx([1400 + 150], abs=8)
    assert seen[False] == pytest.approx([1400], abs=8)


def test_people_who_scatter_do_not_pass_for_the_camera():
    # Two walk off to the left and two to the right: the median is 0, and one stands still.
    looks = [found([*people(), [1700, 300, 1760, 480]])] * 20
    for k in range(1, 10):
        apart = np.array(people()) + np.array([-6, -6, 6, 6])[:, None] * k * [1, 0, 1, 0]
        looks.append(found(apart))
    tracks = follow(Steady(trust=0), looks)[-1]
    assert tracks.boxes[tracks.ids == 5][:, 0] == pytest.approx([1700], abs=3)


def test_a_track_that_leaves_the_image_is_given_up():
    looks = [box(0.9, 1700 + 10 * k) for k in range(20)] + [NOTHING] * 10
    tracks = follow(Steady(trust=0), looks)
    assert ids(tracks[19]) == [1]
    assert ids(tracks[-1]) == []  # its center, 1725 + 290 px, is beyond 1920 px


def test_people_keep_their_identities():
    looks = walkers(seed=8, people=12, looks=100)
    assert len({i for t in follow(Steady(), looks) for i in ids(t)}) == 12


def test_both_kalman_filters_give_the_same_tracks():
    looks = walkers(seed=4, people=20, looks=60, missing=0.2)
    frames = [k + 3 * (k > 20) + 9 * (k > 40) for k in range(60)]
    tracks = (follow(Steady(kalman=k), looks, frames) for k in ("batched", "filterpy"))
    for a, b in zip(*tracks, strict=True):
        assert ids(a) == ids(b)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"high_score": 1.1}, "high_score=1.1: expected a number from 0 to 1"),
        ({"low_score": 0.7}, "low_score=0.7 is above tracker.high_score=0.5"),
        ({"memory": -1}, "memory=-1: expected a number of at least 0"),
        ({"coast": float("inf")}, "coast=inf: expected a number"),
        ({"min_hits": 0}, "min_hits=0: expected a whole number of at least 1"),
        ({"camera": "no"}, "camera='no': expected true or false"),
        ({"kalman": "filter"}, "kalman='filter': did you mean 'filterpy'"),
    ],
)
def test_values_that_cannot_be_used(wrong, message):
    with pytest.raises(ConfigError, match=f"^tracker.{message}"):
        Steady(**wrong)
