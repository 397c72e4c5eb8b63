"""Scene files that are edited."""

import os
import stat
import sys

import pytest
from omegaconf import OmegaConf

from vidan.errors import ConfigError
from vidan.scene import SceneContext
from vidan_plugins.formats.scene_file import load_scene
from vidan_plugins.sinks.web.editor.scene_file import ConflictError, SceneFile

TEXT = """\
# The shop in Main Street.
lines:
  # The front door.
  door: {from: [0.5, 0.3], to: [0.5, 0.9], in: left}  # customers come from the right
  wall: {from: [100, 20], to: [200, 700]}
zones:
  till:
    polygon: [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9]]
    loiter: 30  # s
size: [1280, 720]
"""


def check(values):
    load_scene(SceneContext(values, ("person", "yes")))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def file(path):
    return SceneFile(path, check)


def edit(file, change):
    values, version = file.read()
    change(values)
    return file.write(values, version)


def test_nothing_changes_without_a_change(file, path):
    values, version = file.read()
    assert file.write(values, version) == version
    assert path.read_text() == TEXT


def test_comments_and_other_keys_stay(file, path):
    def change(values):
        values["lines"]["door"]["in"] = "right"
        values["zones"]["till"]["loiter"] = 60
        values["zones"]["queue"] = {"polygon": [[0.5, 0.5], [0.6, 0.5], [0.6, 0.6]]}

    edit(file, change)
    text = path.read_text()
    for comment in ("# The shop in Main Street.", "# The front door.", "# customers", "# s"):
        assert comment in text
    assert text.count("\n") == TEXT.count("\n") + 1
    assert "wall: {from: [100, 20], to: [200, 700]}" in text
    assert OmegaConf.load(path).size == [1280, 720]
    check(OmegaConf.to_container(OmegaConf.load(path)))


def test_shapes_are_deleted(file, path):
    def change(values):
        del values["lines"]["wall"], values["zones"]["till"]

    edit(file, change)
    assert OmegaConf.load(path) == {
        "lines": {"door": {"from": [0.5, 0.3], "to": [0.5, 0.9], "in": "left"}},
        "size": [1280, 720],
    }


def test_the_previous_version_is_kept(file, path):
    edit(file, lambda values: values["lines"].pop("wall"))
    once = path.read_text()
    assert (path.parent / "shop.yaml.bak").read_text() == TEXT
    edit(file, lambda values: values["lines"].pop("door"))
    assert (path.parent / "shop.yaml.bak").read_text() == once
    assert sorted(each.name for each in path.parent.iterdir()) == ["shop.yaml", "shop.yaml.bak"]


def test_a_file_that_does_not_exist_is_created(tmp_path):
    file = SceneFile(tmp_path / "new.yaml", check)
    values, version = file.read()
    assert values == {}
    file.write({"lines": {"a b": {"from": [0, 0], "to": [1, 1]}}}, version)
    assert OmegaConf.load(tmp_path / "new.yaml") == {
        "lines": {"a b": {"from": [0, 0], "to": [1, 1]}}
    }


@pytest.mark.parametrize("name", ["yes", "12", "1e3", "null", "~", "- a", "a: b", "'", '"', "#x"])
def test_names_and_labels_are_text(tmp_path, name):
    file = SceneFile(tmp_path / "new.yaml", lambda _: None)
    shape = {"from": [0, 0], "to": [1, 1], "labels": [name]}
    file.write({"lines": {name: shape}}, file.read()[1])
    assert OmegaConf.load(tmp_path / "new.yaml") == {"lines": {name: shape}}


def test_another_version_is_a_conflict_and_changes_nothing(file, path):
    values, version = file.read()
    path.write_text(TEXT + "\n")
    with pytest.raises(ConflictError):
        file.write({**values, "zones": {}}, version)
    assert path.read_text() == TEXT + "\n"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lines": {"door": {"from": [0.5, 0.3]}}}, "scene.lines.door: missing 'to'"),
        ({"lines": {"door": {"from": [0, 0], "to": [0, 0]}}}, "has no length"),
        ({"lines": {"": {"from": [0, 0], "to": [1, 0]}}}, "1 to 64 printable"),
        ({"lines": {"x" * 65: {"from": [0, 0], "to": [1, 0]}}}, "1 to 64 printable"),
        ({"lines": {"a\x1b[2J": {"from": [0, 0], "to": [1, 0]}}}, "1 to 64 printable"),
        ({"lines": {"a\ud800": {"from": [0, 0], "to": [1, 0]}}}, "1 to 64 printable"),
        ({"lines": {f"a{n}": {} for n in range(201)}}, "more than 200"),
        ({"zones": {"z": {"polygon": [[0, 0]] * 201}}}, "more than 200 points"),
        ({"zones": {"z": {"polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}}}, "intersects itself"),
        ({"lines": ["a"]}, "expected names and shapes"),
        ({"lines": {"a": {"from": [0, 0], "to": [1, 0], "labels": ["dog"]}}}, "no label 'dog'"),
        ({"lines": {"a": {"from": [0, 0], "to": [1, 0], "x": 1}}}, "unknown key 'x'"),
        (
            {"lines": {"a": {"from": [0, 0], "to": [1, 0], "labels": ["${oc.env:HOME}"]}}},
            "can only be written by hand",
        ),
        ({"lines": {"${oc.env:HOME}": {"from": [0, 0], "to": [1, 0]}}}, "written by hand"),
    ],
)
def test_invalid_scenes_are_refused_and_change_nothing(file, path, changed, message):
    _, version = file.read()
    with pytest.raises(ConfigError, match=message.replace("$", r"\$").replace("[", r"\[")):
        file.write(changed, version)
    assert path.read_text() == TEXT


def test_interpolations_that_are_there_already_stay(file, path, monkeypatch):
    monkeypatch.setenv("WHO", "person")
    text = TEXT.replace("in: left", "labels: ['${oc.env:WHO}']")
    path.write_text(text)
    file = SceneFile(path, lambda _: None)
    edit(file, lambda values: values["lines"].pop("wall"))
    assert "labels: ['${oc.env:WHO}']" in path.read_text()


def test_anchors_that_cannot_be_edited_are_refused(file, path):
    text = "base: &b {from: [0, 0], to: [1, 1]}\nlines:\n  a: {<<: *b, in: left}\n"
    path.write_text(text)
    with pytest.raises(ConfigError, match="edit it by hand"):
        edit(SceneFile(path, lambda _: None), lambda values: values["lines"]["a"].pop("from"))
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["[1, 2]", "lines: [a]", "a: [", "lines: {a: 1, a: 2}"])
def test_a_file_that_is_no_scene(path, text):
    path.write_text(text)
    with pytest.raises(ConfigError, match="cannot be read"):
        SceneFile(path, check).read()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_the_target_of_a_link_is_replaced_and_keeps_its_mode(path, tmp_path):
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    edit(SceneFile(link, check), lambda values: values["lines"].pop("wall"))
    assert link.is_symlink()
    assert "wall" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_cannot_be_written(file, path):
    path.parent.chmod(0o500)
    try:
        with pytest.raises(ConfigError, match=r"cannot write the scene 'shop\.yaml'"):
            edit(file, lambda values: values["lines"].pop("wall"))
    finally:
        path.parent.chmod(0o700)


def test_a_scene_is_applied_after_it_was_written(file, path):
    applied = []
    values, version = file.read()
    file.write(
        {**values, "zones": {}}, version, lambda new: applied.append((new, path.read_text()))
    )
    assert applied == [({"lines": values["lines"], "size": [1280, 720]}, path.read_text())]
