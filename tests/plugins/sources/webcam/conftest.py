import pytest

from vidan_plugins.sources.webcam import capture

from .fake_camera import FakeCamera


@pytest.fixture
def plug_in(monkeypatch):
    """Plugs in a camera with the given images."""

    def plug(images=(), **options):
        fake = FakeCamera(images, **options)
        monkeypatch.setattr(capture.cv2, "VideoCapture", fake)
        return fake

    return plug


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances by 0.04 s each time it is read; waits return at once."""
    now = [100.0]

    def tick():
        now[0] += 0.04
        return now[0]

    monkeypatch.setattr(capture.time, "monotonic", tick)
    monkeypatch.setattr(capture.threading.Event, "wait", lambda *_: False)
    return now
