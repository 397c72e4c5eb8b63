"""What viewers receive, and that they do not affect each other."""

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time

import aiohttp
import cv2
import numpy as np
import pytest

from tests.plugins.sinks.web.results import Broken, Noisy, result
from vidan.errors import SinkError
from vidan_plugins.analytics.presence import Presence
from vidan_plugins.sinks.drawing.painter import Painter
from vidan_plugins.sinks.web.server import CONNECTIONS_PER_VIEWER, SPARE_CONNECTIONS
from vidan_plugins.sinks.web.views import Views


class Camera(threading.Thread):
    """Writes results until it is stopped; records the longest duration of `write`, s."""

    def __init__(self, sink, **given):
        super().__init__()
        self._sink, self._given, self._stopped = sink, given, threading.Event()
        self.longest = 0.0
        self.written = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self.join()

    def run(self):
        while not self._stopped.wait(0.01):
            one = result(self.written, [1], **self._given)
            began = time.monotonic()
            self._sink.write(one)
            self.longest = max(self.longest, time.monotonic() - began)
            self.written += 1


def gray(jpeg):
    """The brightness of an image, which is the index of its frame."""
    return round(float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).mean()))


def view(sink, visit):
    """Run a viewer: `visit(socket)` with the web socket of the page."""

    async def go():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{sink.port}/view") as socket,
        ):
            return await asyncio.wait_for(visit(socket), 20)

    return asyncio.run(go())


async def next_image(socket):
    await socket.send_str("next")
    while (message := await socket.receive()).type is not aiohttp.WSMsgType.BINARY:
        assert message.type is aiohttp.WSMsgType.TEXT, message
    return message.data


def test_an_image_is_sent_for_each_request(web):
    async def visit(socket):
        seen = []
        for index in (10, 60, 120):
            web.write(result(index))
            seen.append(gray(await next_image(socket)))
        web.write(result(180))  # which nobody requests
        for _ in range(3):
            assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT
        return seen

    assert view(web, visit) == pytest.approx([10, 60, 120], abs=2)


def test_slow_viewers_never_get_a_stale_frame(web):
    async def visit(socket):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{web.port}/view") as other,
        ):
            web.write(result(10))
            assert gray(await next_image(socket)) == pytest.approx(10, abs=2)
            web.write(result(60))
            assert gray(await next_image(other)) == pytest.approx(60, abs=2)
            web.write(result(120))  # nobody has requested it yet
            return gray(await next_image(socket))

    assert view(web, visit) == pytest.approx(120, abs=2)


def test_a_new_viewer_gets_the_last_image_during_an_outage(web):
    web.write(result(50))
    for _ in range(2):
        assert gray(view(web, next_image)) == pytest.approx(50, abs=2)


def test_statistics_are_sent_without_requests(web):
    one = result(5, [3])
    web.emit(Presence().update(one))
    web.write(one)

    async def visit(socket):
        return [json.loads((await socket.receive()).data) for _ in range(2)]

    for stats in view(web, visit):
        assert (stats["stream"], stats["now"], stats["viewers"], stats["ended"]) == (
            "door",
            {"person": 1},
            1,
            False,
        )
        assert stats["events"][0]["text"] == "person #3 appeared"
    assert stats["age"] > 0.4  # increases while there is no new image


def test_viewers_receive_the_last_image_and_the_end_of_the_run(web):
    async def visit(socket):
        web.write(result(10))
        await next_image(socket)
        web.write(result(90))  # not requested
        closing = asyncio.create_task(asyncio.to_thread(web.close))
        got = [message async for message in socket]
        await closing
        return got, socket.close_code

    got, code = view(web, visit)
    assert json.loads(got[-1].data)["ended"] is True
    assert gray(got[-2].data) == pytest.approx(90, abs=2)
    assert code == aiohttp.WSCloseCode.GOING_AWAY


def test_motion_jpeg_continues_until_the_end(web, ask):
    answer = ask(web, "/stream.mjpg")
    with Camera(web) as camera:
        parts = answer.read(20_000)
    assert parts.count(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ") > 5
    assert camera.longest < 1
    web.close()
    answer.read()  # ends


def test_snapshot_is_the_newest_image(web, ask):
    web.write(result(20))
    assert gray(ask(web, "/snapshot.jpg").read()) == pytest.approx(20, abs=2)
    web.write(result(70))
    assert gray(ask(web, "/snapshot.jpg").read()) == pytest.approx(70, abs=2)


def test_large_images_are_scaled_down(serve, ask):
    web = serve(width=32)
    web.write(result(1))
    jpeg = np.frombuffer(ask(web, "/snapshot.jpg").read(), np.uint8)
    assert cv2.imdecode(jpeg, cv2.IMREAD_COLOR).shape == (24, 32, 3)


def test_images_are_encoded_on_request_and_once_for_all_viewers(web, monkeypatch):
    drawn = []
    annotate = Painter.annotate

    def record(painter, result, *size):
        drawn.append(result.frame.index)
        return annotate(painter, result, *size)

    monkeypatch.setattr(Painter, "annotate", record)
    for index in range(5):
        web.write(result(index))

    async def visit(socket):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{web.port}/view") as other,
        ):
            first = await next_image(socket)
            assert first == await next_image(other)
            waiting = [asyncio.create_task(next_image(each)) for each in (socket, other)]
            await asyncio.sleep(0.1)
            web.write(result(5))
            return await asyncio.gather(*waiting)

    one, other = view(web, visit)
    assert one == other
    assert drawn == [4, 5]


