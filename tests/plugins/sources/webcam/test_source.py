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

from .fake_camera import BGR, BROKEN, FakeCamera, bgr_image

NO_RETRY = {"max": 0}


def test_it_is_a_live_source(plug_in):
    plug_in()
    source = Webcam()
    assert isinstance(source, Source)
    assert (source.live, source.frames, source.stream) == (True, None, "webcam0")
    source.close()


def test_the_options_reach_the_camera(plug_in):
    fake = plug_in()
    source = Webcam("/dev/video2", width=1280, height=720, rate=30, mjpg=False)
    assert (fake.device, source.stream) == ("/dev/video2", "video2")
    assert fake.settings == {
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FPS: 30,
        cv2.CAP_PROP_BUFFERSIZE: 1,
    }


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


def test_the_log_level_of_opencv_is_restored(plug_in):
    before = cv2.utils.logging.getLogLevel()
    plug_in([bgr_image()])
    next(iter(Webcam()))
    assert cv2.utils.logging.getLogLevel() == before


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
