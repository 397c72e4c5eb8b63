"""DeepSORT: the cascade, the gate, appearance and overlap, on scenes computed by hand."""

import numpy as np
import pytest

from vidan.config.build import build
from vidan.errors import ConfigError, ModelError
from vidan_plugins.trackers.deepsort import GATE, DeepSort

from .scenes import Blank, Painted, found, ids, track, walkers

NOTHING = found([])
STILL = [100, 100, 150, 200]
RED, BLUE = [1, 0, 0], [0, 0, 1]
REDDISH = [0.98, 0.2, 0]  # at a cosine distance of 0.02 from red


def deepsort(**options):
    return DeepSort(embedder="none", **options)


def test_a_track_is_reported_after_n_init_detections():
    tracks = track(deepsort(n_init=3), [found([STILL])] * 4)
    assert [len(t) for t in tracks] == [0, 0, 1, 1]
    np.testing.assert_allclose(tracks[-1].boxes, [STILL], atol=1e-3)


def test_a_miss_ends_an_unconfirmed_track():
    update = found([STILL])
    tracks = track(deepsort(), [update, update, NOTHING, update, update, update])
    assert [ids(t) for t in tracks] == [[], [], [], [], [], [2]]


def test_a_confirmed_track_coasts_for_one_update_and_returns_within_max_age():
    update = found([STILL], features=[RED])
    tracks = track(deepsort(max_age=3), [update] * 3 + [NOTHING] * 2 + [update])
    assert [ids(t) for t in tracks[2:]] == [[1], [1], [], [1]]
    assert tracks[3].misses.tolist() == [1]
    assert tracks[3].detection.tolist() == [-1]
    gone = track(deepsort(max_age=3), [update] * 3 + [NOTHING] * 3 + [update] * 3)
    assert ids(gone[-1]) == [2]


def test_misses_count_frames_and_max_age_counts_updates():
    update = found([STILL])
    tracks = track(deepsort(max_age=2), [update] * 3 + [NOTHING], [0, 1, 2, 12])
    assert tracks[-1].misses.tolist() == [10]


def test_appearance_separates_two_that_swap_places_unseen():
    # Side by side, 40 px apart; they swap while neither is detected. By motion and overlap
    # alone each would continue the other's track.
    left, right = [100, 100, 160, 250], [140, 100, 200, 250]
    before = found([left, right], features=[RED, BLUE])
    after = found([left, right], features=[BLUE, RED])
    updates = [before] * 5 + [NOTHING] + [after]
    tracks = track(deepsort(), updates)
    assert ids(tracks[-1]) == [1, 2]
    assert tracks[-1].detection.tolist() == [1, 0]
    blind = [found(each.boxes) for each in updates]
    assert track(deepsort(), blind)[-1].detection.tolist() == [0, 1]


def test_appearance_does_not_matter_outside_the_gate():
    # h = 100, at rest for 4 updates: cx is accurate to a few px; 400 px away is far outside
    updates = [found([STILL], features=[RED])] * 4
    updates += [found([[500, 100, 550, 200]], features=[RED])]
    tracker = deepsort()
    assert [ids(t) for t in track(tracker, updates)[-2:]] == [[1], [1]]
    assert tracker.table.ids.tolist() == [1, 2]


def test_a_different_appearance_in_the_same_place_is_matched_by_overlap():
    # as in the paper: what the cascade leaves may still match by IoU, one update later
    updates = [found([STILL], features=[RED])] * 4 + [found([STILL], features=[BLUE])]
    assert ids(track(deepsort(), updates)[-1]) == [1]
    # but not after the track has been missed
    updates.insert(4, NOTHING)
    tracker = deepsort()
    track(tracker, updates)
    assert tracker.table.ids.tolist() == [1, 2]


