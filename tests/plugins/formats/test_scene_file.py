"""Every mistake in a scene is one line that names the shape, before the run starts."""

import pytest

from tests.vidan.support.test_yaml_limit import BOMB
from vidan import ConfigError
from vidan.cli import main as cli
from vidan.scene import SceneContext
from vidan_plugins.formats.scene_file import load_scene

GOOD = """\
lines:
  door: {from: [0.31, 0.62], to: [0.55, 0.60], in: left, labels: [person], anchor: center}
zones:
  till: {polygon: [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9], [0.1, 0.9]], loiter: {car: 3, person: 15},
         crowd: {more_than: 5, for: 10}, direction: [[0.1, 0.5], [0.4, 0.5]]}
ground: {points: [[0.2, 0.9], [0.8, 0.9], [0.6, 0.4], [0.4, 0.4]],
         meters: [[0, 0], [8, 0], [8, 20], [0, 20]]}
"""


def test_a_scene_file(tmp_path, caplog):
    file = tmp_path / "shop.yaml"
    file.write_text(GOOD)
    scene = load_scene(str(file))
    (line,), (zone,) = scene.lines, scene.zones
    assert (line.name, line.right_is_in, line.labels, line.anchor) == (
        "door", False, ("person",), "center")  # fmt: skip
    assert line.outline.pixels(100, 200).ravel().tolist() == pytest.approx([31, 124, 55, 120])
    assert (zone.loiter, zone.crowd) == ({"car": 3, "person": 15}, (5, 10))
    assert zone.direction.pixels(100, 200).tolist() == [[10, 100], [40, 100]]
    assert scene.ground is not None
    assert caplog.text == ""


