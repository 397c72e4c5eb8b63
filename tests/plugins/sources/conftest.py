import logging

import pytest


@pytest.fixture
def warnings(caplog):
    """The texts of what has been logged as a warning."""
    caplog.set_level(logging.INFO)
    return lambda: [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
