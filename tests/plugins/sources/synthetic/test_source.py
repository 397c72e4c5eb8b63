"""The drawn street is reproducible and matches its ground truth."""

import itertools
import re
import threading
import time
from functools import partial

import numpy as np
import pytest

from vidan.boxes import iou
from vidan.config.build import build
from vidan.errors import ConfigError, SourceError
from vidan_plugins.sources.pacing import Pacer
from vidan_plugins.sources.synthetic import source as synthetic
from vidan_plugins.sources.synthetic.scene.scene import Scene
from vidan_plugins.sources.synthetic.source import Synthetic

SMALL = {"width": 320, "height": 240}


@pytest.fixture(scope="module")
def scene():
    return Scene(**SMALL, people=4)


def test_frames_match_the_options():
    source = Synthetic(**SMALL, frames=3, rate=25, people=1, stream="door")
    frames = list(source)
    assert (source.live, source.frames) == (False, 3)
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08])
    assert {frame.stream for frame in frames} == {"door"}
    assert frames[0].rgb().shape == (240, 320, 3)
    assert frames[0].rgb().dtype == np.uint8
    assert [f.captured for f in frames] == sorted(f.captured for f in frames)
    assert abs(frames[-1].captured - time.monotonic()) < 60


def test_the_same_options_draw_the_same_pixels(scene):
    again = Scene(**SMALL, people=4)
    assert np.array_equal(scene.draw(17), again.draw(17))
    other = Scene(**SMALL, people=4, seed=1)
    assert not np.array_equal(scene.draw(17), other.draw(17))


def test_a_frame_does_not_depend_on_frames_drawn_before(scene):
    in_order = [scene.draw(index) for index in range(0, 400, 100)]
    fresh = Scene(**SMALL, people=4)
    backwards = [fresh.draw(index) for index in range(300, -100, -100)][::-1]
    for one, other in zip(in_order, backwards, strict=True):
        assert np.array_equal(one, other)


def test_people_move_and_the_street_does_not(scene):
    empty = Scene(**SMALL, people=0)
    # Only noise of about 2 gray levels differs from frame to frame.
    assert np.abs(empty.draw(0).astype(int) - empty.draw(30)).max() < 30
    assert np.abs(scene.draw(0).astype(int) - scene.draw(30)).max() > 100


def test_a_head_is_drawn_in_its_box(scene):
    """At the height of the face, the pixels that a person changes are in the box."""
    one, none = Scene(**SMALL, people=1), Scene(**SMALL, people=0)
    truth = one.ground_truth(60)
    assert len(truth.ids) == 1
    assert truth.visibility[0] == 1
    x1, y1, x2, y2 = truth.boxes[0]
    changed = np.abs(one.draw(60).astype(int) - none.draw(60)).max(axis=2) > 40
    inside = changed[int(y1) : int(y2), int(x1) : int(x2)]
    assert inside.mean() > 0.75
    # Beside the face there is only hair: in the middle third, at most half a face wide.
    rows = changed[int(y1 + (y2 - y1) / 3) : int(y2 - (y2 - y1) / 3)]
    columns = np.flatnonzero(rows.any(axis=0))
    width = x2 - x1
    assert columns.min() > x1 - width / 2
    assert columns.max() < x2 + width / 2
    # Above the face there is hair, and nothing above the hair.
    assert not changed[: int(y1 - (y2 - y1) / 2)].any()


def test_faces_have_the_documented_size():
    """90 to 210 px in 1080p, measured in a scene of a quarter of that size."""
    scene = Scene(480, 270, people=6)
    heights = [
        h for i in range(0, 450, 15) for h in np.diff(scene.ground_truth(i).boxes[:, 1::2]).ravel()
    ]
    assert min(heights) * 4 > 85
    assert max(heights) * 4 < 225
    twice = Scene(480, 270, people=6, size=1.6)
    more = [
        h for i in range(0, 450, 15) for h in np.diff(twice.ground_truth(i).boxes[:, 1::2]).ravel()
    ]
    assert np.mean(more) / np.mean(heights) == pytest.approx(1.6, rel=0.1)


def test_identities_are_unique_and_move_smoothly():
    scene = Scene(**SMALL, people=5)
    last: dict[int, tuple[int, np.ndarray, int]] = {}
    gone: set[int] = set()
    for index in range(600):
        truth = scene.ground_truth(index)
        assert len(set(truth.ids.tolist())) == len(truth.ids)
        for id_, box, class_ in zip(truth.ids.tolist(), truth.boxes, truth.classes, strict=True):
            assert id_ not in gone
            if id_ in last:
                before, box_before, class_before = last[id_]
                assert class_ == class_before
                if before == index - 1:
                    # At most 7 px a frame at this size: about a meter a second.
                    assert np.abs(box - box_before).max() < 7
            last[id_] = (index, box, int(class_))
        gone |= {id_ for id_, (seen, _, _) in last.items() if seen < index - 60}
    assert len(last) > 10
    assert min(last) >= 1


