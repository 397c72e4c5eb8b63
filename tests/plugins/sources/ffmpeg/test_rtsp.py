import json
import signal
import socket
import subprocess
import sys
import threading
import time
from itertools import islice, pairwise

import numpy as np
import pytest

from tests.plugins.sources.cameras import Camera, Proxy, age, free_port
from vidan.config.build import build
from vidan.errors import ConfigError, SourceError
from vidan.interfaces import Source, Stoppable
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.sources.ffmpeg.rtsp import Rtsp

TIMEOUT_S = 60.0
"""No test should come near this, even on a busy machine, s."""

QUICK_RETRY = {"first": 0.1, "longest": 0.4}
"""Waits between attempts, short enough for tests."""


@pytest.fixture
def camera():
    """Starts cameras: `camera("--size", "480x160")`; they are killed after the test."""
    cameras = []

    def switch_on(*options):
        cameras.append(Camera(*options))
        return cameras[-1]

    yield switch_on
    for each in cameras:
        each.kill()


@pytest.fixture
def closing():
    """Closes sources and proxies at the end of the test, even if it failed."""
    opened = []

    def add(one):
        opened.append(one)
        return one

    yield add
    for one in opened:
        one.close()


class FrameReader(threading.Thread):
    """Reads frames and records their index, time, age and size."""

    def __init__(self, source):
        super().__init__()
        self.source = source
        self.seen = []  # index, time, age
        self.sizes = set()
        self.error = None
        self.start()

    def run(self):
        try:
            for frame in self.source:
                rgb = frame.rgb()
                self.sizes.add((frame.width, frame.height, rgb.shape))
                self.seen.append((frame.index, frame.time, age(rgb)))
        except SourceError as error:
            self.error = error

    def wait_for(self, count, seconds=TIMEOUT_S):
        """Wait for `count` more frames."""
        goal, end = len(self.seen) + count, time.monotonic() + seconds
        while len(self.seen) < goal:
            assert self.is_alive(), self.error
            assert time.monotonic() < end, f"{len(self.seen)} of {goal} frames in {seconds} s"
            time.sleep(0.01)

    def wait_until_lost(self, times=1):
        """Wait until the connection was lost `times` times."""
        end = time.monotonic() + TIMEOUT_S
        while self.source.outages.count < times:
            assert time.monotonic() < end
            time.sleep(0.01)

    def stop(self):
        self.source.stop()
        self.join(TIMEOUT_S / 2)
        assert not self.is_alive()


@pytest.fixture
def reading(closing):
    readers = []

    def start(source):
        readers.append(FrameReader(closing(source)))
        return readers[-1]

    yield start
    for reader in readers:
        reader.stop()


def increasing(seen):
    return all(i < j and t < u for (i, t, _), (j, u, _) in pairwise(seen))


def test_it_is_a_live_source_that_can_be_stopped(camera, closing):
    source = closing(Rtsp(camera().url))
    assert isinstance(source, Source)
    assert isinstance(source, Stoppable)
    assert (source.live, source.frames, source.stream) == (True, None, "live")


@pytest.mark.parametrize("transport", ["auto", "tcp", "udp"])
def test_images_are_in_order_and_recent(camera, reading, transport):
    reader = reading(Rtsp(camera().url, transport=transport))
    reader.wait_for(50)
    reader.stop()
    assert reader.sizes == {(480, 160, (160, 480, 3))}
    assert increasing(reader.seen)
    times = [t for _, t, _ in reader.seen]
    assert np.median(np.diff(times)) == pytest.approx(0.04, abs=0.01)
    # 40 ms of it pass until the next packet tells FFmpeg that an image is complete.
    # Images that were buffered would be older than this, even on a busy machine.
    assert np.median([a for *_, a in reader.seen]) < 1.0


def lose_and_find(camera, reading, times):
    """Kill and restart a camera several times in one run; returns the reader."""
    one = camera()
    # On a busy machine, images may take long: only a kill may count as a loss.
    reader = reading(Rtsp(one.url, timeout=TIMEOUT_S, stall=TIMEOUT_S, retry=QUICK_RETRY))
    for number in range(1, times + 1):
        reader.wait_for(5)
        one.kill()
        reader.wait_until_lost(number)  # images from before the loss may still be read
        one.switch_on()
    reader.wait_for(5)
    reader.stop()
    assert increasing(reader.seen)
    outages = list(reader.source.outages)
    assert len(outages) == times, [o.reason for o in outages]
    assert all(o.length is not None and o.length > 0 and o.attempts >= 1 for o in outages)
    assert [o.time for o in outages] == sorted(o.time for o in outages)
    return reader


