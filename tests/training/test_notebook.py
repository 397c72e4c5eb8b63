"""The notebook for Colab runs from start to end, on drawn images and without Drive."""

import ast
import json
from pathlib import Path

import pytest

import vidan_training

from .drawn import SMALL, draw

NOTEBOOK = Path(vidan_training.__file__).parent / "colab.ipynb"


def cells():
    return [c for c in json.loads(NOTEBOOK.read_text())["cells"] if c["cell_type"] == "code"]


def test_cells_are_python_without_outputs():
    for cell in cells():
        source = "".join(cell["source"]).replace("%pip", "#pip").replace("    #pip", "    pass  #")
        ast.parse(source)
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


def test_the_steps_are_in_order():
    text = "".join("".join("".join(cell["source"]).split()) for cell in cells())
    steps = ["drive.mount(", "%pipinstall", 'vidan("data","check"', 'vidan("train"', "MORE=",
             'vidan("export"', 'vidan("eval","detection"', "files.download("]  # fmt: skip
    positions = [text.index(step) for step in steps]
    assert positions == sorted(positions)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_runs(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="needs the extra: pip install vidan[test]")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("tf2onnx", reason="needs the extra: pip install vidan[train]")
    draw(tmp_path / "data", 8)
    monkeypatch.setenv("VIDAN_NOTEBOOK", str(tmp_path))
    monkeypatch.setenv("VIDAN_NOTEBOOK_OPTIONS", " ".join([*SMALL, "eager=true"]))
    monkeypatch.setenv("VIDAN_NOTEBOOK_EPOCHS", "1")
    monkeypatch.setenv("VIDAN_NOTEBOOK_MORE", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(tmp_path)}}
                            ).execute()  # fmt: skip
    rows = (tmp_path / "run/log.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == [1, 2]
    assert (tmp_path / "run/mine.onnx").stat().st_size > 1e6
    assert list((tmp_path / "run/evaluation").glob("*.json"))
    assert "the model is mine.onnx" in notebook.cells[-1].outputs[0].text
