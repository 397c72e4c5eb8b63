"""The true events of the drawn street agree with the boxes of its ground truth."""

import json

import numpy as np
import pytest

from vidan.errors import ConfigError, SourceError
from vidan.scene import SceneContext
from vidan_plugins.formats.scene_file import load_scene
from vidan_plugins.sources.synthetic.scene.scene import Scene
from vidan_plugins.sources.synthetic.source import Synthetic
from vidan_plugins.sources.synthetic.true_events import TrueEvents

SIZE, RATE, FRAMES = (320, 240), 30.0, 300
LINE = {"from": [0.5, 0], "to": [0.5, 1], "anchor": "center"}
ZONE = {"polygon": [[0, 0], [0.4, 0], [0.4, 1], [0, 1]], "anchor": "center"}


@pytest.fixture(scope="module")
def street():
    return Scene(*SIZE, people=4, rate=RATE)


def true_events(street, frames=FRAMES, **shapes):
    truth = TrueEvents(street, load_scene(shapes), SIZE, "street", RATE)
    return [e for index in range(frames) for e in truth.until(index)] + truth.finish()


def centers(street):
    """Frames and horizontal centers of the face of each person."""
    found = {}
    for index in range(FRAMES):
        faces = street.ground_truth(index)
        for number, box in zip(faces.ids.tolist(), faces.boxes.tolist(), strict=True):
            found.setdefault(number, []).append((index, (box[0] + box[2]) / 2))
    return {number: np.array(rows) for number, rows in found.items()}


def test_people_cross_where_their_faces_change_sides(street):
    crossings = {
        (e.track, e.data["direction"]): e for e in true_events(street, lines={"middle": LINE})
    }
    expected = {}
    for number, rows in centers(street).items():
        side = rows[:, 1] < SIZE[0] / 2
        for k in np.flatnonzero(side[1:] != side[:-1]).tolist():
            # Facing down from the top of the image, the right-hand side is on the left.
            expected[number, "in" if side[k + 1] else "out"] = rows[k + 1, 0]
    assert crossings.keys() == expected.keys()
    assert len(expected) >= 3
    for key, event in crossings.items():
        assert event.frame == pytest.approx(expected[key], abs=3)
        assert event.at[0] == pytest.approx(SIZE[0] / 2, abs=1)
        assert (event.kind, event.phase, event.rule) == ("line.crossed", "point", "middle")


def test_a_visit_lasts_as_long_as_the_face_is_in_the_zone(street):
    events = true_events(street, zones={"left": ZONE})
    ends = {e.track: e for e in events if e.phase == "end"}
    starts = {e.id: e for e in events if e.phase == "start"}
    seen = centers(street)
    assert len(ends) >= 4
    for number, end in ends.items():
        frames = seen[number][:, 0][(seen[number][:, 1] < 0.4 * SIZE[0])]
        # Faces leave the zone at the left edge of the image, where half of them is hidden.
        assert end.data["dwell"] == pytest.approx(len(frames) / RATE, abs=0.35)
        if end.data["began_inside"]:
            assert end.id not in starts
            assert 0 in frames
        else:
            assert end.data["dwell"] == pytest.approx(end.time - starts[end.id].time, abs=0.01)
    assert any(e.data["began_inside"] for e in ends.values())
    assert max(e.time for e in events) <= (FRAMES - 1) / RATE


def test_the_end_of_the_stream_ends_all_visits(street):
    whole = {e.id: e for e in true_events(street, zones={"left": ZONE}) if e.phase == "end"}
    cut_short = set()
    for frames in range(30, FRAMES, 30):
        events = true_events(street, frames=frames, zones={"left": ZONE})
        ids = [e.id for e in events if e.phase == "end"]
        assert len(ids) == len(set(ids))
        assert {e.id for e in events if e.phase == "start"} <= set(ids)
        for end in events:
            if end.data.get("end_of_stream"):
                cut_short.add(end.id)
                lost = whole[end.id].time - end.time
                assert end.data["dwell"] == pytest.approx(whole[end.id].data["dwell"] - lost)
    assert cut_short


def test_speeds_are_those_of_the_paths_over_the_ground(street):
    """Shortest distance divided by time is a lower bound, and people do not walk in circles."""
    before = {w.identity: w for _, w in street.people(60)}
    after = {w.identity: w for _, w in street.people(66)}
    for number in before.keys() & after.keys():
        walk = street.walk(number)
        moved = np.hypot(after[number].x - before[number].x, after[number].z - before[number].z)
        speed = np.interp(63 / RATE, walk.times, walk.speeds)
        assert moved / 0.2 == pytest.approx(speed, rel=0.03)
    speeds = [e.data["speed"] for e in true_events(street, lines={"middle": LINE})]
    assert all(0.3 < speed < 3 for speed in speeds)


def test_the_visible_fraction_of_a_face_is_known_where_it_crosses(street):
    for event in true_events(street, lines={"middle": LINE}):
        faces = street.ground_truth(event.frame)
        visible = dict(zip(faces.ids.tolist(), faces.visibility.tolist(), strict=True))
        assert event.data["visibility"] == visible[event.track]


def test_only_the_labels_of_the_shape_count(street):
    everyone = true_events(street, lines={"middle": LINE})
    masked = true_events(street, lines={"middle": LINE | {"labels": ["with_mask"]}})
    assert [e for e in everyone if e.label == "with_mask"] == masked
    assert 0 < len(masked) < len(everyone)


def test_events_do_not_depend_on_the_frames_that_were_skipped(street):
    shapes = {"lines": {"middle": LINE}, "zones": {"left": ZONE}}
    truth = TrueEvents(street, load_scene(shapes), SIZE, "street", RATE)
    some = [e for index in range(0, FRAMES, 7) for e in truth.until(index)]
    assert some == true_events(street, frames=FRAMES, **shapes)[: len(some)]


def test_the_file_is_complete_when_a_run_ends_early(tmp_path):
    path = tmp_path / "new" / "truth.jsonl"
    scene = SceneContext({"lines": {"middle": LINE}, "zones": {"left": ZONE}})
    source = Synthetic(320, 240, frames=None, people=4, true_events=str(path), scene=scene)
    for _ in zip(range(120), source, strict=False):
        pass
    during = path.read_text().splitlines()
    source.close()
    source.close()
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(records) > len(during) > 3
    assert {record["stream"] for record in records} == {"synthetic"}
    assert [r for r in records if r["data"].get("end_of_stream")]


def test_bad_input_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"set true_events to another path"):
        Synthetic(320, 240, true_events=str(tmp_path / "file" / "truth.jsonl"))
    outside = SceneContext({"lines": {"far": {"from": [0, 0], "to": [400, 100]}}})
    with pytest.raises(ConfigError, match=r"scene.lines.far.*outside the image of 320x240 px"):
        Synthetic(320, 240, true_events=str(tmp_path / "truth.jsonl"), scene=outside)