def test_a_camera_that_restarts_is_reconnected(camera, reading, warnings):
    reader = lose_and_find(camera, reading, 3)
    # Stream time and index advance by the length of the outage.
    for outage in reader.source.outages:
        after = next(s for s in reader.seen if s[1] > outage.time)
        before = [s for s in reader.seen if s[1] <= outage.time][-1]
        assert after[1] - outage.time == pytest.approx(outage.length, abs=0.3)
        assert after[0] - before[0] == pytest.approx(outage.length * 25, abs=10)
    assert sum("trying again" in w for w in warnings()) == 3
    assert sum("is back after" in w for w in warnings()) == 3


@pytest.mark.slow
def test_a_camera_that_restarts_20_times_is_reconnected_each_time(camera, reading):
    lose_and_find(camera, reading, 20)


def test_a_camera_that_is_not_there_at_the_start_is_waited_for(camera, reading):
    one = camera()
    one.kill()
    with pytest.raises(SourceError, match="cannot open"):
        Rtsp(one.url, retry=QUICK_RETRY)
    reader = reading(Rtsp(one.url, retry={**QUICK_RETRY, "start": True}))
    assert reader.source.outages.count == 1
    one.switch_on()
    reader.wait_for(5)
    reader.stop()
    outage = reader.source.outages.latest
    assert outage.time == 0
    assert outage.length is not None


def test_a_camera_that_stays_away_is_given_up_after_the_last_attempt(camera, closing):
    one = camera()
    source = closing(Rtsp(one.url, retry={**QUICK_RETRY, "max": 3}))
    frames = iter(source)
    next(frames)
    one.kill()
    with pytest.raises(SourceError, match=r"^gave up after 3 attempts: cannot open 'rtsp://"):
        list(frames)
    (outage,) = source.outages
    assert (outage.attempts, outage.length) == (3, None)


def test_a_stall_is_an_outage_until_images_arrive_again(camera, reading):
    one = camera()
    reader = reading(Rtsp(one.url, stall=0.6, retry=QUICK_RETRY))
    reader.wait_for(10)
    one.tell("stall")
    reader.wait_until_lost()
    one.tell("go")
    reader.wait_for(10)
    reader.stop()
    assert increasing(reader.seen)
    outage = next(iter(reader.source.outages))
    assert "no data from" in outage.reason
    assert outage.length >= 0.6


@pytest.mark.slow  # depends on timing: not in parallel with other tests
def test_congestion_is_not_an_outage_and_old_images_are_dropped(camera, reading):
    """The network stops for a second: the images of that time arrive at once and too late."""
    one = camera("--rate", "50")
    congestion = Congestion(one.port)
    try:
        reader = reading(Rtsp(f"rtsp://127.0.0.1:{congestion.port}/live", transport="tcp"))
        reader.wait_for(100)
        before = len(reader.seen)
        congestion.closed.set()
        time.sleep(1.0)
        congestion.closed.clear()
        reader.wait_for(100)
        reader.stop()
    finally:
        congestion.close()
    assert not reader.source.outages.count
    assert increasing(reader.seen)
    usual = np.median([a for *_, a in reader.seen[:before]])
    # Only images at the start and end of the congestion may be older than usual.
    late = [a for *_, a in reader.seen[before:] if a > usual + 0.25]
    assert len(late) <= 3
    gaps = [j - i for (i, *_), (j, *_) in pairwise(reader.seen)]
    assert max(gaps) >= 25  # most of the 50 frames were dropped, and counted


class Congestion(Proxy):
    """A proxy that forwards nothing while `closed` is set."""

    def __init__(self, port):
        self.closed = threading.Event()
        super().__init__(port)

    def _corrupt(self, data):
        while self.closed.is_set() and not self._stop.is_set():
            time.sleep(0.005)
        return data


