"""Protocols other than RTSP, which are read by the same code."""

import socket
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler
from itertools import islice, pairwise

import av
import pytest

from tests.clips import number_of, numbered_image, write_clip
from vidan.errors import SourceError
from vidan_plugins.sources.ffmpeg.rtsp import Rtsp

QUICK = {"first": 0.05, "longest": 0.2}


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def read(url, **options):
    source = Rtsp(url, **options)
    try:
        return list(source)
    finally:
        source.close()


def increasing(frames):
    return all(a.index < b.index and a.time < b.time for a, b in pairwise(frames))


def test_a_file_at_a_url_is_paced_and_ends(serve, tmp_path):
    write_clip(tmp_path / "whole.mp4", 25, rate=50)
    host = serve(partial(Files, directory=str(tmp_path)))
    started = time.monotonic()
    frames = read(f"http://{host}/whole.mp4")
    assert time.monotonic() - started >= 24 / 50
    assert [number_of(f.rgb()) for f in frames] == list(range(25))


def test_hls_is_paced_and_ends_with_its_playlist(serve, tmp_path):
    path = tmp_path / "live.m3u8"
    with av.open(str(path), "w", format="hls", options={"hls_time": "0.5"}) as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(25):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_image(number))))
        container.mux(stream.encode(None))
    host = serve(partial(Files, directory=str(tmp_path)))
    started = time.monotonic()
    frames = read(f"http://{host}/live.m3u8")
    assert time.monotonic() - started >= 24 / 25
    assert [number_of(f.rgb()) for f in frames] == list(range(25))
    assert increasing(frames)


def test_a_stream_over_http_is_reopened_when_its_server_ends_it(serve, tmp_path):
    """Like a camera that restarts: the stream has no announced length."""
    data = write_clip(tmp_path / "part.ts", 200, rate=100).read_bytes()

    class Camera(BaseHTTPRequestHandler):
        requests = 0

        def do_GET(self):
            Camera.requests += 1
            if Camera.requests == 2:
                self.send_error(503)
                return
            self.send_response(200)
            self.end_headers()
            piece = len(data) // 200  # about one image at a time, when it is due
            for start in range(0, len(data), piece):
                self.wfile.write(data[start : start + piece])
                time.sleep(0.01)

        def log_message(self, *_):
            pass

    source = Rtsp(f"http://{serve(Camera)}/live.ts", retry=QUICK, timeout=5.0)
    frames = []
    timer = threading.Timer(60, source.stop)
    timer.start()
    for frame in source:
        frames.append(frame)
        outage = source.outages.latest
        if outage is not None and outage.length is not None:
            break
    timer.cancel()
    source.close()
    assert Camera.requests >= 3
    assert increasing(frames)
    first = next(iter(source.outages))
    assert (first.attempts, first.length is not None) == (2, True)
    assert "/live.ts' ended" in first.reason or "cannot read" in first.reason


class Sender(threading.Thread):
    """Sends numbered images as MPEG-TS over UDP until it is stopped; can be paused."""

    def __init__(self, port):
        super().__init__()
        self.url = f"udp://127.0.0.1:{port}"
        self.stopped = threading.Event()
        self.paused = threading.Event()
        self.start()

    def run(self):
        options = {"pkt_size": "1316"}
        with av.open(self.url, "w", format="mpegts", options=options) as container:
            stream = container.add_stream(
                "libx264",
                rate=25,
                options={"g": "5", "tune": "zerolatency", "x264-params": "threads=1"},
            )
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            number = 0
            while not self.stopped.wait(0.04):
                if self.paused.is_set():
                    continue
                image = av.VideoFrame.from_ndarray(numbered_image(number))
                image.pts = number
                container.mux(stream.encode(image))
                number += 1


@pytest.fixture
def sender():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    thread = Sender(port)
    yield thread
    thread.stopped.set()
    thread.join()


def test_mpeg_ts_over_udp_is_read_and_a_pause_is_an_outage(sender):
    source = Rtsp(sender.url, stall=0.5, timeout=60.0, retry=QUICK)
    frames = iter(source)
    seen = list(islice(frames, 10))
    sender.paused.set()
    threading.Timer(1.5, sender.paused.clear).start()
    while not source.outages.count or next(iter(source.outages)).length is None:
        seen.append(next(frames))
    source.close()
    assert increasing(seen)
    outage = next(iter(source.outages))
    assert outage.length >= 0.5
    assert "no data from" in outage.reason


def test_udp_without_a_sender_times_out():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"no data from .* for 0.5 s"):
        Rtsp(f"udp://127.0.0.1:{port}", timeout=0.5)
    assert time.monotonic() - started < 30
