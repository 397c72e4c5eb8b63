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
from vidan.errors import ConfigError, SourceError
from vidan.interfaces import Source, Stoppable
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.sources.ffmpeg.rtsp import Rtsp

PATIENCE = 60.0
"""What no test should come near, on a machine that does other things too, s."""

QUICK = {"first": 0.1, "longest": 0.4}
"""Waits between tries that a test can wait for."""


@pytest.fixture
def camera():
    """Switches cameras on: `camera("--size", "480x160")`; they are gone after the test."""
    cameras = []

    def switch_on(*options):
        cameras.append(Camera(*options))
        return cameras[-1]

    yield switch_on
    for each in cameras:
        each.kill()


@pytest.fixture
def closing():
    """Closes sources and proxies at the end of the test, whatever became of it."""
    things = []

    def add(thing):
        things.append(thing)
        return thing

    yield add
    for thing in things:
        thing.close()


class OutputDecoding(threading.Thread):
    """Takes frames, and remembers of each what can be remembered cheaply."""

    def __init__(self, source):
        super().__init__()
        self.source = source
        self.seen = []  # index, time, age
        self.size = set()
        self.error = None
        self.start()

    def run(self):
        try:
            for frame in self.source:
                rgb = frame.rgb()
                self.size.add((frame.width, frame.height, rgb.shape))
                self.seen.append((frame.index, frame.time, age(rgb)))
        except SourceError as error:
            self.error = error

    def wait_for(self, count, seconds=PATIENCE):
        """Wait until so many more frames came."""
        goal, end = len(self.seen) + count, time.monotonic() + seconds
        while len(self.seen) < goal:
            assert self.is_alive(), self.error
            assert time.monotonic() < end, f"{len(self.seen)} of {goal} frames in {seconds} s"
            time.sleep(0.01)

    def stop(self):
        self.source.stop()
        self.join(PATIENCE / 2)
        assert not self.is_alive()


@pytest.fixture
def reading(closing):
    readers = []

    def start(source):
        readers.append(OutputDecoding(closing(source)))
        return readers[-1]

    yield start
    for reader in readers:
        reader.stop()


def rising(seen):
    return all(i < j and t < u for (i, t, _), (j, u, _) in pairwise(seen))


def test_it_is_a_live_source_that_can_be_stopped(camera, closing):
    source = closing(Rtsp(camera().url))
    assert isinstance(source, Source)
    assert isinstance(source, Stoppable)
    assert (source.live, source.frames, source.stream) == (True, None, "live")


@pytest.mark.parametrize("transport", ["auto", "tcp", "udp"])
def test_images_come_in_order_and_young(camera, reading, transport):
    reader = reading(Rtsp(camera().url, transport=transport))
    reader.wait_for(50)
    reader.stop()
    assert reader.size == {(480, 160, (160, 480, 3))}
    assert rising(reader.seen)
    times = [t for _, t, _ in reader.seen]
    assert np.median(np.diff(times)) == pytest.approx(0.04, abs=0.01)
    # 40 ms of it pass until FFmpeg knows by the next packet that an image is complete.
    # What is buffered anywhere is older than this, a loaded machine's images are not.
    assert np.median([a for *_, a in reader.seen]) < 1.0


def lose_and_find(camera, reading, times):
    """Kill and restart a camera so many times in one run; the reader at the end."""
    one = camera()
    reader = reading(Rtsp(one.url, stall=20.0, retry=QUICK))
    for _ in range(times):
        reader.wait_for(5)
        one.kill()
        one.switch_on()
    reader.wait_for(5)
    reader.stop()
    assert rising(reader.seen)
    outages = list(reader.source.outages)
    assert len(outages) == times
    assert all(o.length is not None and o.length > 0 and o.attempts >= 1 for o in outages)
    assert [o.time for o in outages] == sorted(o.time for o in outages)
    return reader


def test_a_camera_that_is_killed_and_restarted_is_found_again(camera, reading, warnings):
    reader = lose_and_find(camera, reading, 3)
    # Stream time goes on by as long as the camera was away, and the index with it.
    for outage in reader.source.outages:
        behind = next(s for s in reader.seen if s[1] > outage.time)
        before = [s for s in reader.seen if s[1] <= outage.time][-1]
        assert behind[1] - outage.time == pytest.approx(outage.length, abs=0.3)
        assert behind[0] - before[0] == pytest.approx(outage.length * 25, abs=10)
    assert sum("trying again" in w for w in warnings()) == 3
    assert sum("is back after" in w for w in warnings()) == 3


@pytest.mark.slow
def test_a_camera_that_is_killed_and_restarted_20_times_is_found_each_time(camera, reading):
    lose_and_find(camera, reading, 20)