def test_frames_keep_their_size_when_the_resolution_changes(camera, reading, warnings):
    one = camera()
    reader = reading(Rtsp(one.url))
    reader.wait_for(10)
    one.tell("size 960x320")
    reader.wait_for(30)
    end = time.monotonic() + TIMEOUT_S
    while not any("960x320" in w for w in warnings()):
        assert time.monotonic() < end
        time.sleep(0.05)
    reader.wait_for(10)
    reader.stop()
    assert reader.sizes == {(480, 160, (160, 480, 3))}
    assert increasing(reader.seen)
    assert np.median([a for *_, a in reader.seen[-10:]]) < 1.0  # the time code is still readable
    (change,) = [w for w in warnings() if "960x320" in w]
    assert "scaling to the initial 480x160" in change


def test_corrupted_bytes_do_not_end_a_run(camera, reading, closing):
    one = camera("--gop", "10")
    proxy = closing(Proxy(one.port))
    source = Rtsp(
        f"rtsp://127.0.0.1:{proxy.port}/live", transport="tcp", stall=1.0, retry=QUICK_RETRY
    )
    reader = reading(source)
    reader.wait_for(10)
    proxy.rate = 0.2
    end = time.monotonic() + TIMEOUT_S
    while proxy.corrupted < 20:
        assert reader.is_alive()
        assert time.monotonic() < end
        time.sleep(0.01)
    proxy.rate = 0.0
    reader.wait_for(50)
    reader.stop()
    assert increasing(reader.seen)
    assert np.median([a for *_, a in reader.seen[-20:]]) < 1.0


# Transports


@pytest.mark.parametrize("given", ["tcp", "udp"])
def test_auto_uses_the_transport_that_a_camera_supports(camera, reading, given):
    """TCP is requested first; if the camera refuses it, UDP is tried."""
    reader = reading(Rtsp(camera("--transports", given).url))
    reader.wait_for(10)
    reader.stop()
    assert increasing(reader.seen)


@pytest.mark.parametrize(("asked", "given"), [("tcp", "udp"), ("udp", "tcp")])
def test_a_transport_that_a_camera_does_not_support_is_rejected(camera, asked, given):
    url = camera("--transports", given).url
    with pytest.raises(SourceError, match=r"^cannot open 'rtsp://.*Protocol not supported"):
        Rtsp(url, transport=asked, timeout=5.0)


# Servers that do not answer


