"""Models of the catalog are downloaded when they are first used."""

import hashlib
import logging
from pathlib import Path

import pytest

from vidan.errors import ModelError
from vidan_plugins.detectors.onnx import OnnxDetector
from vidan_plugins.models.fetch import find

from ..conftest import CONTENT
from ..detectors.exported.decoding.graphs import graph, yolov8


@pytest.fixture(autouse=True)
def _onnx_runtime(monkeypatch):
    monkeypatch.setattr("vidan_plugins.detectors.engine.OPENVINO", False)


@pytest.fixture
def published(server, own, tmp_path):
    """A model on the server, in the user's catalog."""
    path = graph(tmp_path / "source.onnx", {"o": yolov8([[20, 30, 20, 20]], [[0.1, 0.9]])})
    server.content = Path(path).read_bytes()
    digest = hashlib.sha384(server.content).hexdigest()

    def write(sha384=digest):
        return own(
            f"mine: {{url: '{server.url}', size: {len(server.content)}, sha384: {sha384}, "
            "labels: [red, green]}\n"
            f"vectors: {{url: '{server.url}', about: 256 numbers, task: appearance}}\n"
        )

    return write


def test_a_detector_downloads_its_model_once(published, server, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    folder = published()
    monkeypatch.setattr("builtins.input", None)  # it asks nothing
    assert OnnxDetector("mine").labels == ("red", "green")
    assert (folder / "mine.onnx").read_bytes() == server.content
    assert "downloading the model mine, 0.0 MB" in caplog.text
    assert f"stored in {folder}" in caplog.text
    server.shutdown()
    assert OnnxDetector("mine", offline=True).labels == ("red", "green")
    assert server.asked == [None]


def test_an_interrupted_download_is_resumed_by_the_next_run(published, server):
    folder = published()
    server.breaks_after = 1000
    with pytest.raises(ModelError, match="interrupted after 1000 of"):
        OnnxDetector("mine")
    assert not (folder / "mine.onnx").exists()
    OnnxDetector("mine")
    assert server.asked == [None, "bytes=1000-"]


def test_a_wrong_checksum(published):
    folder = published(sha384="f" * 96)
    with pytest.raises(ModelError, match="was modified or damaged, and is not kept") as caught:
        OnnxDetector("mine")
    assert "\n" not in str(caught.value)
    assert [each.name for each in folder.iterdir()] == ["mine.onnx.lock"]


def test_offline(published, server):
    published()
    with pytest.raises(ModelError, match=r"models\.offline=true forbids it: run vidan models pull"):
        OnnxDetector("mine", offline=True)
    assert server.asked == []


def test_a_model_for_another_task(published, server):
    published()
    with pytest.raises(ModelError, match="'vectors' is for appearance, not for detection: 256"):
        OnnxDetector("vectors")
    assert server.asked == []
    _, path = find("vectors", "appearance")
    assert path.read_bytes() == server.content


def test_unknown_names(published):
    published()
    assert find("nothing") is None
    with pytest.raises(ModelError, match="'mien': there is no such file or model: did you mean"):
        OnnxDetector("mien")


def test_all_files_of_a_model_are_there_or_none_counts(own, server):
    url = server.url.removesuffix("onnx")
    sha = f"size: {len(CONTENT)}, sha256: {server.sha256}"
    folder = own(f"ir: {{files: [{{url: '{url}xml', {sha}}}, {{url: '{url}bin', {sha}}}]}}\n")
    server.breaks_after = 1000
    with pytest.raises(ModelError, match="interrupted"):
        find("ir")
    assert not (folder / "ir.xml").exists()  # the model itself comes last
    entry, path = find("ir")
    assert path == folder / "ir.xml"
    assert {"ir.bin", "ir.xml"} < {each.name for each in folder.iterdir()}
    assert len(entry.files) == 2
    (folder / "ir.bin").unlink()
    find("ir")
    assert server.asked == [None, "bytes=1000-", None, None]
