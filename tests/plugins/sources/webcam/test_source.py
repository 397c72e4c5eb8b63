import threading
import time
from itertools import islice

import cv2
import numpy as np
import pytest

from vidan.config.build import build
from vidan.errors import ConfigError, SourceError
from vidan.interfaces import Source
from vidan_plugins.sources.webcam import capture
from vidan_plugins.sources.webcam.source import Webcam

BGR = (200, 100, 50)


class FakeCamera:
    """A cv2.VideoCapture with prepared images; None stands for a failed grab."""

    def __init__(self, images, opened=True, limits=None):
        self.images = list(images)
        self.opened = opened
        self.limits = limits or {}  # largest supported value of each property
        self.settings = {}
        self.requested = []
        self.released = 0

    def __call__(self, device, backend):
        self.device, self.backend = device, backend
        return self

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.opened

    def set(self, option, value):
        self.requested.append(option)
        self.settings[option] = min(value, self.limits.get(option, value))
        return True

    def get(self, option):
        return float(self.settings.get(option, 0))

    def grab(self):
        self.image = self.images.pop(0) if self.images else None
        return self.image is not None

    def retrieve(self):
        return self.image.size > 0, self.image

    def release(self):
        self.released += 1
        self.opened = False


def bgr_image(width=8, height=6):
    return np.full((height, width, 3), BGR, np.uint8)


NO_RETRY = {"max": 0}

BROKEN = np.zeros((0, 0, 3), np.uint8)


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


def test_it_is_a_live_source(plug_in):
    plug_in()
    source = Webcam()
    assert isinstance(source, Source)
    assert (source.live, source.frames, source.stream) == (True, None, "webcam0")
    source.close()


def test_images_are_rgb_and_have_the_time_of_their_capture(plug_in, clock):
    plug_in([bgr_image()] * 3)
    source = Webcam(stream="door")
    frames = []
    for frame in source:
        frames.append(frame)
        if len(frames) == 3:
            source.close()
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert all((frame.rgb() == BGR[::-1]).all() for frame in frames)
    assert {(frame.width, frame.height, frame.stream) for frame in frames} == {(8, 6, "door")}
    assert frames[0].time == 0
    assert all(f.time == pytest.approx(f.captured - frames[0].captured) for f in frames)
    assert frames[0].time < frames[1].time < frames[2].time


def test_gray_images_become_rgb(plug_in):
    plug_in([np.full((6, 8), 9, np.uint8), np.full((6, 8, 1), 9, np.uint8)])
    frames = iter(Webcam())
    for frame in (next(frames), next(frames)):
        assert frame.rgb().shape == (6, 8, 3)
        assert (frame.rgb() == 9).all()


def test_settings_are_requested_codec_first(plug_in, warnings):
    fake = plug_in()
    Webcam("/dev/video2", width=1280, height=720, rate=30)
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
    Webcam(mjpg=False)
    assert fake.requested == [cv2.CAP_PROP_BUFFERSIZE]
    assert not warnings()


def test_a_camera_that_uses_another_size_is_reported(plug_in, warnings):
    plug_in(limits={cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480})
    Webcam(width=1920, height=1080, rate=30)
    assert warnings() == ["camera 0 uses 640x480 at 30 frames/s instead"]


def test_a_broken_image_leaves_a_gap_in_the_index(plug_in):
    plug_in([bgr_image(), BROKEN, bgr_image()])
    frames = iter(Webcam())
    assert [next(frames).index for _ in range(2)] == [0, 2]


def test_a_short_pause_is_not_an_outage(plug_in, clock):
    plug_in([bgr_image(), None, None, bgr_image()])
    frames = iter(Webcam(timeout=1))
    assert [next(frames).index for _ in range(2)] == [0, 1]


def test_a_camera_that_stops_is_an_error(plug_in, clock):
    plug_in([bgr_image()])
    frames = iter(Webcam(timeout=3, retry=NO_RETRY))
    next(frames)
    stopped = clock[0]
    with pytest.raises(SourceError, match=r"^no image from camera 0 for 3 s: "):
        next(frames)
    assert 3 < clock[0] - stopped < 4


def test_a_camera_with_only_broken_images_is_an_error(plug_in, clock):
    plug_in([BROKEN] * 1000)
    with pytest.raises(SourceError, match="no image from camera 0"):
        next(iter(Webcam(retry=NO_RETRY)))


def test_closing_releases_the_camera_and_ends_the_iteration(plug_in):
    fake = plug_in([bgr_image()] * 9)
    source = Webcam()
    frames = iter(source)
    next(frames)
    source.close()
    source.close()
    assert fake.released == 1
    assert list(frames) == []
    assert list(source) == []


@pytest.mark.parametrize("device", [97, "/dev/video97"])
def test_a_camera_that_does_not_exist_is_a_one_line_error(monkeypatch, capfd, device):
    monkeypatch.setattr(capture.sys, "platform", "linux")
    monkeypatch.setattr(capture, "cameras", lambda: ["/dev/video0", "/dev/video2"])
    with pytest.raises(SourceError) as caught:
        Webcam(device)
    assert str(caught.value) == f"cannot open camera {device!r}: there is /dev/video0, /dev/video2"
    assert capfd.readouterr() == ("", "")


def test_the_error_says_if_there_is_no_camera(monkeypatch):
    monkeypatch.setattr(capture.sys, "platform", "linux")
    monkeypatch.setattr(capture, "cameras", list)
    with pytest.raises(SourceError, match=r"there is no camera .* on this computer"):
        Webcam(97)