def test_a_camera_that_stays_away_is_given_up_after_so_many_tries(camera, closing):
    one = camera()
    source = closing(Rtsp(one.url, retry={**QUICK, "max": 3}))
    frames = iter(source)
    next(frames)
    one.kill()
    with pytest.raises(SourceError, match=r"^gave up after 3 tries: cannot open 'rtsp://"):
        list(frames)
    (outage,) = source.outages
    assert (outage.attempts, outage.length) == (3, None)


def test_a_stall_is_a_loss_and_its_end_is_found(camera, reading):
    one = camera()
    reader = reading(Rtsp(one.url, stall=0.6, retry=QUICK))
    reader.wait_for(10)
    one.tell("stall")
    end = time.monotonic() + PATIENCE
    while not reader.source.outages.count:
        assert time.monotonic() < end
        time.sleep(0.01)
    one.tell("go")
    reader.wait_for(10)
    reader.stop()
    assert rising(reader.seen)
    outage = next(iter(reader.source.outages))
    assert "nothing came from" in outage.reason
    assert outage.length >= 0.6


@pytest.mark.slow  # a camera and a jam by the clock: not beside other tests
def test_a_short_pause_is_no_loss_and_old_images_are_left_out(camera, reading):
    """The network jams for a second: what was sent meanwhile comes all at once and too late."""
    one = camera("--rate", "50")
    jam = Jam(one.port)
    try:
        reader = reading(Rtsp(f"rtsp://127.0.0.1:{jam.port}/live", transport="tcp"))
        reader.wait_for(100)
        before = len(reader.seen)
        jam.closed.set()
        time.sleep(1.0)
        jam.closed.clear()
        reader.wait_for(100)
        reader.stop()
    finally:
        jam.close()
    assert not reader.source.outages.count
    assert rising(reader.seen)
    usual = np.median([a for *_, a in reader.seen[:before]])
    # At most the images at the edges of the jam are older than usual by a few frames.
    late = [a for *_, a in reader.seen[before:] if a > usual + 0.25]
    assert len(late) <= 3
    gaps = [j - i for (i, *_), (j, *_) in pairwise(reader.seen)]
    assert max(gaps) >= 25  # of the 50 frames of the jam most were left out, and counted


class Jam(Proxy):
    """A proxy that passes nothing on while `closed` is set."""

    def __init__(self, port):
        self.closed = threading.Event()
        super().__init__(port)

    def _spoil(self, data):
        while self.closed.is_set() and not self._stop.is_set():
            time.sleep(0.005)
        return data


def test_a_change_of_resolution_keeps_the_size_of_the_stream(camera, reading, warnings):
    one = camera()
    reader = reading(Rtsp(one.url))
    reader.wait_for(10)
    one.tell("size 960x320")
    reader.wait_for(30)
    end = time.monotonic() + PATIENCE
    while not any("960x320" in w for w in warnings()):
        assert time.monotonic() < end
        time.sleep(0.05)
    reader.wait_for(10)
    reader.stop()
    assert reader.size == {(480, 160, (160, 480, 3))}
    assert rising(reader.seen)
    assert np.median([a for *_, a in reader.seen[-10:]]) < 1.0  # the time is still readable
    (change,) = [w for w in warnings() if "960x320" in w]
    assert "they are scaled to 480x160" in change


def test_spoilt_bytes_do_not_end_a_run(camera, reading, closing):
    one = camera("--gop", "10")
    proxy = closing(Proxy(one.port))
    source = Rtsp(f"rtsp://127.0.0.1:{proxy.port}/live", transport="tcp", stall=1.0, retry=QUICK)
    reader = reading(source)
    reader.wait_for(10)
    proxy.rate = 0.2
    end = time.monotonic() + PATIENCE
    while proxy.spoilt < 20:
        assert reader.is_alive()
        assert time.monotonic() < end
        time.sleep(0.01)
    proxy.rate = 0.0
    reader.wait_for(50)
    reader.stop()
    assert rising(reader.seen)
    assert np.median([a for *_, a in reader.seen[-20:]]) < 1.0


# Transports


@pytest.mark.parametrize("given", ["tcp", "udp"])
def test_auto_takes_the_transport_that_a_camera_has(camera, reading, given):
    """TCP is asked for first; a camera without it says so, and UDP is tried."""
    reader = reading(Rtsp(camera("--transports", given).url))
    reader.wait_for(10)
    reader.stop()
    assert rising(reader.seen)


@pytest.mark.parametrize(("asked", "given"), [("tcp", "udp"), ("udp", "tcp")])
def test_a_transport_that_a_camera_does_not_have_is_refused(camera, asked, given):
    url = camera("--transports", given).url
    with pytest.raises(SourceError, match=r"^cannot open 'rtsp://.*Protocol not supported"):
        Rtsp(url, transport=asked, timeout=5.0)


