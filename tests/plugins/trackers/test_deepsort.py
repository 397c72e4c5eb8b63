"""DeepSORT: the cascade, the gate, appearance and overlap, on scenes worked out by hand."""

import numpy as np
import pytest

from vidan.errors import ConfigError, ModelError
from vidan_plugins.trackers.deepsort import GATE, DeepSort

from .scenes import Blank, Painted, follow, found, ids, walkers

NOTHING = found([])
STILL = [100, 100, 150, 200]
RED, BLUE = [1, 0, 0], [0, 0, 1]
REDDISH = [0.98, 0.2, 0]  # at a cosine distance of 0.02 from red


def deepsort(**options):
    return DeepSort(embedder="none", **options)


def test_a_track_shows_after_n_init_detections():
    tracks = follow(deepsort(n_init=3), [found([STILL])] * 4)
    assert [len(t) for t in tracks] == [0, 0, 1, 1]
    np.testing.assert_allclose(tracks[-1].boxes, [STILL], atol=1e-3)


def test_a_miss_ends_a_track_that_is_not_confirmed():
    look = found([STILL])
    tracks = follow(deepsort(), [look, look, NOTHING, look, look, look])
    assert [ids(t) for t in tracks] == [[], [], [], [], [], [2]]


def test_a_confirmed_track_coasts_for_one_look_and_comes_back_within_max_age():
    look = found([STILL], features=[RED])
    tracks = follow(deepsort(max_age=3), [look] * 3 + [NOTHING] * 2 + [look])
    assert [ids(t) for t in tracks[2:]] == [[1], [1], [], [1]]
    assert tracks[3].misses.tolist() == [1]
    assert tracks[3].detection.tolist() == [-1]
    gone = follow(deepsort(max_age=3), [look] * 3 + [NOTHING] * 3 + [look] * 3)
    assert ids(gone[-1]) == [2]


def test_misses_count_frames_and_patience_looks():
    look = found([STILL])
    tracks = follow(deepsort(max_age=2), [look] * 3 + [NOTHING], [0, 1, 2, 12])
    assert tracks[-1].misses.tolist() == [10]


def test_appearance_keeps_two_apart_that_change_places_unseen():
    # Side by side, 40 px apart; while neither is seen they swap. By motion and overlap alone
    # each would take the other's place.
    left, right = [100, 100, 160, 250], [140, 100, 200, 250]
    before = found([left, right], features=[RED, BLUE])
    after = found([left, right], features=[BLUE, RED])
    looks = [before] * 5 + [NOTHING] + [after]
    tracks = follow(deepsort(), looks)
    assert ids(tracks[-1]) == [1, 2]
    assert tracks[-1].detection.tolist() == [1, 0]
    blind = [found(look.boxes) for look in looks]
    assert follow(deepsort(), blind)[-1].detection.tolist() == [0, 1]


def test_appearance_counts_for_nothing_outside_the_gate():
    # h = 100 at rest for 4 looks: cx is known to a few px; 400 px away is far outside
    looks = [found([STILL], features=[RED])] * 4 + [found([[500, 100, 550, 200]], features=[RED])]
    tracker = deepsort()
    assert [ids(t) for t in follow(tracker, looks)[-2:]] == [[1], [1]]
    assert tracker._roster.ids.tolist() == [1, 2]


def test_another_appearance_in_the_same_place_is_matched_by_overlap():
    # as in the paper: what the cascade leaves may still match by IoU, one look after
    looks = [found([STILL], features=[RED])] * 4 + [found([STILL], features=[BLUE])]
    assert ids(follow(deepsort(), looks)[-1]) == [1]
    # but not once the track has been missed
    looks.insert(4, NOTHING)
    tracker = deepsort()
    follow(tracker, looks)
    assert tracker._roster.ids.tolist() == [1, 2]


