import pytest

from vidan_plugins.sinks.events import delivery

from .http_server import HttpServer


@pytest.fixture
def http_server():
    with HttpServer() as server:
        yield server


@pytest.fixture
def fast_retries(monkeypatch):
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr(delivery, "IDLE_S", 0.05)