def test_a_camera_that_cannot_be_opened_is_released(plug_in, monkeypatch):
    monkeypatch.setattr(capture.sys, "platform", "linux")
    fake = plug_in(opened=False)
    with pytest.raises(SourceError, match="not in use by another program"):
        Webcam("/dev/null")  # exists, can be opened, and is not a camera
    assert fake.released == 1


def test_cameras_are_listed_in_natural_order(monkeypatch):
    found = [capture.Path(f"/dev/video{n}") for n in (10, 2, 0)]
    monkeypatch.setattr(capture.Path, "glob", lambda *_: iter(found))
    assert capture.cameras() == ["/dev/video0", "/dev/video2", "/dev/video10"]


def test_the_log_level_of_opencv_is_restored(plug_in):
    before = cv2.utils.logging.getLogLevel()
    plug_in([bgr_image()])
    next(iter(Webcam()))
    assert cv2.utils.logging.getLogLevel() == before


@pytest.mark.parametrize(
    "options",
    [
        {"device": -1},
        {"device": ""},
        {"width": 0, "height": 480},
        {"width": 640},
        {"height": 480},
        {"rate": 0},
        {"timeout": -1},
        {"stream": ""},
    ],
)
def test_bad_options_are_rejected(plug_in, options):
    plug_in()
    option = next(iter(options)) if options.keys() != {"height"} else "width"
    with pytest.raises(ConfigError, match=rf"^source\.{option}(=|:| and )"):
        build("source", {"name": "webcam", **options})


# Unplugged and plugged in again: a real camera cannot be unplugged by a test


class Port:
    """The results of opening a device, one after another: a camera, or None if there is none."""

    def __init__(self, *cameras):
        self.cameras = list(cameras)
        self.attempts = 0

    def __call__(self, device, backend):
        self.attempts += 1
        found = self.cameras.pop(0) if self.cameras else None
        return FakeCamera([], opened=False) if found is None else found(device, backend)


@pytest.fixture
def plug_into_port(monkeypatch):
    def plug(*cameras):
        port = Port(*cameras)
        monkeypatch.setattr(capture.cv2, "VideoCapture", port)
        return port

    return plug


def test_a_camera_that_is_plugged_in_again_continues(plug_into_port, clock, warnings):
    first, second = FakeCamera([bgr_image()] * 3), FakeCamera([bgr_image(16, 12)] * 2)
    port = plug_into_port(first, None, None, second)
    source = Webcam(timeout=3)
    frames = list(islice(source, 5))
    assert first.released == 1
    assert port.attempts == 4
    indices, times = [f.index for f in frames], [f.time for f in frames]
    assert indices[:3] == [0, 1, 2]
    assert times == sorted(times)
    away = times[3] - times[2]
    assert away > 3  # measured by the clock, and the index follows it
    assert indices[3] == 2 + round(away * 30)
    assert indices[4] == indices[3] + 1
    assert [(f.width, f.height) for f in frames] == [(8, 6)] * 5
    assert frames[4].rgb().shape == (6, 8, 3)
    (outage,) = source.outages
    assert outage.attempts == 3
    assert outage.length == pytest.approx(away)
    assert outage.time == times[2]
    assert "no image from camera 0 for 3 s" in outage.reason
    lost, back, size = warnings()
    assert lost.startswith("lost camera 0: ")
    assert "is back after" in back or "is back after" in size
    assert "16x12" in back + size
    source.close()


def test_a_camera_that_stays_away_is_given_up_after_the_last_attempt(plug_into_port, clock):
    port = plug_into_port(FakeCamera([bgr_image()]))
    source = Webcam(timeout=1, retry={"max": 4, "first": 1.0, "longest": 8.0})
    with pytest.raises(SourceError, match=r"^gave up after 4 attempts: cannot open camera 0"):
        list(source)
    assert port.attempts == 1 + 4
    (outage,) = source.outages
    assert (outage.attempts, outage.length) == (4, None)


def test_a_camera_that_opens_but_has_no_image_is_still_lost(plug_into_port, clock):
    plug_into_port(
        FakeCamera([bgr_image()]), FakeCamera([]), FakeCamera([]), FakeCamera([bgr_image()])
    )
    source = Webcam(timeout=1)
    assert len(list(islice(source, 2))) == 2
    (outage,) = source.outages
    assert outage.attempts == 3
    source.close()


def test_stopping_ends_the_wait_for_a_camera_at_once(plug_into_port):
    plug_into_port(FakeCamera([bgr_image()]))
    source = Webcam(timeout=0.05, retry={"first": 60.0, "longest": 60.0})
    frames = iter(source)
    next(frames)
    threading.Timer(0.3, source.stop).start()
    started = time.monotonic()
    assert list(frames) == []
    assert time.monotonic() - started < 5
    assert source.outages.count == 1
    source.close()


@pytest.mark.parametrize(
    "retry", [{"max": -1}, {"max": 1.5}, {"first": 0}, {"first": 5.0, "longest": 1.0}, {"mx": 1}]
)
def test_bad_values_of_retry_are_rejected(plug_in, retry):
    plug_in()
    with pytest.raises(ConfigError, match=rf"^source\.retry.*{list(retry)[-1]}"):
        build("source", {"name": "webcam", "retry": retry})