def test_one_image_for_each_choice_of_the_viewers(web, monkeypatch):
    """Viewers who see the same share an image, and each gets its own without a newer frame."""
    drawn = []
    annotate = Painter.annotate

    def record(painter, *given):
        drawn.append(painter)
        return annotate(painter, *given)

    monkeypatch.setattr(Painter, "annotate", record)
    web.write(result(100, [1]))

    async def visit(socket):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{web.port}/view") as other,
        ):
            plain = await next_image(socket)
            for each in (socket, other):
                await each.send_str("show trails nonsense")
            hidden = [await next_image(each) for each in (socket, other)]
            await socket.send_str("next")  # waits for the next frame, or for another choice
            await socket.send_str("show boxes labels trails")
            return plain, hidden, await next_image(socket)

    plain, (one, other), again = view(web, visit)
    assert one == other != plain
    assert again == plain
    assert len(drawn) == len(set(drawn)) == 2


def test_viewers_get_no_more_images_per_second_than_configured(serve):
    """Another choice does not wait."""
    sink = serve(rate=5.0)

    async def visit(socket):
        began, times = time.monotonic(), []
        for _ in range(4):
            await next_image(socket)
            times.append(time.monotonic() - began)
        await socket.send_str("show trails")
        await next_image(socket)
        return times, time.monotonic() - began

    with Camera(sink):
        times, chosen = view(sink, visit)
    assert times[3] - times[0] >= 0.5  # 3 / 5, less the time that drawing takes
    assert chosen - times[3] < 1 / 5


def test_health_is_waiting_ok_or_stalled(web, ask, monkeypatch):
    assert json.load(ask(web, "/healthz")) == {"status": "waiting"}
    web.write(result(0))
    assert json.load(ask(web, "/healthz")) == {"status": "ok"}
    monkeypatch.setattr("vidan_plugins.sinks.web.views.STALLED_AFTER_S", -1.0)
    assert json.load(ask(web, "/healthz")) == {"status": "stalled"}


@pytest.mark.parametrize("path", ["/healthz", "/results.json", "/snapshot.jpg", "/thumbnail.jpg"])
def test_head_is_answered_like_get(web, ask, path):
    web.write(result(0))
    assert ask(web, path).status == 200
    assert ask(web, path, method="HEAD").status == 200


def viewers(ask, web):
    text = ask(web, "/metrics").read().decode()
    return float(text.split("\nvidan_viewers ")[1].split()[0])


def until(condition):
    """Wait until a condition holds, for up to 10 s."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def raw(sink, path="/stream.mjpg", buffer=4096):
    """A connection that has requested a path, for the test to use."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", sink.port))
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        if path == "/view"
        else ""
    )
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
    return connection


def test_the_number_of_viewers_is_limited_and_disconnected_ones_do_not_count(serve, ask):
    web = serve(max_viewers=2)
    one, two = raw(web), raw(web)
    until(lambda: viewers(ask, web) == 2)
    assert ask(web, "/stream.mjpg").status == 503

    async def refused(socket):
        await socket.receive()
        return socket.close_code

    assert view(web, refused) == aiohttp.WSCloseCode.TRY_AGAIN_LATER
    one.close()  # noticed although no image is written to it
    two.close()
    until(lambda: viewers(ask, web) == 0)
    assert ask(web, "/stream.mjpg").status == 200


@pytest.mark.parametrize("path", ["/stream.mjpg", "/view"])
def test_a_viewer_that_never_reads_delays_no_others_and_is_disconnected(serve, ask, path):
    web = serve(timeout=0.5)
    with raw(web, path) as stuck, Camera(web, kind=Noisy, width=640, height=480) as camera:
        if path == "/view":
            # "next", masked with zeros. The first image does not fit into the buffers.
            stuck.sendall(b"\x81\x84\0\0\0\0next")

        async def visit(socket):
            return [await next_image(socket) for _ in range(5)]

        assert len(set(view(web, visit))) == 5
        until(lambda: viewers(ask, web) == 0)
    assert camera.longest < 1
    assert camera.written > 5