def test_nobody_appears_twice_in_a_frame():
    scene = Scene(**SMALL, people=5)
    for index in range(0, 4000, 97):
        people = [id(person) for person, _ in scene.people(index)]
        assert len(set(people)) == 5


def test_all_kinds_of_faces_appear():
    scene = Scene(**SMALL, people=10)
    classes = {c for index in range(0, 300, 10) for c in scene.ground_truth(index).classes.tolist()}
    assert {scene.labels[c] for c in classes} == {
        "with_mask",
        "without_mask",
        "mask_weared_incorrect",
    }


def test_nearer_people_hide_people_behind_them():
    scene = Scene(**SMALL, people=8)
    hidden = 0
    for index in range(0, 300, 5):
        truth = scene.ground_truth(index)
        assert ((truth.visibility >= 0) & (truth.visibility <= 1)).all()
        heights = truth.boxes[:, 3] - truth.boxes[:, 1]
        # The farthest come first; statures differ by less than 20 percent.
        assert (heights[1:] > heights[:-1] * 0.8).all()
        whole = ((truth.boxes[:, :2] >= 0) & (truth.boxes[:, 2:] <= (320, 240))).all(axis=1)
        if len(truth.ids) and whole[-1]:
            assert truth.visibility[-1] == 1
        overlap = np.triu(iou(truth.boxes, truth.boxes), 1)
        for far, _near in zip(*np.nonzero(overlap > 0.35), strict=True):
            assert truth.visibility[far] < 0.75
            hidden += 1
    assert hidden > 0


def test_a_face_half_out_of_the_image_is_half_visible():
    scene = Scene(**SMALL, people=1)
    found = 0
    for index in range(400):
        truth = scene.ground_truth(index)
        if len(truth.ids):
            x1, _, x2, _ = truth.boxes[0]
            inside = (min(x2, 320) - max(x1, 0)) / (x2 - x1)
            assert truth.visibility[0] == pytest.approx(inside, abs=0.12)
            found += 0.2 < inside < 0.8
    assert found > 0


def test_haze_reduces_contrast_with_distance():
    """I = J t + A (1 - t): with distance, colors approach the airlight and contrast falls."""
    clear, hazy = Scene(**SMALL, people=0), Scene(**SMALL, people=0, haze=0.6)
    rows = slice(200, 235), slice(80, 90)  # near ground, far ground
    kept = [hazy.draw(0)[r].std() / clear.draw(0)[r].std() for r in rows]
    assert kept[1] < kept[0] < 1
    end = hazy.draw(0)[60:66, 150:170].mean()
    assert end == pytest.approx(207, abs=6)


def test_haze_covers_people_too():
    person, hazy = Scene(**SMALL, people=1), Scene(**SMALL, people=1, haze=0.5)
    x1, y1, x2, y2 = person.ground_truth(60).boxes[0].astype(int)
    face = slice(y1, y2), slice(x1, x2)
    assert hazy.draw(60)[face].std() < 0.8 * person.draw(60)[face].std()


def test_darkness_reduces_light_and_adds_noise():
    day, night = Scene(**SMALL, people=0), Scene(**SMALL, people=0, darkness=0.8)
    assert night.draw(0).mean() < 0.4 * day.draw(0).mean()

    def noise(scene):
        return (scene.draw(0).astype(float) - scene.draw(1)).std()

    assert noise(night) > 1.5 * noise(day)


@pytest.mark.parametrize("size", [(64, 64), (270, 480), (321, 241)])
def test_odd_portrait_and_tiny_images(size):
    width, height = size
    scene = Scene(width, height, people=3)
    assert scene.draw(50).shape == (height, width, 3)


def test_ground_truth_is_written_in_motchallenge_format(tmp_path):
    path = tmp_path / "new" / "gt.txt"
    source = Synthetic(**SMALL, frames=5, people=6, ground_truth=str(path))
    frames = list(source)
    source.close()
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    ground_truths = [source.street.ground_truth(frame.index) for frame in frames]
    assert len(table) == sum(len(truth.ids) for truth in ground_truths)
    assert table.shape[1] == 9
    third = table[table[:, 0] == 3]
    assert third[:, 1].tolist() == ground_truths[2].ids.tolist()
    assert third[:, 2:4] == pytest.approx(ground_truths[2].boxes[:, :2], abs=0.006)
    assert third[:, 2:4] + third[:, 4:6] == pytest.approx(ground_truths[2].boxes[:, 2:], abs=0.012)
    assert (table[:, 6] == 1).all()
    assert third[:, 7].tolist() == (ground_truths[2].classes + 1).tolist()
    assert third[:, 8] == pytest.approx(ground_truths[2].visibility, abs=0.0006)


