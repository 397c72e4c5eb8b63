import logging
import os
from pathlib import Path

import pytest

from . import models

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def data():
    """The folder of real data, which is not part of the project."""
    folder = Path(os.environ.get("VIDAN_DATA") or ROOT / "../shared/data")
    if not folder.is_dir():
        pytest.skip(f"no real data: set VIDAN_DATA ({folder} is not there)")
    return folder


@pytest.fixture
def logged(caplog):
    """The texts that have been logged, with their levels."""
    caplog.set_level(logging.INFO)
    return lambda: [(r.levelname, r.getMessage()) for r in caplog.records]


@pytest.fixture
def toy(tmp_path):
    """Makes an ONNX file of vidan's own form: see `models.toy_onnx`."""

    def make(name="toy.onnx", **changes):
        path = tmp_path / name
        models.toy_onnx(path, **changes)
        return str(path)

    return make
