"""OpenVINO has the results of ONNX Runtime."""

import threading
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from vidan import create
from vidan.errors import ConfigError, ModelError, PluginError
from vidan_plugins.detectors import engine as module
from vidan_plugins.detectors.onnx import OnnxDetector
from vidan_plugins.formats.onnx import is_quantized, read_info, read_properties

from ..exported.decoding.graphs import graph, yolov8
from ..models import LABELS, noise, plain

needs_openvino = pytest.mark.skipif(
    module.importlib.util.find_spec("openvino") is None, reason="the extra openvino is missing"
)


@pytest.fixture(autouse=True)
def _installed(monkeypatch, tmp_path, _onnx_runtime_unless_told):
    found = module.importlib.util.find_spec("openvino") is not None
    monkeypatch.setattr(module, "OPENVINO", found)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@needs_openvino
@pytest.mark.parametrize("batch", ["N", 1])
def test_detections_equal_those_of_onnx_runtime(toy, batch):
    model = toy(batch=batch)
    frames = [noise(seed) for seed in range(3)] + [plain((255, 0, 0))]
    a = OnnxDetector(model, backend="onnxruntime", threshold=0.1)
    b = OnnxDetector(model, backend="openvino", threshold=0.1)
    assert a.labels == b.labels == LABELS
    for one, other in zip(a.detect(frames), b.detect(frames), strict=True):
        np.testing.assert_allclose(one.boxes, other.boxes, atol=0.5)
        np.testing.assert_allclose(one.scores, other.scores, atol=0.01)  # it may be bfloat16
        assert one.classes.tolist() == other.classes.tolist()
    b.close()
    with pytest.raises(ModelError, match="closed"):
        b.detect(frames)


@needs_openvino
def test_concurrent_runs(toy):
    detector = OnnxDetector(toy(), backend="openvino", threshold=0.1, workers=2)
    frames = [noise(seed) for seed in range(8)]
    expected = [detector.detect([each])[0].scores for each in frames]
    found = [None] * len(frames)

    def work(first):
        for i in range(first, len(frames), 4):
            found[i] = detector.detect([frames[i]])[0].scores

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


@needs_openvino
def test_compiled_models_are_cached(toy, tmp_path, monkeypatch, capfd):
    OnnxDetector(toy(), backend="openvino")
    assert list((tmp_path / "cache/vidan/openvino").iterdir())
    assert capfd.readouterr() == ("", "")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))  # not a folder
    OnnxDetector(toy(), backend="openvino")


@needs_openvino
@pytest.mark.parametrize("content", [b"this is not a model" * 9, 0.6])
def test_bad_files_are_rejected(toy, tmp_path, content, capfd):
    whole = Path(toy()).read_bytes()
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(content if isinstance(content, bytes) else whole[: int(len(whole) * content)])
    with pytest.raises(ModelError, match=f"^model '{bad}': not a") as caught:
        OnnxDetector(str(bad), backend="openvino")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@needs_openvino
@pytest.mark.parametrize("faster", [True, False])
def test_openvino_is_used_if_it_is_faster(toy, monkeypatch, faster):
    from vidan_plugins.detectors.backends import openvino

    monkeypatch.setattr(openvino, "is_faster", lambda: faster)
    engine = OnnxDetector(toy())._engine
    assert isinstance(engine, openvino.OpenVino) == faster
    # Setting a provider means ONNX Runtime.
    assert not isinstance(OnnxDetector(toy(), providers="cpu")._engine, openvino.OpenVino)


@needs_openvino
@pytest.mark.parametrize(
    ("precision", "faster", "openvino_runs"),
    [
        (None, True, False),
        ("float32", True, False),
        ("bfloat16", True, True),
        ("bfloat16", False, False),
    ],
)
def test_exports_run_in_float32_unless_told(
    tmp_path, monkeypatch, precision, faster, openvino_runs
):
    from vidan_plugins.detectors.backends import openvino

    monkeypatch.setattr(openvino, "is_faster", lambda: faster)
    model = graph(tmp_path / "m.onnx", {"o": yolov8([[20, 30, 20, 20]], [[0.9]])})
    engine = OnnxDetector(model, labels=["red"], precision=precision)._engine
    assert isinstance(engine, openvino.OpenVino) == openvino_runs


@needs_openvino
def test_onnx_runtime_runs_quantized_models(monkeypatch):
    from vidan_plugins.detectors.backends import openvino

    monkeypatch.setattr(openvino, "is_faster", lambda: True)
    taken = [OnnxDetector(m)._engine for m in ("facemask_lite0_int8", "facemask_lite0")]
    assert [isinstance(each, openvino.OpenVino) for each in taken] == [False, True]


def test_quantized_models_are_recognized(toy, tmp_path):
    assert not is_quantized(Path(toy()))
    folder = Path(str(files("vidan_plugins.models")))
    assert is_quantized(folder / "facemask_lite0_int8.onnx")
    assert not is_quantized(folder / "facemask_lite0.onnx")
    for content in (b"\xff" * 40, b"\x3a\x7f"):  # the backend reports what is wrong
        (tmp_path / "bad.onnx").write_bytes(content)
        assert not is_quantized(tmp_path / "bad.onnx")


def test_a_missing_installation_is_an_error(toy, monkeypatch):
    monkeypatch.setattr(module, "OPENVINO", False)
    with pytest.raises(PluginError, match=r"pip install 'vidan\[openvino\]'"):
        OnnxDetector(toy(), backend="openvino")


def test_an_unknown_backend_is_rejected(toy):
    with pytest.raises(ConfigError, match=r"detector.backend='openvin'.*'openvino'"):
        create("detector", "onnx", model=toy(), backend="openvin")


def test_metadata_is_read_without_the_onnx_package(toy, tmp_path):
    path = Path(toy())
    assert '"efficientdet"' in read_properties(path)["vidan"]
    assert read_properties(Path(toy("none.onnx", text=None))) == {}
    assert read_info(path).opsets == {"": 18}
    for content in (path.read_bytes()[:-5], b"\xff" * 40, b"\x07"):
        bad = tmp_path / "bad.onnx"
        bad.write_bytes(content)
        with pytest.raises(ModelError, match=r"^not an ONNX file, or cut off"):
            read_properties(bad)