def test_ground_truth_is_complete_when_a_run_ends_early(tmp_path):
    path = tmp_path / "gt.txt"
    source = Synthetic(**SMALL, frames=None, people=4, ground_truth=str(path))
    taken = list(itertools.islice(source, 4))
    source.close()
    source.close()
    assert path.read_text().endswith("\n")
    assert set(np.loadtxt(path, delimiter=",")[:, 0]) == {f.index + 1 for f in taken}
    assert list(source) == []


def test_a_ground_truth_file_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"cannot write ground truth '.*file/gt.txt'"):
        Synthetic(**SMALL, ground_truth=str(tmp_path / "file" / "gt.txt"))
    with pytest.raises(SourceError, match="cannot write ground truth"):
        Synthetic(**SMALL, ground_truth=str(tmp_path))


def test_an_endless_scene():
    source = Synthetic(**SMALL, frames=None, people=2)
    assert source.frames is None
    assert [f.index for f in itertools.islice(source, 2)] == [0, 1]
    assert [f.index for f in itertools.islice(source, 2)] == [2, 3]
    # However long it lasts, no more people are drawn than there are in the cast.
    source.street.prepare()
    cast = source.street.people_drawn
    for index in range(10**6, 10**6 + 3000, 50):
        assert source.street.ground_truth(index).ids.min(initial=10**4) > 8800
    assert source.street.people_drawn == cast


class Clock:
    """A clock that advances only by waiting, or by hand."""

    def __init__(self):
        self.now = 100.0
        self.waits = []

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def paced(monkeypatch):
    """Makes a live source at 10 frames/s and the clock that paces it."""

    def make(**options):
        clock = Clock()
        pacer = partial(Pacer, now=lambda: clock.now, sleep=clock.sleep)
        monkeypatch.setattr(synthetic, "Pacer", pacer)
        return Synthetic(**SMALL, people=0, live=True, rate=10.0, **options), clock

    return make


def test_live_frames_come_when_they_are_due(paced):
    source, clock = paced(frames=4)
    assert source.live
    frames = []
    for frame in source:
        assert clock.now == pytest.approx(frame.captured)
        frames.append(frame)
        clock.now += 0.03  # less than the frame interval of 0.1 s
    assert [f.index for f in frames] == [0, 1, 2, 3]
    assert [f.captured for f in frames] == pytest.approx([100, 100.1, 100.2, 100.3])
    assert clock.waits == pytest.approx([0.07, 0.07, 0.07])


def test_live_frames_do_not_wait_for_a_late_reader(paced):
    """At 10 frames/s, frames 1, 2 and 3 are due after 0.35 s, and the camera still has 3."""
    source, clock = paced(frames=None)
    frames = iter(source)
    assert next(frames).index == 0
    clock.now += 0.35
    late = next(frames)
    assert (late.index, late.captured) == (3, pytest.approx(100.3))
    assert late.time == pytest.approx(0.3)
    assert clock.waits == []
    following = next(frames)
    assert (following.index, following.captured) == (4, pytest.approx(100.4))
    assert clock.waits == pytest.approx([0.05])


def test_a_live_scene_ends_on_time(paced):
    source, clock = paced(frames=5)
    frames = iter(source)
    next(frames)
    clock.now += 10
    assert list(frames) == []


def test_closing_ends_the_wait_for_a_frame():
    source = Synthetic(**SMALL, people=0, live=True, rate=0.1, frames=None)
    frames = iter(source)
    next(frames)
    ended = []
    reader = threading.Thread(target=lambda: ended.extend(frames))
    reader.start()
    source.close()
    reader.join(timeout=5)  # less than the 10 s until the next frame
    assert not reader.is_alive()
    assert ended == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("width", 0),
        ("width", 320.5),
        ("height", 63),
        ("rate", 0),
        ("rate", -1.0),
        ("rate", float("nan")),
        ("frames", 0),
        ("frames", True),
        ("people", -1),
        ("people", "many"),
        ("size", 0),
        ("size", float("inf")),
        ("speed", 0),
        ("haze", -0.1),
        ("haze", 1.1),
        ("darkness", 2),
        ("seed", -1),
        ("ground_truth", ""),
        ("stream", " "),
        ("live", "yes"),
    ],
)
def test_bad_options_are_rejected(option, value):
    with pytest.raises(ConfigError, match=rf"^source\.{option}[=:].*{re.escape(repr(value))}"):
        build("source", {"name": "synthetic", **SMALL, option: value})
