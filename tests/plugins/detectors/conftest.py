import logging

import pytest

from vidan_plugins.detectors.backends.onnxruntime import OnnxRuntime

from . import models


@pytest.fixture
def logged(caplog):
    """Levels and texts of the log."""
    caplog.set_level(logging.INFO)
    return lambda: [(r.levelname, r.getMessage()) for r in caplog.records]


@pytest.fixture
def toy(tmp_path):
    """Writes an ONNX file in vidan's native format: see `models.toy_onnx`."""

    def make(name="toy.onnx", **changes):
        path = tmp_path / name
        models.toy_onnx(path, **changes)
        return str(path)

    return make


@pytest.fixture(autouse=True)
def _onnx_runtime_unless_told(monkeypatch):
    """OpenVINO may compute in bfloat16, depending on the processor: tests select it explicitly."""
    monkeypatch.setattr("vidan_plugins.detectors.engine.OPENVINO", False)


@pytest.fixture
def accelerated(monkeypatch):
    """ONNX Runtime reports a device other than the CPU: batches are then worth while."""
    always = property(lambda engine: True, lambda engine, value: None)
    monkeypatch.setattr(OnnxRuntime, "accelerated", always, raising=False)