def test_recently_matched_tracks_are_matched_first():
    # Two stand side by side, and then only the second is detected for a while. The next box
    # is nearer to the first and similar to it, but is matched with the second.
    first, second = [100, 100, 150, 200], [112, 100, 162, 200]
    updates = [found([first, second], features=[RED, REDDISH])] * 4
    updates += [found([second], features=[REDDISH])] * 3
    updates += [found([[103, 100, 153, 200]], features=[RED])]
    last = track(deepsort(), updates)[-1]
    assert ids(last) == [2]
    assert last.misses.tolist() == [0]


def test_a_gallery_keeps_no_more_than_its_budget():
    # five updates in blue after three in red: a budget of 5 has no red left
    updates = [found([STILL], features=[RED])] * 3 + [found([STILL], features=[BLUE])] * 5
    updates += [NOTHING, found([STILL], features=[RED])]
    for budget, expected in ((5, [1, 2]), (6, [1])):
        tracker = deepsort(nn_budget=budget)
        track(tracker, updates)
        assert tracker.table.ids.tolist() == expected


def test_without_appearance_the_gate_decides():
    tracker = deepsort()
    track(tracker, [found([STILL])] * 10)
    tracker.table.advance(Blank(10))
    variance = tracker.table.kalman.covariances()[0, 0, 0] + (100 / 20) ** 2
    reach = float(np.sqrt(GATE * variance))  # px to the right where the gate ends
    for off, expected in ((0.98 * reach, [1]), (1.02 * reach, [1, 2])):
        tracker = deepsort(max_iou_distance=0.0)
        box = [STILL[0] + off, STILL[1], STILL[2] + off, STILL[3]]
        track(tracker, [found([STILL])] * 10 + [found([box])])
        assert tracker.table.ids.tolist() == expected


def test_the_histogram_separates_colors():
    left, right = (60, 40, 100, 160), (100, 40, 140, 160)  # they swap undetected, as above
    tracker = DeepSort()
    for k in range(5):
        frame = Painted(k, {left: (200, 30, 30), right: (30, 30, 200)})
        tracker.update(frame, found([left, right]))
    tracker.update(Blank(5), NOTHING)
    frame = Painted(6, {left: (30, 30, 200), right: (200, 30, 30)})
    tracks = tracker.update(frame, found([left, right]))
    assert dict(zip(ids(tracks), tracks.detection.tolist(), strict=True)) == {1: 1, 2: 0}


def test_the_image_is_requested_only_for_boxes_without_features():
    tracker = DeepSort()
    tracker.update(Blank(0), NOTHING)
    tracker.update(Blank(1), found([STILL], features=[RED]))
    with pytest.raises(AssertionError, match="the image is not needed"):
        tracker.update(Blank(2), found([STILL]))


