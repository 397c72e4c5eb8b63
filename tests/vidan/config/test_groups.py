from vidan.config.groups import groups
from vidan.registry.discovery import load_plugins


def test_a_folder_can_be_a_plugins_configuration(tmp_path, monkeypatch):
    (tmp_path / "tracker").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "tracker/mine.yaml").write_text("# @package _global_\n# my own\nname: mine\n")
    (tmp_path / "tracker/bare.yaml").write_text("name: bare\n")
    (tmp_path / "tracker/sort.yaml").write_text("# a shadow\nname: sort\n")
    monkeypatch.setattr(load_plugins(), "configs", [f"file://{tmp_path}"])
    found = groups()
    assert found["tracker"]["mine"] == "my own"
    assert found["tracker"]["bare"] == ""
    assert found["tracker"]["sort"] != "a shadow"
    assert "empty" not in found
