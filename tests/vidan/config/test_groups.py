from vidan.config.groups import groups
from vidan.registry.discovery import load_plugins


def test_a_plugin_can_have_its_configuration_in_a_folder(tmp_path, monkeypatch):
    (tmp_path / "tracker").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "tracker/mine.yaml").write_text("# @package _global_\n# my own\nname: mine\n")
    (tmp_path / "tracker/plain.yaml").write_text("name: plain\n")
    (tmp_path / "tracker/sort.yaml").write_text("# shadows ours\nname: sort\n")
    monkeypatch.setattr(load_plugins(), "configs", [f"file://{tmp_path}"])
    found = groups()
    assert found["tracker"]["mine"] == "my own"
    assert found["tracker"]["plain"] == ""
    assert found["tracker"]["sort"] != "shadows ours"
    assert "empty" not in found