BAD = {
    "an unknown key": ("lines: {door: {form: [0, 0], to: [1, 1]}}", ["door", "form", "from"]),
    "an unknown group": ("line: {}", ["line", "lines"]),
    "a line without length": ("lines: {door: {from: [0.5, 0.5], to: [0.5, 0.5]}}", ["door"]),
    "a missing end": ("lines: {door: {from: [0.5, 0.5]}}", ["door", "to"]),
    "a point outside": ("lines: {door: {from: [0.5, 0.5], to: [1.5, 0.5]}}", ["door", "1.5"]),
    "a negative point": ("lines: {door: {from: [-4, 5], to: [100, 50]}}", ["door", "-4"]),
    "a point in px outside": ("lines: {door: {from: [5, 5], to: [900, 50]}}", ["door", "900"]),
    "a bad point": ("lines: {door: {from: here, to: [1, 1]}}", ["door", "here"]),
    "a bad direction": ("lines: {door: {from: [0, 0], to: [1, 1], in: up}}", ["door.in", "up"]),
    "a duplicate name": (
        "lines:\n  door: {from: [0, 0], to: [1, 1]}\n  door: {from: [0, 1], to: [1, 1]}",
        ["door"],
    ),
    "a polygon that intersects itself": (
        "zones: {till: {polygon: [[0, 0], [1, 1], [1, 0], [0, 1]]}}",
        ["till", "intersects itself"],
    ),
    "collinear ground points": (
        "ground: {points: [[0, 0], [0.1, 0.1], [0.2, 0.2], [1, 0]], "
        "meters: [[0, 0], [8, 0], [8, 20], [0, 20]]}",
        ["ground", "on one line"],
    ),
    "three ground points": (
        "ground: {points: [[0, 0], [1, 0], [1, 1]], meters: [[0, 0], [8, 0], [8, 9]]}",
        ["ground.points", "at least 4"],
    ),
    "a missing meter point": (
        "ground: {points: [[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.4]], "
        "meters: [[0, 0], [8, 0], [8, 9], [0, 9]]}",
        ["ground", "(4)", "(5)"],
    ),
    "ground points without meters": (
        "ground: {points: [[0, 0], [1, 0], [1, 1], [0, 1]]}",
        ["ground", "missing 'meters'"],
    ),
    "collinear meters": (
        "ground: {points: [[0, 0], [1, 0], [1, 1], [0, 1]], "
        "meters: [[0, 0], [8, 0], [16, 0], [0, 9]]}",
        ["ground.meters", "on one line"],
    ),
    "meters in another order": (
        "ground: {points: [[0, 0], [1, 0], [1, 1], [0, 1]], "
        "meters: [[0, 0], [8, 9], [8, 0], [0, 9]]}",
        ["ground", "same order"],
    ),
    "meters that are no number": (
        "ground: {points: [[0, 0], [1, 0], [1, 1], [0, 1]], "
        "meters: [[0, 0], [8, .nan], [8, 9], [0, 9]]}",
        ["ground.meters", "nan"],
    ),
    "a direction of one point": (
        "zones: {lane: {polygon: [[0, 0], [1, 0], [1, 1]], direction: [[0, 0]]}}",
        ["lane.direction", "two points"],
    ),
    "a direction without length": (
        "zones: {lane: {polygon: [[0, 0], [1, 0], [1, 1]], direction: [[0, 1], [0, 1]]}}",
        ["lane.direction", "the same"],
    ),
    "a direction outside": (
        "zones: {lane: {polygon: [[0, 0], [1, 0], [1, 1]], direction: [[5, 5], [9, 900]]}}",
        ["lane.direction", "900"],
    ),
    "a label of no class": (
        "lines: {door: {from: [0, 0], to: [1, 1], labels: [with_maks]}}",
        ["door.labels", "with_maks", "with_mask"],
    ),
    "a loitering label of no class": (
        "zones: {till: {polygon: [[0, 0], [1, 0], [1, 1]], loiter: {with_maks: 3}}}",
        ["zones.till.loiter", "with_maks", "with_mask"],
    ),
    "a zone label of no class": (
        "zones: {till: {polygon: [[0, 0], [1, 0], [1, 1]], labels: [with_maks]}}",
        ["zones.till.labels", "with_maks", "with_mask"],
    ),
    "an unknown key of a zone": (
        "zones: {till: {polygn: [[0, 0], [1, 0], [1, 1]]}}",
        ["zones.till", "polygn", "polygon"],
    ),
    "a zone with a point outside": (
        "zones: {till: {polygon: [[0, 0], [1.5, 0], [0.5, 1]]}}",
        ["zones.till.polygon", "1.5"],
    ),
    "a zone of two points": (
        "zones: {till: {polygon: [[0, 0], [1, 1]]}}",
        ["zones.till.polygon", "3 points"],
    ),
    "a negative time": (
        "zones: {till: {polygon: [[0, 0], [1, 0], [1, 1]], loiter: -3}}",
        ["zones.till.loiter", "-3"],
    ),
    "an unknown key of a crowd": (
        "zones: {till: {polygon: [[0, 0], [1, 0], [1, 1]], crowd: {more_than: 3, form: 2}}}",
        ["zones.till.crowd", "form", "for"],
    ),
    "no YAML": ("lines: [", ["scene.yaml"]),
    "aliases that stand for too much": (BOMB, ["scene.yaml", "values"]),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_a_mistake_is_one_line_before_the_run_starts(here, capsys, text, words):
    (here / "scene.yaml").write_text(text)
    (here / "det.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n")
    detector = ["detector=mot", "detector.path=det.txt", "detector.label=with_mask"]
    size = ["source.width=640", "source.height=360", "max_frames=2", "source.live=false"]
    command = ["scene=scene.yaml", "analytics=[lines]", "sink=[events]", "hydra.run.dir=out"]
    assert cli.main([*command, *detector, *size]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]
    assert not (here / "out/events.jsonl").exists()


def test_shapes_on_the_command_line(here, capsys):
    line = "scene.lines.door={from:[0.5,0],to:[0.5,1]}"
    size = ["source.width=640", "source.height=360", "max_frames=3", "source.live=false"]
    command = [line, "analytics=[lines]", "sink=[events,video]", "hydra.run.dir=out"]
    assert cli.main([*command, *size]) == 0, capsys.readouterr().err
    assert (here / "out/events.jsonl").exists()


def test_another_aspect_ratio_is_a_warning(caplog):
    values = {"size": [1920, 1080], "lines": {"door": {"from": [0, 0], "to": [1, 1]}}}
    load_scene(SceneContext(values, size=(640, 480)))
    assert "aspect ratio" in caplog.text


def test_a_label_that_the_model_does_not_have():
    values = {"lines": {"door": {"from": [0, 0], "to": [1, 1], "labels": ["persn"]}}}
    with pytest.raises(ConfigError, match="no label 'persn'"):
        load_scene(SceneContext(values, ("person",)))