def test_the_track_seen_last_matches_first():
    # Two stand side by side, and then only the second is seen for a while. The box after
    # that is nearer to the first, and looks like it; it goes to the second all the same.
    first, second = [100, 100, 150, 200], [112, 100, 162, 200]
    looks = [found([first, second], features=[RED, REDDISH])] * 4
    looks += [found([second], features=[REDDISH])] * 3
    looks += [found([[103, 100, 153, 200]], features=[RED])]
    last = follow(deepsort(), looks)[-1]
    assert ids(last) == [2]
    assert last.misses.tolist() == [0]


def test_a_gallery_remembers_its_budget_only():
    # five looks in blue after three in red: with a budget of 5 red is forgotten
    looks = [found([STILL], features=[RED])] * 3 + [found([STILL], features=[BLUE])] * 5
    looks += [NOTHING, found([STILL], features=[RED])]
    for budget, expected in ((5, [1, 2]), (6, [1])):
        tracker = deepsort(nn_budget=budget)
        follow(tracker, looks)
        assert tracker._roster.ids.tolist() == expected


def test_without_appearance_the_gate_decides():
    tracker = deepsort()
    follow(tracker, [found([STILL])] * 10)
    tracker._roster.advance(Blank(10))
    variance = tracker._roster.kalman.covariances()[0, 0, 0] + (100 / 20) ** 2
    reach = float(np.sqrt(GATE * variance))  # px to the right at which the gate closes
    for off, expected in ((0.98 * reach, [1]), (1.02 * reach, [1, 2])):
        tracker = deepsort(max_iou_distance=0.0)
        box = [STILL[0] + off, STILL[1], STILL[2] + off, STILL[3]]
        follow(tracker, [found([STILL])] * 10 + [found([box])])
        assert tracker._roster.ids.tolist() == expected


def test_the_histogram_tells_colors_apart():
    left, right = (60, 40, 100, 160), (100, 40, 140, 160)  # they swap, unseen, as above
    tracker = DeepSort()
    for k in range(5):
        frame = Painted(k, {left: (200, 30, 30), right: (30, 30, 200)})
        tracker.update(frame, found([left, right]))
    tracker.update(Blank(5), NOTHING)
    frame = Painted(6, {left: (30, 30, 200), right: (200, 30, 30)})
    tracks = tracker.update(frame, found([left, right]))
    assert dict(zip(ids(tracks), tracks.detection.tolist(), strict=True)) == {1: 1, 2: 0}


def test_the_image_is_asked_for_only_if_there_are_boxes_without_features():
    tracker = DeepSort()
    tracker.update(Blank(0), NOTHING)
    tracker.update(Blank(1), found([STILL], features=[RED]))
    with pytest.raises(AssertionError, match="nobody needs"):
        tracker.update(Blank(2), found([STILL]))


