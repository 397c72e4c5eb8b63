import cv2
import pytest

from vidan.errors import SourceError
from vidan_plugins.sources.webcam import capture
from vidan_plugins.sources.webcam.capture import open_camera


def test_settings_are_requested_codec_first(plug_in, warnings):
    fake = plug_in()
    open_camera("/dev/video2", width=1280, height=720, rate=30)
    assert fake.device == "/dev/video2"
    assert fake.requested == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
        cv2.CAP_PROP_BUFFERSIZE,
    ]
    # A code of four characters, the first in the lowest byte.
    assert fake.settings[cv2.CAP_PROP_FOURCC] == int.from_bytes(b"MJPG", "little")
    assert not warnings()


def test_settings_without_a_value_are_not_requested(plug_in, warnings):
    fake = plug_in()
    open_camera(0, mjpg=False)
    assert fake.requested == [cv2.CAP_PROP_BUFFERSIZE]
    assert not warnings()


def test_a_camera_that_uses_another_size_is_reported(plug_in, warnings):
    plug_in(limits={cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480})
    open_camera(0, width=1920, height=1080, rate=30)
    assert warnings() == ["camera 0 uses 640x480 at 30 frames/s instead"]


@pytest.mark.parametrize("device", [97, "/dev/video97"])
def test_a_camera_that_does_not_exist_is_a_one_line_error(monkeypatch, capfd, device):
    monkeypatch.setattr(capture.sys, "platform", "linux")
    monkeypatch.setattr(capture, "cameras", lambda: ["/dev/video0", "/dev/video2"])
    with pytest.raises(SourceError) as caught:
        open_camera(device)
    assert str(caught.value) == f"cannot open camera {device!r}: there is /dev/video0, /dev/video2"
    assert capfd.readouterr() == ("", "")


def test_the_error_says_if_there_is_no_camera(monkeypatch):
    monkeypatch.setattr(capture.sys, "platform", "linux")
    monkeypatch.setattr(capture, "cameras", list)
    with pytest.raises(SourceError, match=r"there is no camera .* on this computer"):
        open_camera(97)


def test_a_camera_that_cannot_be_opened_is_released(plug_in, monkeypatch):
    monkeypatch.setattr(capture.sys, "platform", "linux")
    fake = plug_in(opened=False)
    with pytest.raises(SourceError, match="not in use by another program"):
        open_camera("/dev/null")  # exists, can be opened, and is not a camera
    assert fake.released == 1


def test_cameras_are_listed_in_natural_order(monkeypatch):
    found = [capture.Path(f"/dev/video{n}") for n in (10, 2, 0)]
    monkeypatch.setattr(capture.Path, "glob", lambda *_: iter(found))
    assert capture.cameras() == ["/dev/video0", "/dev/video2", "/dev/video10"]
