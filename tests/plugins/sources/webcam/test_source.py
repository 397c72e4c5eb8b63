import threading
import time
from itertools import islice

import cv2
import numpy as np
import pytest

from vidan.errors import ConfigError, SourceError
from vidan.interfaces import Source
from vidan_plugins.sources.webcam import capture as camera
from vidan_plugins.sources.webcam import capture as plugged
from vidan_plugins.sources.webcam.source import Webcam

BGR = (200, 100, 50)


class FakeCamera:
    """A cv2.VideoCapture whose images are given: a list of arrays; None if none comes."""

    def __init__(self, pictures, opened=True, limits=None):
        self.pictures = list(pictures)
        self.opened = opened
        self.limits = limits or {}
        self.settings = {}
        self.asked = []
        self.released = 0

    def __call__(self, device, backend):
        self.device, self.backend = device, backend
        return self

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.opened

    def set(self, option, value):
        self.asked.append(option)
        self.settings[option] = min(value, self.limits.get(option, value))
        return True

    def get(self, option):
        return float(self.settings.get(option, 0))

    def grab(self):
        self.picture = self.pictures.pop(0) if self.pictures else None
        return self.picture is not None

    def retrieve(self):
        return self.picture.size > 0, self.picture

    def release(self):
        self.released += 1
        self.opened = False


def picture(width=8, height=6):
    return np.full((height, width, 3), BGR, np.uint8)


NONE = {"max": 0}  # no try to get back what was lost

BROKEN = np.zeros((0, 0, 3), np.uint8)