# Servers that answer badly, or not


@pytest.fixture
def silent():
    """The port of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_says_nothing_ends_by_its_time_out(silent):
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"^nothing came from 'rtsp://.*' for 0.5 s"):
        Rtsp(f"rtsp://127.0.0.1:{silent}/live", timeout=0.5)
    assert time.monotonic() - started < PATIENCE / 2


def test_stopping_ends_the_opening_of_a_silent_server_at_once(camera, silent, reading):
    """The camera is lost, and what answers in its place says nothing."""
    one = camera()
    reader = reading(Rtsp(one.url, timeout=2 * PATIENCE, stall=2 * PATIENCE, retry=QUICK))
    reader.wait_for(3)
    one.kill()
    with socket.create_server(("127.0.0.1", one.port)) as server:
        server.settimeout(PATIENCE)
        connection, _ = server.accept()
        started = time.monotonic()
        reader.stop()
        assert time.monotonic() - started < PATIENCE / 2
        connection.close()


def test_stopping_ends_the_wait_for_an_image_at_once(camera, reading):
    one = camera()
    reader = reading(Rtsp(one.url, stall=2 * PATIENCE))
    reader.wait_for(3)
    one.tell("stall")
    time.sleep(0.3)
    started = time.monotonic()
    reader.stop()
    assert time.monotonic() - started < PATIENCE / 2
    assert reader.error is None
    assert not reader.source.outages.count


def test_ctrl_c_ends_the_first_opening_at_once(silent):
    main = threading.main_thread()
    assert threading.current_thread() is main
    timer = threading.Timer(0.3, signal.pthread_kill, (main.ident, signal.SIGINT))
    started = time.monotonic()

    def opening():
        timer.start()  # in here: a slow machine may get the signal before it opens anything
        Rtsp(f"rtsp://127.0.0.1:{silent}/live", timeout=2 * PATIENCE)

    with pytest.raises(KeyboardInterrupt):
        opening()
    assert time.monotonic() - started < PATIENCE / 2
    timer.join()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process on Windows")
def test_ctrl_c_ends_a_whole_run_while_it_looks_for_its_camera(camera, tmp_path):
    """The camera is lost, and what answers in its place says nothing."""
    one = camera()
    options = [f"source.path={one.url}", "source.timeout=600", "detector=mot", "sink=[jsonl]"]
    options += ["source.retry.longest=0.5", f"detector.path={tmp_path / 'det.txt'}"]
    (tmp_path / "det.txt").write_text("1,-1,1,1,9,9,1\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "vidan", "source=rtsp", *options, "hydra.run.dir=run"], cwd=tmp_path
    )
    results, end = tmp_path / "run/results.jsonl", time.monotonic() + PATIENCE
    while not (results.exists() and results.read_text()):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    one.kill()
    with socket.create_server(("127.0.0.1", one.port)) as server:
        server.settimeout(PATIENCE)
        connection, _ = server.accept()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        connection.close()
    (outage,) = json.loads((tmp_path / "run/summary.json").read_text())["outages"]
    assert (outage["attempts"], outage["length"]) == (1, None)


def test_a_server_that_is_not_there_is_refused():
    with pytest.raises(SourceError, match="Connection refused"):
        Rtsp(f"rtsp://127.0.0.1:{free_port()}/live")


# Secrets


def test_a_camera_with_a_password_is_read_and_its_password_is_nowhere(camera, closing, caplog):
    caplog.set_level(0)
    one = camera("--user", "me:verysecret")
    url = one.url.replace("://", "://me:verysecret@")
    source = closing(Rtsp(url, retry={**QUICK, "max": 2}))
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
    assert "me:***@" in text


def test_a_wrong_password_is_refused_in_one_line(camera):
    url = camera("--user", "me:right").url.replace("://", "://me:wrong@")
    with pytest.raises(SourceError, match="401 Unauthorized") as caught:
        Rtsp(url)
    assert "wrong" not in str(caught.value)


# `file` and options


def test_file_reads_a_camera_until_it_is_lost_and_tells_of_rtsp(camera, closing, caplog):
    caplog.set_level(0)
    one = camera()
    source = closing(VideoFile(one.url, timeout=20.0))
    assert source.live
    frames = iter(source)
    assert len(list(islice(frames, 5))) == 5
    one.kill()
    with pytest.raises(SourceError, match=r"closed the connection|cannot read|nothing came"):
        list(frames)
    assert "source=rtsp connects again when it is lost" in caplog.text


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
def test_bad_options_are_refused(options):
    with pytest.raises(ConfigError, match=r"^source\.\w+"):
        Rtsp(**{"path": "rtsp://127.0.0.1/live", **options})