@pytest.fixture
def silent():
    """The port of a server that accepts connections and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_silent_server_times_out(silent):
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"^no data from 'rtsp://.*' for 0.5 s"):
        Rtsp(f"rtsp://127.0.0.1:{silent}/live", timeout=0.5)
    assert time.monotonic() - started < TIMEOUT_S / 2


def test_stopping_does_not_wait_for_a_silent_server(camera, silent, reading):
    """The camera is lost, and a silent server takes its place."""
    one = camera()
    reader = reading(Rtsp(one.url, timeout=2 * TIMEOUT_S, stall=2 * TIMEOUT_S, retry=QUICK_RETRY))
    reader.wait_for(3)
    one.kill()
    with socket.create_server(("127.0.0.1", one.port)) as server:
        server.settimeout(TIMEOUT_S)
        connection, _ = server.accept()
        started = time.monotonic()
        reader.stop()
        assert time.monotonic() - started < TIMEOUT_S / 2
        connection.close()


def test_stopping_does_not_wait_for_an_image(camera, reading):
    one = camera()
    reader = reading(Rtsp(one.url, stall=2 * TIMEOUT_S))
    reader.wait_for(3)
    one.tell("stall")
    time.sleep(0.3)
    started = time.monotonic()
    reader.stop()
    assert time.monotonic() - started < TIMEOUT_S / 2
    assert reader.error is None
    assert not reader.source.outages.count


def test_ctrl_c_ends_the_first_connection_attempt_at_once(silent):
    main = threading.main_thread()
    assert threading.current_thread() is main
    timer = threading.Timer(0.3, signal.pthread_kill, (main.ident, signal.SIGINT))
    started = time.monotonic()

    def opening():
        timer.start()  # here, so that the signal does not precede the attempt on a slow machine
        Rtsp(f"rtsp://127.0.0.1:{silent}/live", timeout=2 * TIMEOUT_S)

    with pytest.raises(KeyboardInterrupt):
        opening()
    assert time.monotonic() - started < TIMEOUT_S / 2
    timer.join()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process on Windows")
def test_ctrl_c_ends_a_whole_run_while_it_reconnects(camera, tmp_path):
    """The camera is lost, and a silent server takes its place."""
    one = camera()
    options = [f"source.path={one.url}", "source.timeout=600", "detector=mot", "sink=[jsonl]"]
    options += ["source.retry.longest=0.5", f"detector.path={tmp_path / 'det.txt'}"]
    (tmp_path / "det.txt").write_text("1,-1,1,1,9,9,1\n")
    with subprocess.Popen(
        [sys.executable, "-m", "vidan", "source=rtsp", *options, "hydra.run.dir=run"], cwd=tmp_path
    ) as process:
        try:
            results, end = tmp_path / "run/results.jsonl", time.monotonic() + TIMEOUT_S
            while not (results.exists() and results.read_text()):
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.02)
            one.kill()
            with socket.create_server(("127.0.0.1", one.port)) as server:
                server.settimeout(TIMEOUT_S)
                connection, _ = server.accept()
                process.send_signal(signal.SIGINT)
                assert process.wait(TIMEOUT_S) == 130
                connection.close()
        finally:
            process.kill()
    (outage,) = json.loads((tmp_path / "run/summary.json").read_text())["outages"]
    assert (outage["attempts"], outage["length"]) == (1, None)


def test_a_server_that_does_not_exist_is_rejected():
    with pytest.raises(SourceError, match="Connection refused"):
        Rtsp(f"rtsp://127.0.0.1:{free_port()}/live")


# Secrets


def test_the_password_of_a_camera_is_never_shown(camera, closing, caplog):
    caplog.set_level(0)
    one = camera("--user", "me:verysecret")
    url = one.url.replace("://", "://me:verysecret@")
    source = closing(Rtsp(url, retry={**QUICK_RETRY, "max": 2}))
    frames = iter(source)
    next(frames)
    one.kill()
    with pytest.raises(SourceError) as caught:
        list(frames)
    with pytest.raises(SourceError) as refused:
        Rtsp(url, timeout=1.0)
    text = caplog.text + json.dumps([o.summary() for o in source.outages])
    for error in (caught.value, refused.value):
        while error is not None:
            text += repr(error) + str(error)
            error = error.__cause__ or error.__context__
    assert "verysecret" not in text
    assert "***@" in text


@pytest.mark.parametrize("word", ["s#x", "s/x", "s?x", "s@x", "50%", "12#4", "a b"])
def test_a_password_may_contain_any_character(camera, closing, word):
    url = camera("--user", f"me:{word}").url.replace("://", f"://me:{word}@")
    assert next(iter(closing(Rtsp(url)))).width > 0


def test_a_wrong_password_is_a_one_line_error(camera):
    url = camera("--user", "me:right").url.replace("://", "://me:wrong@")
    with pytest.raises(SourceError, match="401 Unauthorized") as caught:
        Rtsp(url)
    assert "wrong" not in str(caught.value)


# `source=file`, and options


def test_file_reads_a_camera_until_it_is_lost_and_recommends_rtsp(camera, closing, caplog):
    caplog.set_level(0)
    one = camera()
    source = closing(VideoFile(one.url, timeout=20.0))
    assert source.live
    frames = iter(source)
    assert len(list(islice(frames, 5))) == 5
    one.kill()
    with pytest.raises(SourceError, match=r"closed the connection|cannot read|no data"):
        list(frames)
    assert "source=rtsp reconnects when it is lost" in caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {"path": ""},
        {"path": "video.mp4"},
        {"transport": "tpc"},
        {"timeout": 0},
        {"stall": -1},
        {"reorder": -1},
        {"low_delay": "yes"},
        {"threads": -1},
        {"stream": ""},
        {"retry": {"max": -1}},
        {"retry": {"maximum": 3}},
    ],
)
def test_bad_options_are_rejected(options):
    (option,) = options
    with pytest.raises(ConfigError, match=rf"^source\.{option}\b"):
        build("source", {"name": "rtsp", "path": "rtsp://127.0.0.1/live", **options})
