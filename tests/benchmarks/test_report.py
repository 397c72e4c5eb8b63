"""Results as tables, JSON and Markdown."""

import json

import pytest
from rich.console import Console

from benchmarks import plots, report
from benchmarks.report import Table, load, result, save
from vidan.errors import ConfigError, SinkError
from vidan_plugins.tools.bench.environment import environment
from vidan_plugins.tools.bench.results import layout, show


@pytest.fixture
def found():
    table = Table("Speed", ["", "frames/s"], [["a", 12.34], ["b", 1234.5], ["c", None]], "A note.")
    return result("speed", "How fast", "python -m benchmarks.speed", [table], ["speed.png"], x=1)


def test_a_result_can_be_saved_and_loaded(tmp_path, found):
    assert load(save(found, tmp_path / "new folder")) == json.loads(json.dumps(found))


def test_paths_of_this_machine_are_removed(tmp_path, found, monkeypatch):
    monkeypatch.setenv("VIDAN_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    found["command"] = f"run {tmp_path}/data/video/a.mp4 {tmp_path}/runs/b.mp4 c.mp4"
    kept = load(save(found, tmp_path))
    assert kept["command"] == "run data/video/a.mp4 runs/b.mp4 c.mp4"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(save(found, tmp_path))["command"].startswith("run $VIDAN_DATA/video/a.mp4 ")


def test_environment_lists_cpus_and_packages():
    about = environment()
    assert about["cpus"] >= about["cores_to_use"] >= 1
    assert {"vidan", "numpy", "av", "onnxruntime"} <= about["packages"].keys()


def test_readme_shows_existing_results_and_leaves_the_rest(tmp_path, found):
    save(found, tmp_path)
    readme = (
        "# Title\n<!-- result: speed -->\nold\n<!-- end -->\n<!-- result: no -->\n<!-- end -->\n"
    )
    shown = report.filled(readme, tmp_path)
    assert "| a | 12.3 |\n| b | 1234 |\n| c |  |\n\nA note." in shown
    assert "python -m benchmarks.speed" in shown
    assert "![How fast](results/speed.png)" in shown
    assert "old" not in shown
    assert shown.endswith("<!-- end -->\n<!-- result: no -->\n<!-- end -->\n")
    assert report.filled(shown, tmp_path) == shown


def test_terminal(found):
    console = Console(record=True, width=100)
    show(found, console)
    assert "12.3" in console.export_text()


@pytest.mark.parametrize("text", ["not JSON", "[]", "{}"])
def test_files_without_a_result(tmp_path, text):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"r\.json.*: not"):
        load(path)


def test_files_that_cannot_be_read_or_written(tmp_path, found):
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path / "none.json")
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot write"):
        save(found, tmp_path / "file")


@pytest.mark.parametrize("path", sorted(report.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_plots_can_be_drawn_from_the_saved_results(tmp_path, path):
    saved = load(path)
    plots.draw(saved, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == saved["plots"]


def test_saved_results_are_short():
    assert all(len(path.read_text().splitlines()) < 300 for path in report.RESULTS.glob("*.json"))


def test_only_long_nested_values_take_several_lines():
    figures = {"fps": {"median": 2.0, "runs": [1.0, 2.0, 3.0]}, "ages": [0.5] * 101}
    assert layout(figures).splitlines() == [
        "{",
        '  "fps": {"median": 2.0, "runs": [1.0, 2.0, 3.0]},',
        f'  "ages": {figures["ages"]}',
        "}",
    ]
