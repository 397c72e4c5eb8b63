"""The packages have layers: there is no import cycle, and no folder has too many modules."""

from tests import structure


def test_no_import_cycle_between_files():
    assert structure.file_cycle() == []


def test_no_import_cycle_between_the_children_of_a_folder():
    assert structure.folder_cycles() == []


def test_folders_are_not_crowded():
    assert structure.crowded_folders() == {}


def test_a_cycle_is_found(monkeypatch):
    graph = {"vidan.a.x": {"vidan.b.y"}, "vidan.b.z": {"vidan.a.x"}, "vidan.b.y": set()}
    monkeypatch.setattr(structure, "imports", lambda: graph)
    assert structure.file_cycle() == []
    assert set(structure.folder_cycles()[0]) == {"vidan.a", "vidan.b"}
