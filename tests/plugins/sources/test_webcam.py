import cv2
import numpy as np
import pytest

from vidan.errors import ConfigError, SourceError
from vidan.interfaces import Source
from vidan_plugins.sources import camera, webcam
from vidan_plugins.sources.webcam import Webcam

BGR = (200, 100, 50)


class FakeCamera:
    """A cv2.VideoCapture whose pictures are given: a list of arrays; None if none comes."""

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


BROKEN = np.zeros((0, 0, 3), np.uint8)


@pytest.fixture
def plug_in(monkeypatch):
    """Plugs in a camera with pictures."""

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

    monkeypatch.setattr(webcam.time, "monotonic", tick)
    monkeypatch.setattr(webcam.threading.Event, "wait", lambda *_: False)
    return now


def test_it_is_a_live_source(plug_in):
    plug_in()
    source = Webcam()
    assert isinstance(source, Source)
    assert (source.live, source.frames, source.stream) == (True, None, "webcam0")
    source.close()


def test_pictures_come_as_rgb_with_the_time_of_their_capture(plug_in, clock):
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


def test_a_grey_camera_gives_rgb(plug_in):
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


def test_a_broken_picture_leaves_a_gap_in_the_index(plug_in):
    plug_in([picture(), BROKEN, picture()])
    frames = iter(Webcam())
    assert [next(frames).index for _ in range(2)] == [0, 2]


def test_a_short_pause_is_waited_for(plug_in, clock):
    plug_in([picture(), None, None, picture()])
    frames = iter(Webcam(timeout=1))
    assert [next(frames).index for _ in range(2)] == [0, 1]


def test_a_camera_that_stops_is_an_error_and_no_hang(plug_in, clock):
    plug_in([picture()])
    frames = iter(Webcam(timeout=3))
    next(frames)
    stopped = clock[0]
    with pytest.raises(SourceError, match=r"^camera 0 gave no picture for 3 s: "):
        next(frames)
    assert 3 < clock[0] - stopped < 4


def test_a_camera_of_broken_pictures_is_an_error_and_no_hang(plug_in, clock):
    plug_in([BROKEN] * 1000)
    with pytest.raises(SourceError, match="gave no picture"):
        next(iter(Webcam()))


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