class Counting:
    """An embedder that makes what it is told of the color in the middle, and counts."""

    def __init__(self):
        self.crops = 0

    def embed(self, crops):
        self.crops += len(crops)
        return np.array([c[len(c) // 2, c.shape[1] // 2] for c in crops], np.float32)


def counted(embed_every, boxes, looks, monkeypatch):
    """Crops embedded, and the last tracks, of boxes that stand still for some looks."""
    embedder = Counting()
    monkeypatch.setattr("vidan_plugins.trackers.deepsort.make_embedder", lambda *_: embedder)
    tracker = DeepSort(embed_every=embed_every)
    for k in range(looks):
        tracks = tracker.update(Painted(k), found(boxes))
    return embedder.crops, ids(tracks)


@pytest.mark.parametrize(("embed_every", "crops"), [(1, 60), (3, 27), (10, 15)])
def test_boxes_that_stand_alone_are_embedded_now_and_then(embed_every, crops, monkeypatch):
    # Two tracks, 30 looks each. The first three looks always: not confirmed yet. Of the 27
    # after that, at which a track has 3 ... 29 hits, those at which hits + id divide by
    # embed_every: 5, 8 ... 29 for track 1 (hits 5, 8 ... 29) and so on.
    due = [sum((hits + i) % embed_every == 0 for hits in range(3, 30)) for i in (1, 2)]
    apart = [[20, 40, 60, 140], [240, 40, 280, 140]]
    assert counted(embed_every, apart, 30, monkeypatch) == (6 + sum(due), [1, 2])
    assert 6 + sum(due) in range(crops - 3, crops + 1)


def test_boxes_in_company_are_always_embedded(monkeypatch):
    together = [[20, 40, 60, 140], [30, 40, 70, 140]]
    assert counted(10, together, 30, monkeypatch) == (60, [1, 2])


def test_features_of_another_length_are_an_error():
    tracker = deepsort()
    tracker.update(Blank(0), found([STILL], features=[RED]))
    with pytest.raises(ModelError, match="frame 1: features have 4 numbers, earlier ones 3"):
        tracker.update(Blank(1), found([STILL], features=[[1, 0, 0, 0]]))


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_features_that_say_nothing_leave_it_to_overlap(value):
    looks = [found([STILL], features=[[value] * 3])] * 5
    assert ids(follow(deepsort(), looks)[-1]) == [1]


def test_features_may_be_there_at_times_only():
    look, blind = found([STILL], features=[RED]), found([STILL])
    tracks = follow(deepsort(), [blind] * 4 + [look] * 3 + [blind] * 2)
    assert ids(tracks[-1]) == [1]


def test_frames_left_out_do_not_bend_velocities():
    frames = [*range(20), *range(20, 60, 4)]
    looks = [found([[6 * i, 100, 6 * i + 60, 250]], features=[RED]) for i in frames]
    tracker = deepsort()
    tracks = follow(tracker, looks, frames)
    assert [ids(t) for t in tracks[2:]] == [[1]] * (len(frames) - 2)
    assert tracker._roster.kalman.velocities[0, 0] == pytest.approx(6.0, abs=0.1)


def test_both_kalman_filters_give_the_same_tracks():
    looks = walkers(seed=4, people=20, looks=60, features=16)
    frames = [k + 3 * (k > 20) + 9 * (k > 40) for k in range(60)]
    tracks = (follow(deepsort(kalman=k), looks, frames) for k in ("batched", "filterpy"))
    for a, b in zip(*tracks, strict=True):
        assert ids(a) == ids(b)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-5)


def test_people_keep_their_identities():
    looks = walkers(seed=8, people=12, looks=100, features=32)
    tracks = follow(deepsort(), looks)[20:]  # by then everyone has been seen thrice in a row
    assert len({i for t in tracks for i in ids(t)}) == 12


def test_tracks_that_are_gone_are_gone():
    tracker = deepsort(max_age=5)
    follow(tracker, walkers(seed=7, people=50, looks=60, missing=0.5, features=8))
    follow(tracker, [NOTHING] * 6, range(60, 66))
    assert len(tracker._roster) == len(tracker._galleries) == 0


def test_boxes_at_and_over_the_border_are_embedded():
    boxes = [[-50, -50, 20, 60], [300, 200, 400, 300], [500, 500, 600, 600], [5, 5, 5, 5]]
    tracker = DeepSort()
    for k in range(4):
        tracks = tracker.update(Painted(k), found(boxes))
    assert ids(tracks)[:3] == [1, 2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_cosine_distance": -0.1}, "max_cosine_distance=-0.1: expected a number from 0 to 2"),
        ({"nn_budget": 0}, "nn_budget=0: expected a whole number of at least 1"),
        ({"max_iou_distance": "a"}, "max_iou_distance='a': "),
        ({"max_age": None}, "max_age=None: "),
        ({"n_init": 0}, "n_init=0: "),
        ({"embedder": "histogramm"}, "embedder='histogramm': did you mean 'histogram'"),
        ({"embedder": "onnx"}, "needs a model: set embedder_model"),
        ({"embedder_model": "a.onnx"}, "is not used by embedder='histogram'"),
        ({"kalman": "x"}, "kalman='x': there is batched, filterpy"),
    ],
)
def test_values_that_cannot_be_used(options, message):
    with pytest.raises(ConfigError, match=f"^tracker\\..*{message}"):
        DeepSort(**options)
