"""`vidan models list`, `pull` and `inspect`."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from vidan import create
from vidan.cli import main as cli
from vidan_plugins.detectors.onnx import OnnxDetector
from vidan_plugins.tools.models import commands

from ...detectors.exported.decoding.graphs import graph, yolov8
from ...detectors.models import plain, toy_onnx

BOX = [[20, 30, 20, 20]]


@pytest.fixture(autouse=True)
def _here(own, monkeypatch, tmp_path):
    """A cache and a catalog for the test, and no OpenVINO."""
    monkeypatch.setattr(commands, "cache_folder", lambda: tmp_path / "cache" / "models")
    monkeypatch.setattr(commands, "user_file", lambda: tmp_path / "models.yaml")
    monkeypatch.setattr("vidan_plugins.detectors.engine.OPENVINO", False)


@pytest.fixture
def published(server, own, tmp_path):
    """A model with two classes on the server, in the user's catalog."""
    path = graph(tmp_path / "source.onnx", {"o": yolov8(BOX, [[0.1, 0.9]])})
    server.content = Path(path).read_bytes()
    size, sha = len(server.content), hashlib.sha256(server.content).hexdigest()

    def write(sha256=sha, size=size):
        return own(
            f"mine: {{url: '{server.url}', size: {size or 'null'}, sha256: {sha256 or 'null'}, "
            "license: MIT, about: a test, labels: [red, green], letterbox: stretch}\n"
        )

    return write


def test_a_model_is_downloaded_once_and_used_offline(published, server, capsys):
    folder = published()
    assert cli.main(["models", "pull", "mine"]) == 0
    assert "license MIT" in capsys.readouterr().out
    assert (folder / "mine.onnx").read_bytes() == server.content
    server.shutdown()
    assert cli.main(["models", "pull", "mine"]) == 0
    assert "is already downloaded" in capsys.readouterr().out
    assert len(server.asked) == 1
    detector = OnnxDetector("mine")
    assert detector.labels == ("red", "green")
    assert "stretched" in detector.summary
    (found,) = detector.detect([plain((1, 2, 3))])
    np.testing.assert_allclose(found.boxes, [[20, 40, 60, 80]])
    # the user's option has priority
    assert "corner" in OnnxDetector("mine", letterbox="corner").summary


def test_an_unknown_checksum_is_reported(published, capsys, caplog):
    published(sha256=None, size=None)
    assert cli.main(["models", "list"]) == 0
    listed = capsys.readouterr().out
    assert "cannot be verified: its checksum is unknown" in listed
    assert "ultraface-320" in listed
    assert cli.main(["models", "pull", "mine"]) == 0
    assert "cannot be verified" in caplog.text


def test_errors_are_single_lines(published, capsys):
    published(sha256="f" * 64)
    assert cli.main(["models", "pull", "mine"]) == 1
    assert cli.main(["models", "pull", "mien"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert "is not kept" in errors[0]
    assert "did you mean 'mine'" in errors[1]
    assert len(errors) == 2


def test_inspect(tmp_path, capsys):
    path = graph(
        tmp_path / "m.onnx",
        {"output0": yolov8(BOX, [[0.1, 0.9]])},
        properties={"names": "['red', 'green']", "stride": "32"},
    )
    assert cli.main(["models", "inspect", path, "runs=2"]) == 0
    out = capsys.readouterr().out
    for line in (
        "opset      ai.onnx 17",
        "input      images float32 [1,3,64,96]",
        "output     output0 float32 [1,6,126]",
        "metadata   stride: 32",
        "used as    decode yolo: output0 [1,6,126]: 126 boxes of cx, cy, w, h, 2 scores",
        "labels     2: red, green",
        "median of 2 runs",
    ):
        assert line in out


def test_inspect_reports_what_is_missing(tmp_path, capsys):
    path = graph(tmp_path / "m.onnx", {"output0": yolov8(BOX, [[0.1, 0.9]])})
    assert cli.main(["models", "inspect", path]) == 1
    out = capsys.readouterr().out
    assert "output0 float32 [1,6,126]" in out
    assert "cannot be used" in out
    assert "set detector.labels=<file>" in out
    (tmp_path / "two.txt").write_text("a\nb\n")
    labels = f"labels={tmp_path / 'two.txt'}"
    assert cli.main(["models", "inspect", path, labels, "decode=yolo", "runs=1"]) == 0
    assert cli.main(["models", "inspect", path, "labels=[a,b]", "runs=1"]) == 0
    assert create("detector", "onnx", model=path, labels=["a", "b"]).labels == ("a", "b")
    assert cli.main(["models", "inspect", path, "labels=[a]"]) == 1


def test_inspect_own_form(tmp_path, capsys):
    toy_onnx(tmp_path / "toy.onnx")
    assert cli.main(["models", "inspect", str(tmp_path / "toy.onnx"), "runs=1"]) == 0
    assert "used as    vidan's native format" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.onnx"], 1, "there is no such file"),
        (["ssd-resnet34", "offline=true"], 1, "run vidan models pull ssd-resnet34"),
        (["ssd-resnet43"], 1, "no such file or model: did you mean 'ssd-resnet34'"),
        (["m.onnx", "labels"], 2, "'labels': expected key=value"),
        (["m.onnx", "runs=0"], 2, "runs=0: expected a whole number"),
    ],
)
def test_inspect_missing_models_and_options(arguments, code, message, capsys):
    assert cli.main(["models", "inspect", *arguments]) == code
    out, err = capsys.readouterr()
    assert message in out + err


def test_an_unknown_option(tmp_path, capsys):
    toy_onnx(tmp_path / "toy.onnx")
    assert cli.main(["models", "inspect", str(tmp_path / "toy.onnx"), "labls=a"]) == 2
    assert "labls" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"hello\n", bytes(range(256)) * 20, "cut off"])
def test_inspect_files_that_are_not_models(content, tmp_path, capsys):
    toy_onnx(tmp_path / "m.onnx")
    whole = (tmp_path / "m.onnx").read_bytes()
    content = whole[: len(whole) // 2] if content == "cut off" else content
    (tmp_path / "m.onnx").write_bytes(content)
    assert cli.main(["models", "inspect", str(tmp_path / "m.onnx"), "runs=1"]) == 1
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("cannot be used model ")
    assert "the file is empty" in last or "not ONNX, cut off" in last


def test_inspect_a_saved_model(tmp_path, capsys):
    pytest.importorskip("tensorflow", reason="needs the extra tf")
    from ...detectors.test_savedmodel import Network, save

    save(Network(), tmp_path / "saved")
    assert cli.main(["models", "inspect", str(tmp_path / "saved"), "runs=1"]) == 0
    out = capsys.readouterr().out
    assert "saved, a SavedModel" in out
    assert "labels     3: red, green, blue" in out
    assert "median of 1 runs" in out
    (tmp_path / "empty").mkdir()
    assert cli.main(["models", "inspect", str(tmp_path / "empty")]) == 1
    assert "it contains no saved_model.pb" in capsys.readouterr().out
