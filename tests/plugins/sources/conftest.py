import logging
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def data():
    """The folder of real data, which is not part of the project."""
    folder = Path(os.environ.get("VIDAN_DATA") or ROOT / "../shared/data")
    if not folder.is_dir():
        pytest.skip(f"no real data: set VIDAN_DATA ({folder} is not there)")
    return folder


@pytest.fixture
def warnings(caplog):
    """The texts of what has been logged as a warning."""
    caplog.set_level(logging.INFO)
    return lambda: [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