@pytest.mark.parametrize("path", ["/stream.mjpg", "/view"])
def test_closing_does_not_wait_for_a_viewer_that_never_reads(serve, path, caplog):
    web = serve(timeout=60)
    with raw(web, path) as stuck:
        with Camera(web, kind=Noisy, width=640, height=480):
            if path == "/view":
                stuck.sendall(b"\x81\x84\0\0\0\0next")
            until(lambda: web.images > 0)
            time.sleep(0.2)
        began = time.monotonic()
        web.close()
        assert time.monotonic() - began < 4
    assert not web.server.running


def test_a_viewer_that_disconnects_during_a_message_is_no_longer_counted():
    async def go():
        sent = asyncio.get_running_loop().create_future()

        async def feed():
            await Views(None, 60).send(None, sent)
            await asyncio.Event().wait()  # for a message of a viewer that is gone

        task = asyncio.create_task(feed())
        await asyncio.sleep(0)
        sent.set_result(None)
        task.cancel()  # `asyncio.wait_for` of Python 3.11 loses this
        done, _ = await asyncio.wait([task], timeout=5)
        assert done

    asyncio.run(go())


def test_a_connection_without_a_request_is_closed(serve):
    web = serve(timeout=0.3)
    for sent in (b"", b"GET / HTTP/1.1\r\nHost: local"):
        with socket.create_connection(("127.0.0.1", web.port), timeout=10) as silent:
            silent.sendall(sent)
            assert silent.recv(100) == b""


def _responds(ask, web):
    try:
        return ask(web, "/healthz").status == 200
    except ConnectionError:
        return False


REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def connected():
    """Opens connections to a sink that send something; they are closed after the test."""
    with contextlib.ExitStack() as open_:

        def connect(web, count, sent=b"", every=0.0):
            many = []
            for _ in range(count):
                time.sleep(every)
                one = socket.create_connection(("127.0.0.1", web.port), timeout=60)
                many.append(open_.enter_context(one))
                one.sendall(sent)
            return many

        yield connect


def slow_down(web, seconds):
    """Make each turn of the server's loop take longer, as on a busy machine."""

    def turn():
        time.sleep(seconds)
        asyncio.get_running_loop().call_soon(turn)

    web.server.call(turn)


def closed(connection):
    """Whether the server closes the connection; that may be a reset."""
    try:
        return connection.recv(1000) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("busy", [False, True])
def test_the_number_of_connections_is_limited(serve, ask, connected, busy):
    web = serve(max_viewers=1, timeout=60)
    if busy:
        slow_down(web, 0.002)
    limit = CONNECTIONS_PER_VIEWER + SPARE_CONNECTIONS
    many = connected(web, limit, REQUEST, every=0.001 if busy else 0.0)
    assert all(each.recv(1000).startswith(b"HTTP/1.1 200") for each in many)
    refused = connected(web, 5)
    assert all(closed(each) for each in refused)
    many[0].sendall(REQUEST)
    assert many[0].recv(1000).startswith(b"HTTP/1.1 200")  # still connected
    for connection in many + refused:
        connection.close()
    until(lambda: _responds(ask, web))


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
def test_connections_without_a_request_lock_nobody_out(serve, ask, connected, sent):
    web = serve(max_viewers=1, timeout=60)
    many = connected(web, CONNECTIONS_PER_VIEWER + SPARE_CONNECTIONS, sent)
    for _ in range(3):
        assert ask(web, "/healthz").status == 200
    assert closed(many[0])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(500)) + b"\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", b"405"),
        (b"\x16\x03\x01\x02\x00\x01\x00" * 20 + b"\r\n\r\n", b"400"),
    ],
    ids=["address", "header", "headers", "body", "no HTTP"],
)
def test_oversized_and_invalid_requests_are_refused_without_log_records(web, sent, status, caplog):
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        connection.sendall(sent)
        assert connection.recv(1000).split()[1] == status
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_an_oversized_web_socket_message_closes_the_connection(web):
    async def visit(socket):
        await socket.send_str("x" * 1000)
        async for _ in socket:
            pass
        return socket.close_code

    assert view(web, visit) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


def test_a_failure_to_draw_is_an_error_of_the_sink(web, ask):
    ask(web, "/stream.mjpg")
    web.write(result(0, kind=Broken))
    until(lambda: web.encoder.error is not None)
    with pytest.raises(SinkError, match="no such image"):
        web.write(result(1))
    with pytest.raises(SinkError, match="no such image"):
        web.close()
    web.close()  # raised only once


def test_a_failure_to_draw_the_last_image_is_an_error_too(serve, ask):
    web = serve()
    ask(web, "/stream.mjpg")
    web.write(result(0, kind=Broken))
    with pytest.raises(SinkError, match="no such image"):
        web.close()