class Counting:
    """An embedder that returns the color in the middle of each crop, and counts crops."""

    def __init__(self):
        self.crops = 0

    def embed(self, crops):
        self.crops += len(crops)
        return np.array([c[len(c) // 2, c.shape[1] // 2] for c in crops], np.float32)


def counted(embed_every, boxes, updates, monkeypatch):
    """Number of crops embedded, and the last ids, of boxes that stand still for some updates."""
    embedder = Counting()
    monkeypatch.setattr("vidan_plugins.trackers.deepsort.make_embedder", lambda *_, **__: embedder)
    tracker = DeepSort(embed_every=embed_every)
    for k in range(updates):
        tracks = tracker.update(Painted(k), found(boxes))
    return embedder.crops, ids(tracks)


@pytest.mark.parametrize(("embed_every", "crops"), [(1, 60), (3, 27), (10, 15)])
def test_unambiguous_boxes_are_embedded_in_some_updates_only(embed_every, crops, monkeypatch):
    # Two tracks, 30 updates each. The first three updates always: not yet confirmed. Of the next
    # 27, in which a track has 3 ... 29 hits, those in which embed_every divides hits + id:
    # hits 5, 8 ... 29 for track 1 and embed_every=3, and so on.
    due = [sum((hits + i) % embed_every == 0 for hits in range(3, 30)) for i in (1, 2)]
    apart = [[20, 40, 60, 140], [240, 40, 280, 140]]
    assert counted(embed_every, apart, 30, monkeypatch) == (6 + sum(due), [1, 2])
    assert 6 + sum(due) in range(crops - 3, crops + 1)


def test_ambiguous_boxes_are_always_embedded(monkeypatch):
    together = [[20, 40, 60, 140], [30, 40, 70, 140]]
    assert counted(10, together, 30, monkeypatch) == (60, [1, 2])


def test_features_of_a_different_length_are_an_error():
    tracker = deepsort()
    tracker.update(Blank(0), found([STILL], features=[RED]))
    with pytest.raises(ModelError, match="frame 1: features have 4 numbers, earlier ones 3"):
        tracker.update(Blank(1), found([STILL], features=[[1, 0, 0, 0]]))


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_without_usable_features_overlap_decides(value):
    updates = [found([STILL], features=[[value] * 3])] * 5
    assert ids(track(deepsort(), updates)[-1]) == [1]


def test_features_may_come_with_some_updates_only():
    update, blind = found([STILL], features=[RED]), found([STILL])
    tracks = track(deepsort(), [blind] * 4 + [update] * 3 + [blind] * 2)
    assert ids(tracks[-1]) == [1]


def test_skipped_frames_do_not_distort_velocities():
    frames = [*range(20), *range(20, 60, 4)]
    updates = [found([[6 * i, 100, 6 * i + 60, 250]], features=[RED]) for i in frames]
    tracker = deepsort()
    tracks = track(tracker, updates, frames)
    assert [ids(t) for t in tracks[2:]] == [[1]] * (len(frames) - 2)
    assert tracker.table.kalman.velocities[0, 0] == pytest.approx(6.0, abs=0.1)


def test_both_kalman_filters_produce_the_same_tracks():
    updates = walkers(seed=4, people=20, updates=60, features=16)
    frames = [k + 3 * (k > 20) + 9 * (k > 40) for k in range(60)]
    tracks = (track(deepsort(kalman=k), updates, frames) for k in ("batched", "filterpy"))
    for a, b in zip(*tracks, strict=True):
        assert ids(a) == ids(b)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-5)


def test_people_keep_their_ids():
    updates = walkers(seed=8, people=12, updates=100, features=32)
    tracks = track(deepsort(), updates)[20:]  # by then everyone was detected three times in a row
    assert len({i for t in tracks for i in ids(t)}) == 12


def test_ended_tracks_are_deleted():
    tracker = deepsort(max_age=5)
    track(tracker, walkers(seed=7, people=50, updates=60, missing=0.5, features=8))
    track(tracker, [NOTHING] * 6, range(60, 66))
    assert len(tracker.table) == len(tracker.galleries) == 0


def test_boxes_at_and_beyond_the_border_are_embedded():
    boxes = [[-50, -50, 20, 60], [300, 200, 400, 300], [500, 500, 600, 600], [5, 5, 5, 5]]
    tracker = DeepSort()
    for k in range(4):
        tracks = tracker.update(Painted(k), found(boxes))
    assert ids(tracks)[:3] == [1, 2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_cosine_distance": -0.1}, "max_cosine_distance: expected `float` >= 0.0, not -0.1"),
        ({"nn_budget": 0}, "nn_budget: expected `int` >= 1, not 0"),
        ({"max_iou_distance": "a"}, "max_iou_distance: expected `float`, got `str`, not 'a'"),
        ({"max_age": None}, "max_age: expected `int`, got `null`, not None"),
        ({"n_init": 0}, "n_init: expected `int` >= 1, not 0"),
        (
            {"embedder": "histogramm"},
            "embedder='histogramm': there is no such file or model: did you mean 'histogram'",
        ),
        (
            {"embedder": "person-reidentification-287"},
            ".*did you mean 'person-reidentification-0287'",
        ),
        ({"kalman": "x"}, "kalman='x': there is batched, filterpy"),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ConfigError, match=rf"^tracker\.{message}"):
        build("tracker", {"name": "deepsort", **options})