@pytest.fixture
def plug_in(monkeypatch):
    """Plugs in a camera with images."""

    def plug(pictures=(), **options):
        fake = FakeCamera(pictures, **options)
        monkeypatch.setattr(camera.cv2, "VideoCapture", fake)
        return fake

    return plug


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by 0.04 s each time it is looked at, and never really waits."""
    now = [100.0]

    def tick():
        now[0] += 0.04
        return now[0]

    monkeypatch.setattr(plugged.time, "monotonic", tick)
    monkeypatch.setattr(plugged.threading.Event, "wait", lambda *_: False)
    return now


def test_it_is_a_live_source(plug_in):
    plug_in()
    source = Webcam()
    assert isinstance(source, Source)
    assert (source.live, source.frames, source.stream) == (True, None, "webcam0")
    source.close()


def test_images_come_as_rgb_with_the_time_of_their_capture(plug_in, clock):
    plug_in([picture()] * 3)
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


def test_a_gray_camera_gives_rgb(plug_in):
    plug_in([np.full((6, 8), 9, np.uint8), np.full((6, 8, 1), 9, np.uint8)])
    frames = iter(Webcam())
    for frame in (next(frames), next(frames)):
        assert frame.rgb().shape == (6, 8, 3)
        assert (frame.rgb() == 9).all()


def test_what_is_wanted_is_asked_for_the_coding_first(plug_in, warnings):
    fake = plug_in()
    Webcam("/dev/video2", width=1280, height=720, rate=30)
    assert fake.device == "/dev/video2"
    assert fake.asked == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
        cv2.CAP_PROP_BUFFERSIZE,
    ]
    # A code of four characters, the first in the lowest byte.
    assert fake.settings[cv2.CAP_PROP_FOURCC] == int.from_bytes(b"MJPG", "little")
    assert not warnings()


def test_what_is_not_wanted_is_not_asked_for(plug_in, warnings):
    fake = plug_in()
    Webcam(mjpg=False)
    assert fake.asked == [cv2.CAP_PROP_BUFFERSIZE]
    assert not warnings()


def test_a_camera_that_gives_another_size_is_reported(plug_in, warnings):
    plug_in(limits={cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480})
    Webcam(width=1920, height=1080, rate=30)
    assert warnings() == ["camera 0 gives 640x480 at 30 frames/s instead"]


def test_a_broken_image_leaves_a_gap_in_the_index(plug_in):
    plug_in([picture(), BROKEN, picture()])
    frames = iter(Webcam())
    assert [next(frames).index for _ in range(2)] == [0, 2]


def test_a_short_pause_is_waited_for(plug_in, clock):
    plug_in([picture(), None, None, picture()])
    frames = iter(Webcam(timeout=1))
    assert [next(frames).index for _ in range(2)] == [0, 1]


def test_a_camera_that_stops_is_an_error_and_no_hang(plug_in, clock):
    plug_in([picture()])
    frames = iter(Webcam(timeout=3, retry=NONE))
    next(frames)
    stopped = clock[0]
    with pytest.raises(SourceError, match=r"^camera 0 gave no picture for 3 s: "):
        next(frames)
    assert 3 < clock[0] - stopped < 4


def test_a_camera_of_broken_images_is_an_error_and_no_hang(plug_in, clock):
    plug_in([BROKEN] * 1000)
    with pytest.raises(SourceError, match="gave no picture"):
        next(iter(Webcam(retry=NONE)))


def test_closing_lets_go_of_the_camera_and_ends_the_iteration(plug_in):
    fake = plug_in([picture()] * 9)
    source = Webcam()
    frames = iter(source)
    next(frames)
    source.close()
    source.close()
    assert fake.released == 1
    assert list(frames) == []
    assert list(source) == []


@pytest.mark.parametrize("device", [97, "/dev/video97"])
def test_a_camera_that_is_not_there_is_refused_in_one_line(monkeypatch, capfd, device):
    monkeypatch.setattr(camera.sys, "platform", "linux")
    monkeypatch.setattr(camera, "cameras", lambda: ["/dev/video0", "/dev/video2"])
    with pytest.raises(SourceError) as caught:
        Webcam(device)
    assert str(caught.value) == f"cannot open camera {device!r}: there is /dev/video0, /dev/video2"
    assert capfd.readouterr() == ("", "")


def test_a_computer_without_cameras_is_told_so(monkeypatch):
    monkeypatch.setattr(camera.sys, "platform", "linux")
    monkeypatch.setattr(camera, "cameras", list)
    with pytest.raises(SourceError, match=r"there is no camera .* on this computer"):
        Webcam(97)


def test_a_camera_that_cannot_be_opened_is_released(plug_in, monkeypatch):
    monkeypatch.setattr(camera.sys, "platform", "linux")
    fake = plug_in(opened=False)
    with pytest.raises(SourceError, match="does no other program use it"):
        Webcam("/dev/null")  # is there, may be opened, and is no camera
    assert fake.released == 1


def test_cameras_are_listed_in_natural_order(monkeypatch):
    found = [camera.Path(f"/dev/video{n}") for n in (10, 2, 0)]
    monkeypatch.setattr(camera.Path, "glob", lambda *_: iter(found))
    assert camera.cameras() == ["/dev/video0", "/dev/video2", "/dev/video10"]


def test_opencv_may_speak_again_afterwards(plug_in):
    before = cv2.utils.logging.getLogLevel()
    plug_in([picture()])
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
def test_bad_options_are_refused(plug_in, options):
    plug_in()
    with pytest.raises(ConfigError, match=r"^source\.\w+(=| and )"):
        Webcam(**options)


# Unplugged and plugged in again: the openings of a device are given, as none can be unplugged here


class Socket:
    """Gives one after another of the cameras that are plugged in; None where there is none."""

    def __init__(self, *cameras):
        self.cameras = list(cameras)
        self.openings = 0

    def __call__(self, device, backend):
        self.openings += 1
        found = self.cameras.pop(0) if self.cameras else None
        return FakeCamera([], opened=False) if found is None else found(device, backend)


@pytest.fixture
def socket(monkeypatch):
    def fill(*cameras):
        filled = Socket(*cameras)
        monkeypatch.setattr(camera.cv2, "VideoCapture", filled)
        return filled

    return fill


def test_a_camera_that_is_plugged_in_again_goes_on(socket, clock, warnings):
    first, second = FakeCamera([picture()] * 3), FakeCamera([picture(16, 12)] * 2)
    openings = socket(first, None, None, second)
    source = Webcam(timeout=3)
    frames = list(islice(source, 5))
    assert first.released == 1
    assert openings.openings == 4
    indices, times = [f.index for f in frames], [f.time for f in frames]
    assert indices[:3] == [0, 1, 2]
    assert times == sorted(times)
    away = times[3] - times[2]
    assert away > 3  # the clock says how long the camera was away, and the index follows it
    assert indices[3] == 2 + round(away * 30)
    assert indices[4] == indices[3] + 1
    assert [(f.width, f.height) for f in frames] == [(8, 6)] * 5
    assert frames[4].rgb().shape == (6, 8, 3)
    (outage,) = source.outages
    assert outage.attempts == 3
    assert outage.length == pytest.approx(away)
    assert outage.time == times[2]
    assert "gave no picture for 3 s" in outage.reason
    lost, back, size = warnings()
    assert lost.startswith("lost camera 0: ")
    assert "is back after" in back or "is back after" in size
    assert "16x12" in back + size
    source.close()


def test_a_camera_that_stays_away_is_given_up_after_so_many_tries(socket, clock):
    openings = socket(FakeCamera([picture()]))
    source = Webcam(timeout=1, retry={"max": 4, "first": 1.0, "longest": 8.0})
    with pytest.raises(SourceError, match=r"^gave up after 4 tries: cannot open camera 0"):
        list(source)
    assert openings.openings == 1 + 4
    (outage,) = source.outages
    assert (outage.attempts, outage.length) == (4, None)


def test_a_camera_that_can_be_opened_and_gives_nothing_is_still_lost(socket, clock):
    socket(FakeCamera([picture()]), FakeCamera([]), FakeCamera([]), FakeCamera([picture()]))
    source = Webcam(timeout=1)
    assert len(list(islice(source, 2))) == 2
    (outage,) = source.outages
    assert outage.attempts == 3
    source.close()


def test_stopping_ends_the_search_for_a_camera_at_once(socket):
    socket(FakeCamera([picture()]))
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
def test_bad_values_of_retry_are_refused(plug_in, retry):
    plug_in()
    with pytest.raises(ConfigError, match=r"^source\.retry"):
        Webcam(retry=retry)
