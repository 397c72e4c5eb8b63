"""The view in the browser, through real HTTP."""

from __future__ import annotations

import http.client
import socket
import time
from urllib.parse import urlsplit

import numpy as np
import pytest

from vidan.errors import ConfigError, SinkError
from vidan.types import Detections, Frame, Result, Tracks
from vidan_plugins.sinks.web import Web

TOKEN = "a-token-of-enough-characters"


class Still(Frame):
    """A grey picture."""

    __slots__ = ()

    def _make_rgb(self):
        return np.full((self.height, self.width, 3), self.index % 256, np.uint8)

    def resized(self, width, height):
        return np.full((height, width, 3), self.index % 256, np.uint8)


def result(index, ids=()):
    n = len(ids)
    frame = Still(
        index=index, time=index / 10, captured=time.monotonic(), stream="s", width=64, height=48
    )
    tracks = Tracks(
        np.array(ids, np.int64),
        np.tile(np.array([[8, 8, 24, 24]], np.float32), (n, 1)),
        np.full(n, 0.5, np.float32),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.full(n, -1, np.int32),
    )
    return Result(frame, Detections.empty(), tracks, ("person",))


@pytest.fixture
def web():
    sink = Web(port=0)
    yield sink
    sink.close()


OPEN: list[http.client.HTTPConnection | http.client.HTTPResponse] = []


@pytest.fixture(autouse=True)
def _hang_up():
    yield
    while OPEN:
        OPEN.pop().close()


def ask(sink, path, headers=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(sink.address).port, timeout=10)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    OPEN.extend((connection, answer))
    return answer


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/healthz", "/metrics"])
def test_pages_come_with_headers_that_keep_others_out(web, path):
    answer = ask(web, path)
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("path", ["/sink.py", "/../sink.py", "/%2e%2e/sink.py", "//etc/passwd"])
def test_no_other_file_can_be_read(web, path):
    assert ask(web, path).status == 404


def test_name_of_another_host_is_refused(web):
    assert ask(web, "/", {"Host": "evil.example"}).status == 403


def test_figures_count_objects_and_gaps(web):
    web.write(result(0, [1]))
    web.write(result(3, [2]))  # 1 and 2 are missing
    text = ask(web, "/metrics").read().decode()
    assert "vidan_frames_total 2\n" in text
    assert "vidan_skipped_frames_total 2\n" in text
    assert 'vidan_objects{label="person"} 1\n' in text
    assert 'vidan_objects_total{label="person"} 2\n' in text


def test_stream_shows_pictures_until_the_end(web):
    answer = ask(web, "/stream.mjpg")
    web.write(result(0))
    assert b"\xff\xd8" in answer.read(200)
    web.close()
    answer.read()  # ends


def test_snapshot_is_the_newest_picture(web):
    web.write(result(0))
    assert ask(web, "/snapshot.jpg").read(2) == b"\xff\xd8"


def test_nothing_is_encoded_while_nobody_watches(web):
    for index in range(5):
        web.write(result(index))
    assert web._server._number == 0


def test_end_of_the_run_is_told(web):
    answer = ask(web, "/events")
    web.close()
    assert b"event: end" in answer.read()


def test_viewers_are_bounded():
    sink = Web(port=0, max_viewers=1)
    first = ask(sink, "/stream.mjpg")
    assert first.status == 200
    assert ask(sink, "/stream.mjpg").status == 503
    sink.close()


def test_token_is_demanded_and_becomes_a_cookie():
    sink = Web(port=0, token=TOKEN)
    try:
        assert ask(sink, "/").status == 401
        assert ask(sink, "/?token=wrong").status == 401
        assert ask(sink, "/", {"Authorization": f"Bearer {TOKEN}"}).status == 200
        answer = ask(sink, f"/?token={TOKEN}")
        cookie = answer.headers["Set-Cookie"]
        assert answer.status == 303
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert ask(sink, "/", {"Cookie": cookie.split(";")[0]}).status == 200
    finally:
        sink.close()


@pytest.mark.parametrize(
    "bad", [{"host": "0.0.0.0"}, {"token": "short"}, {"port": -1}, {"certificate": "x.pem"}]
)
def test_bad_options_are_refused(bad):
    with pytest.raises(ConfigError, match=r"sink\.web\."):
        Web(**({"port": 0} | bad))


def test_taken_port_is_one_clear_error():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(SinkError, match=r"another sink\.web\.port"),
    ):
        Web(port=taken.getsockname()[1])
