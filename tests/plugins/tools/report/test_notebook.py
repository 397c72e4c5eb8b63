"""The notebook over a dataset runs from start to end."""

import json
from pathlib import Path

import pytest

from tests.plugins.sinks.store.rows import RUN, feed
from vidan_plugins.sinks.store.parquet import Parquet

NOTEBOOK = Path(__file__).parents[4] / "examples/events.ipynb"


def test_it_is_stored_without_outputs():
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        assert cell["cell_type"] == "markdown" or cell["outputs"] == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_runs(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="needs the extra: pip install vidan[test]")
    nbformat = pytest.importorskip("nbformat")
    sink = Parquet(str(tmp_path), run=RUN)
    feed(sink, range(20))
    sink.close()
    monkeypatch.setenv("VIDAN_DATASET", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120).execute()
    shown = [cell.outputs[0].data for cell in notebook.cells if cell.get("outputs")]
    assert shown[0]["text/plain"].split() == [
        *("stream", "rule", "direction", "crossings", "0", "test", "door", "in", "20"),
    ]
    assert shown[1]["text/plain"].split() == ["direction", "in", "label", "person", "20"]
    assert "image/png" in shown[-1]
