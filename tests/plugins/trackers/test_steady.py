"""`steady`: its matching stages and its behavior in gaps, on scenes computed by hand."""

import numpy as np
import pytest

from vidan.config.build import build
from vidan.errors import ConfigError
from vidan_plugins.trackers.steady import Steady

from .scenes import Blank, found, ids, track, walkers

NOTHING = found([])


def box(score, left=100):
    return found([[left, 100, left + 50, 200]], [score])


def people(shift=0.0):
    """Four people standing apart, the whole image shifted by `shift` px."""
    return [[x + shift, 300, x + shift + 60, 480] for x in (200, 600, 1000, 1400)]


def test_tracks_of_the_first_update_are_confirmed_at_once_later_ones_by_three_detections():
    assert [ids(t) for t in track(Steady(), [box(0.9)] * 2)] == [[1]] * 2
    tracks = track(Steady(min_hits_fast=3), [NOTHING, *[box(0.9)] * 4])
    assert [ids(t) for t in tracks] == [[], [], [], [1], [1]]


@pytest.mark.parametrize(("rate", "expected"), [(30, 2), (10, 2), (6, 3)])
def test_two_detections_within_a_tenth_of_a_second_confirm_a_track(rate, expected):
    # Frames 0, 3, 6 ... at 30 frames per second are 10 frames per second.
    frames = range(0, 30, 30 // rate)
    tracks = track(Steady(), [NOTHING, *[box(0.9)] * 5], frames)
    assert [len(ids(t)) for t in tracks].index(1) == expected


@pytest.mark.parametrize(("score", "expected"), [(0.61, [1]), (0.59, []), (0.2, [])])
def test_only_a_high_scoring_detection_starts_a_track(score, expected):
    assert ids(track(Steady(), [box(score)] * 4)[-1]) == expected


def test_a_low_scoring_detection_continues_a_track_but_recovers_none():
    tracks = track(Steady(coast=0), [box(0.9)] * 4 + [box(0.2)] * 9 + [NOTHING, box(0.3)])
    assert [ids(t) for t in tracks] == [[1]] * 13 + [[], []]


def test_a_coasting_track_keeps_its_velocity_and_size():
    updates = [box(0.9, 100 + 4 * k) for k in range(30)]
    tracks = track(Steady(min_confirmed_ratio=0), [*updates, *[NOTHING] * 10])
    assert tracks[-1].misses.tolist() == [10]
    assert tracks[-1].detection.tolist() == [-1]
    x1, y1, x2, y2 = tracks[-1].boxes[0].tolist()
    assert x1 == pytest.approx(100 + 4 * 39, abs=4)
    assert (x2 - x1, y2 - y1) == pytest.approx((50, 100), abs=1)


def test_coasting_ends_after_the_same_time_at_any_frame_rate():
    # 0.8 s are 24 frames at 30 frames/s, 8 at 10 frames/s.
    for rate, frames in ((30, 24), (10, 8)):
        tracker, shown = Steady(min_confirmed_ratio=0), 0
        for k in range(120):
            frame = Blank(k)
            frame.time = k / rate
            tracks = tracker.update(frame, box(0.9) if k < 60 else NOTHING)
            shown += len(tracks) if k >= 60 else 0
        assert shown in (frames - 1, frames)


@pytest.mark.parametrize(("rate", "speed"), [(30, 4), (10, 12), (7.5, 16), (60, 2)])
def test_motion_is_by_time_at_any_frame_rate(rate, speed):
    # 120 px/s, detected for 3 s, then predicted for half a second: to 100 + 120 * 3.5 px.
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
def test_an_implausible_clock_does_not_move_tracks(clock):
    tracker = Steady(memory=1e6)
    for k in range(40):
        frame = Blank(k)
        frame.time = clock(k)
        tracks = tracker.update(frame, box(0.9, 100 + 4 * k))
    assert ids(tracks) == [1]
    assert tracks.boxes[0, 0] == pytest.approx(100 + 4 * 39, abs=2)


def test_a_track_detected_in_less_than_half_of_its_updates_does_not_coast():
    updates = [box(0.9) if k % 3 == 0 else NOTHING for k in range(60)]
    tracks = track(Steady(min_confirmed_ratio=0, min_hits=1), updates)
    assert [len(t) for t in tracks[-3:]] == [1, 0, 0]


def test_coasting_is_reported_once_enough_predictions_were_confirmed():
    # A person is missed in two updates of ten, thirty times, and always returns in place.
    updates = [NOTHING if k % 10 > 7 else box(0.9) for k in range(300)]
    coasting = [int((t.misses > 0).sum()) for t in track(Steady(min_confirmed_ratio=0.35), updates)]
    assert coasting[8:10] == [0, 0]
    assert sum(coasting[-20:]) == 4


def test_coasting_stops_in_a_stream_whose_tracks_never_return():
    # Every ten updates another person stands elsewhere for five; nobody returns.
    updates = [box(0.9, 100 + 120 * (k // 10 % 14)) if k % 10 < 5 else NOTHING for k in range(140)]
    coasting = [int((t.misses > 0).sum()) for t in track(Steady(), updates)]
    assert sum(coasting[:10]) > 0
    assert sum(coasting[-40:]) == 0
    assert not any(
        len(t) and (t.misses > 0).any() for t in track(Steady(min_confirmed_ratio=0.35), updates)
    )


def test_a_track_is_found_again_within_its_memory():
    updates = [*[box(0.9)] * 10, *[NOTHING] * 50, box(0.9)]
    assert ids(track(Steady(), updates)[-1]) == [1]  # 51 frames are 1.7 s
    assert ids(track(Steady(memory=1.5), updates)[-1]) == []


def test_a_stopped_clock_does_not_keep_tracks_forever():
    tracker = Steady(memory=0.5)
    for k in range(1000):
        frame = Blank(k)
        frame.time = 0.0
        tracker.update(frame, box(0.9) if k < 5 else NOTHING)
    assert len(tracker.table) == 0


def test_a_hidden_person_moves_with_the_camera():
    # The camera pans by 10 px per frame, and back while the fourth is hidden.
    shifts = [0] * 20 + [10 * k for k in range(20)] + [200 - 10 * k for k in range(15)]
    updates = [found(people(shift)[: 4 if k < 40 else 3]) for k, shift in enumerate(shifts)]
    seen = {}
    for camera in (True, False):
        tracks = track(Steady(camera_motion=camera, min_confirmed_ratio=0), updates)[-1]
        seen[camera] = tracks.boxes[tracks.ids == 4][:, 0]
    assert seen[True] == pytest.approx([1400 + shifts[-1]], abs=8)
    assert (seen[False] > 1600).all()  # it goes on as it was last seen


def test_people_walking_apart_are_not_mistaken_for_camera_motion():
    # Two walk to the left and two to the right: the median is 0, and one stands still.
    updates = [found([*people(), [1700, 300, 1760, 480]])] * 20
    for k in range(1, 10):
        apart = np.array(people()) + np.array([-6, -6, 6, 6])[:, None] * k * [1, 0, 1, 0]
        updates.append(found(apart))
    tracks = track(Steady(min_confirmed_ratio=0), updates)[-1]
    assert tracks.boxes[tracks.ids == 5][:, 0] == pytest.approx([1700], abs=3)


def test_a_track_that_leaves_the_image_ends():
    updates = [box(0.9, 1700 + 10 * k) for k in range(20)] + [NOTHING] * 10
    tracks = track(Steady(min_confirmed_ratio=0), updates)
    assert ids(tracks[19]) == [1]
    assert ids(tracks[-1]) == []  # its center, 1725 + 290 px, is beyond 1920 px


def test_people_keep_their_ids():
    updates = walkers(seed=8, people=12, updates=100)
    assert len({i for t in track(Steady(), updates) for i in ids(t)}) == 12


def test_both_kalman_filters_produce_the_same_tracks():
    updates = walkers(seed=4, people=20, updates=60, missing=0.2)
    frames = [k + 3 * (k > 20) + 9 * (k > 40) for k in range(60)]
    tracks = (track(Steady(kalman=k), updates, frames) for k in ("batched", "filterpy"))
    for a, b in zip(*tracks, strict=True):
        assert ids(a) == ids(b)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"high_score": 1.1}, "high_score: expected `float` <= 1.0, not 1.1"),
        ({"low_score": 0.7}, "low_score=0.7 is above high_score=0.5"),
        ({"memory": -1}, "memory: expected `float` >= 0.0, not -1"),
        ({"coast": float("inf")}, "coast=inf: expected a finite number"),
        ({"min_hits": 0}, "min_hits: expected `int` >= 1, not 0"),
        ({"camera_motion": "no"}, "camera_motion: expected `bool`, got `str`, not 'no'"),
        ({"kalman": "filter"}, "kalman='filter': did you mean 'filterpy'"),
    ],
)
def test_invalid_options(wrong, message):
    with pytest.raises(ConfigError, match=rf"^tracker\.{message}"):
        build("tracker", {"name": "steady", **wrong})


def test_appearance_keeps_two_apart_who_swap_places_behind_a_pillar():
    red, blue = np.eye(2, dtype=np.float32)
    left, right = [500, 300, 560, 480], [540, 300, 600, 480]
    before = [found([left, right], features=[red, blue])] * 10
    after = found([left, right], features=[blue, red])
    updates = [*before, NOTHING, NOTHING, after]
    for embedder, rows in (("none", [0, 1]), ("histogram", [1, 0])):
        tracks = track(Steady(embedder=embedder), updates)[-1]
        assert (ids(tracks), tracks.detection.tolist()) == ([1, 2], rows)


def test_appearance_that_stays_changes_nothing_and_none_needs_no_image():
    updates = [found(people(k), features=np.eye(4, dtype=np.float32)) for k in range(20)]
    plain, seen = track(Steady(), updates), track(Steady(embedder="histogram"), updates)
    assert [t.boxes.tolist() for t in plain] == [t.boxes.tolist() for t in seen]


def test_an_unknown_embedder_is_rejected():
    with pytest.raises(ConfigError, match=r"embedder='histogramm': .*did you mean 'histogram'"):
        Steady(embedder="histogramm")
