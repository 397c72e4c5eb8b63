"""Hosts are looked up before FFmpeg does, since nothing could end its waiting."""

import signal
import socket
import threading
import time

import pytest

from vidan.errors import SourceError
from vidan_plugins.sources.ffmpeg.rtsp import Rtsp
from vidan_plugins.sources.ffmpeg.timeouts import look_up


@pytest.fixture
def asked(monkeypatch):
    """The hosts that were looked up; all are known."""
    hosts = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, _port: hosts.append(host))
    return hosts


@pytest.fixture
def deaf(monkeypatch):
    """A name server that says nothing as long as the test lasts; set when it was asked."""
    asked, over = threading.Event(), threading.Event()

    def wait(_host, _port):
        asked.set()
        over.wait()

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield asked
    over.set()


def test_the_host_is_looked_up(asked, monkeypatch):
    never = threading.Event()
    look_up("rtsp://me:secret@cam.example:554/a", never, 5)
    look_up("udp://@239.0.0.1:5000", never, 5)
    look_up("srt://:7000", never, 5)  # whoever calls
    look_up("rtsp://[cam/a", never, 5)  # FFmpeg shall say what it thinks of these
    look_up("foo://cam.example/a", never, 5)
    assert asked == ["cam.example", "239.0.0.1"]
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    look_up("https://cam.example/a", never, 5)
    look_up("rtsp://cam.example/a", never, 5)
    assert asked == ["cam.example", "239.0.0.1", "cam.example"]


def test_a_host_that_is_not_there_is_refused_in_one_line(monkeypatch):
    def refuse(_host, _port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(SourceError) as caught:
        Rtsp("rtsp://me:secret@cam.example/a")
    assert str(caught.value) == (
        "cannot look up the host of 'rtsp://me:***@cam.example/a': Name or service not known: "
        "check source.path and the network"
    )


def test_a_name_server_that_says_nothing_ends_by_the_time_out(deaf):
    with pytest.raises(SourceError, match=r"no name server answered for 0\.2 s"):
        Rtsp("rtsp://cam.example/a", timeout=0.2)


def test_a_stop_does_not_wait_for_a_name_server(deaf):
    stopped = threading.Event()
    stopper = threading.Thread(target=lambda: (deaf.wait(), stopped.set()))
    stopper.start()
    with pytest.raises(InterruptedError):
        look_up("rtsp://cam.example/a", stopped, 60)
    stopper.join()


@pytest.fixture
def pressed():
    """Ctrl-C raises KeyboardInterrupt, as Python has it, whatever ran in this process before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("pressed")
def test_ctrl_c_does_not_wait_for_a_name_server(deaf):
    main = threading.main_thread().ident

    def press():
        deaf.wait()
        signal.pthread_kill(main, signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Rtsp("rtsp://cam.example/a", timeout=60.0)
    assert time.monotonic() - started < 30
    presser.join()
