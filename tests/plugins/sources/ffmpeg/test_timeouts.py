"""Hosts are resolved before FFmpeg would do so, since nothing could interrupt it then."""

import signal
import socket
import threading
import time

import pytest

from vidan.errors import SourceError
from vidan_plugins.sources.ffmpeg.rtsp import Rtsp
from vidan_plugins.sources.ffmpeg.timeouts import resolve_host


@pytest.fixture
def resolved(monkeypatch):
    """The hosts that were resolved; all of them exist."""
    hosts = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, _port: hosts.append(host))
    return hosts


@pytest.fixture
def name_server_queried(monkeypatch):
    """A name server that does not answer during the test; set once it is queried."""
    queried, over = threading.Event(), threading.Event()

    def wait(_host, _port):
        queried.set()
        over.wait()

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield queried
    over.set()


def test_the_host_is_resolved(resolved, monkeypatch):
    never = threading.Event()
    resolve_host("rtsp://me:secret@cam.example:554/a", never, 5)
    resolve_host("udp://@239.0.0.1:5000", never, 5)
    resolve_host("srt://:7000", never, 5)  # a listener
    resolve_host("rtsp://[cam/a", never, 5)  # left to FFmpeg, as the next one
    resolve_host("foo://cam.example/a", never, 5)
    assert resolved == ["cam.example", "239.0.0.1"]
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    resolve_host("https://cam.example/a", never, 5)
    resolve_host("rtsp://cam.example/a", never, 5)
    assert resolved == ["cam.example", "239.0.0.1", "cam.example"]


def test_an_unknown_host_is_a_one_line_error(monkeypatch):
    def refuse(_host, _port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(SourceError) as caught:
        Rtsp("rtsp://me:secret@cam.example/a")
    assert str(caught.value) == (
        "cannot resolve the host of 'rtsp://***@cam.example/a': Name or service not known: "
        "check the path and the network"
    )


@pytest.mark.usefixtures("name_server_queried")
def test_a_silent_name_server_times_out():
    with pytest.raises(SourceError, match=r"no name server answered for 0\.2 s"):
        Rtsp("rtsp://cam.example/a", timeout=0.2)


def test_stopping_does_not_wait_for_a_name_server(name_server_queried):
    stopped = threading.Event()
    stopper = threading.Thread(target=lambda: (name_server_queried.wait(), stopped.set()))
    stopper.start()
    with pytest.raises(InterruptedError):
        resolve_host("rtsp://cam.example/a", stopped, 60)
    stopper.join()


@pytest.fixture
def default_ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, as usual in Python, whatever ran in this process before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_ctrl_c")
def test_ctrl_c_does_not_wait_for_a_name_server(name_server_queried):
    main = threading.main_thread().ident

    def press():
        name_server_queried.wait()
        signal.pthread_kill(main, signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Rtsp("rtsp://cam.example/a", timeout=60.0)
    assert time.monotonic() - started < 30
    presser.join()
