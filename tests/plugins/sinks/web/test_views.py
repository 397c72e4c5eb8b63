"""What viewers get, and that none of them harms another."""

import asyncio
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
from vidan_plugins.sinks.web.server import CONNECTIONS, SPARE
from vidan_plugins.sinks.web.views import Views


class Camera(threading.Thread):
    """Shows results until it is stopped; keeps how long the longest `write` took, s."""

    def __init__(self, sink, **given):
        super().__init__()
        self._sink, self._given, self._over = sink, given, threading.Event()
        self.longest = 0.0
        self.written = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def run(self):
        while not self._over.wait(0.01):
            one = result(self.written, [1], **self._given)
            began = time.monotonic()
            self._sink.write(one)
            self.longest = max(self.longest, time.monotonic() - began)
            self.written += 1


def gray(jpeg):
    """The brightness of an image, which is its frame's index."""
    return round(float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).mean()))


def look(sink, visit):
    """Run a viewer: `visit(socket)` with the page's web socket."""

    async def go():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{sink.port}/view") as socket,
        ):
            return await asyncio.wait_for(visit(socket), 20)

    return asyncio.run(go())


async def picture(socket):
    await socket.send_str("next")
    while (message := await socket.receive()).type is not aiohttp.WSMsgType.BINARY:
        assert message.type is aiohttp.WSMsgType.TEXT, message
    return message.data


def test_an_image_comes_each_time_one_is_asked_for(web):
    async def visit(socket):
        seen = []
        for index in (10, 60, 120):
            web.write(result(index))
            seen.append(gray(await picture(socket)))
        web.write(result(180))  # for which nobody asks
        for _ in range(3):
            assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT
        return seen

    assert look(web, visit) == pytest.approx([10, 60, 120], abs=2)


def test_who_comes_seldom_is_shown_nothing_old(web):
    async def visit(socket):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{web.port}/view") as other,
        ):
            web.write(result(10))
            assert gray(await picture(socket)) == pytest.approx(10, abs=2)
            web.write(result(60))
            assert gray(await picture(other)) == pytest.approx(60, abs=2)
            web.write(result(120))  # nobody has asked for it yet
            return gray(await picture(socket))

    assert look(web, visit) == pytest.approx(120, abs=2)


def test_a_new_viewer_sees_the_last_image_of_a_camera_that_is_away(web):
    web.write(result(50))
    for _ in range(2):
        assert gray(look(web, picture)) == pytest.approx(50, abs=2)


def test_figures_come_by_themselves(web):
    web.write(result(5, [3]))

    async def visit(socket):
        return [json.loads((await socket.receive()).data) for _ in range(2)]

    for of in look(web, visit):
        assert (of["stream"], of["now"], of["viewers"], of["over"]) == (
            "door",
            {"person": 1},
            1,
            False,
        )
        assert of["events"][0]["text"] == "person #3 appeared"
    assert of["age"] > 0.4  # it grows while there is no new image


def test_the_end_is_told_with_the_last_image(web):
    async def visit(socket):
        web.write(result(10))
        await picture(socket)
        web.write(result(90))  # is not asked for
        closing = asyncio.create_task(asyncio.to_thread(web.close))
        got = [message async for message in socket]
        await closing
        return got, socket.close_code

    got, code = look(web, visit)
    assert json.loads(got[-1].data)["over"] is True
    assert gray(got[-2].data) == pytest.approx(90, abs=2)
    assert code == aiohttp.WSCloseCode.GOING_AWAY


def test_motion_jpeg_goes_on_until_the_end(web, ask):
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


def test_nothing_is_encoded_while_nobody_waits_and_once_for_all(web, monkeypatch):
    encoded = []
    encode = web._server.encoder._encode
    monkeypatch.setattr(
        web._server.encoder,
        "_encode",
        lambda *of: encoded.append(of[1].frame.index) or encode(*of),
    )
    for index in range(5):
        web.write(result(index))

    async def visit(socket):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{web.port}/view") as other,
        ):
            first = await picture(socket)
            assert first == await picture(other)
            waiting = [asyncio.create_task(picture(each)) for each in (socket, other)]
            await asyncio.sleep(0.1)
            web.write(result(5))
            return await asyncio.gather(*waiting)

    one, other = look(web, visit)
    assert one == other
    assert encoded == [4, 5]


def test_health(web, ask, monkeypatch):
    assert json.load(ask(web, "/healthz")) == {"status": "waiting"}
    web.write(result(0))
    assert json.load(ask(web, "/healthz")) == {"status": "ok"}
    monkeypatch.setattr("vidan_plugins.sinks.web.views.STALLED", -1.0)
    assert json.load(ask(web, "/healthz")) == {"status": "stalled"}


def test_labels_are_written_as_prometheus_reads_them(web, ask):
    stats_of = web._live_stats.stats
    stats_of.frame_done(0.0, {}, 1, {'Tür "A"\\\n': 2})
    assert (
        'vidan_objects_total{label="Tür \\"A\\"\\\\\\n"} 2\n'
        in ask(web, "/metrics").read().decode()
    )


def viewers(ask, web):
    text = ask(web, "/metrics").read().decode()
    return int(text.split("\nvidan_viewers ")[1].split()[0])


def until(condition):
    """Wait for what must come true, 10 s at most."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def raw(sink, path="/stream.mjpg", buffer=4096):
    """A connection that asks for a path, and then does whatever the test wants."""
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


def test_viewers_are_bounded_and_who_hangs_up_makes_room(serve, ask):
    web = serve(max_viewers=2)
    one, two = raw(web), raw(web)
    until(lambda: viewers(ask, web) == 2)
    assert ask(web, "/stream.mjpg").status == 503

    async def refused(socket):
        await socket.receive()
        return socket.close_code

    assert look(web, refused) == aiohttp.WSCloseCode.TRY_AGAIN_LATER
    one.close()  # there is no image to write to it, by which it would be noticed
    two.close()
    until(lambda: viewers(ask, web) == 0)
    assert ask(web, "/stream.mjpg").status == 200


@pytest.mark.parametrize("path", ["/stream.mjpg", "/view"])
def test_who_never_reads_holds_up_nobody_and_is_dropped(serve, ask, path):
    web = serve(patience=0.5)
    with raw(web, path) as stuck, Camera(web, kind=Noisy, width=640, height=480) as camera:
        if path == "/view":
            # "next", masked with zeros: of the first image not all fits into the buffers.
            stuck.sendall(b"\x81\x84\0\0\0\0next")

        async def visit(socket):
            return [await picture(socket) for _ in range(5)]

        assert len(set(look(web, visit))) == 5
        until(lambda: viewers(ask, web) == 0)
    assert camera.longest < 1
    assert camera.written > 5


@pytest.mark.parametrize("path", ["/stream.mjpg", "/view"])
def test_closing_does_not_wait_for_who_never_reads(serve, path, caplog):
    web = serve(patience=60)
    with raw(web, path) as stuck:
        with Camera(web, kind=Noisy, width=640, height=480):
            if path == "/view":
                stuck.sendall(b"\x81\x84\0\0\0\0next")
            until(lambda: web._server._hub.number > 0)
            time.sleep(0.2)
        began = time.monotonic()
        web.close()
        assert time.monotonic() - began < 4
    assert not web._server._thread.is_alive()


def test_who_leaves_just_when_something_was_sent_leaves_the_seat():
    async def go():
        sent = asyncio.get_running_loop().create_future()

        async def feed():
            await Views(None, patience=60)._send(None, sent)
            await asyncio.Event().wait()  # for the next word of a viewer who is gone

        task = asyncio.create_task(feed())
        await asyncio.sleep(0)
        sent.set_result(None)
        task.cancel()  # `asyncio.wait_for` of Python 3.11 loses this
        done, _ = await asyncio.wait([task], timeout=5)
        assert done

    asyncio.run(go())


def test_who_connects_and_says_nothing_is_hung_up_on(serve):
    web = serve(patience=0.3)
    for said in (b"", b"GET / HTTP/1.1\r\nHost: local"):
        with socket.create_connection(("127.0.0.1", web.port), timeout=10) as silent:
            silent.sendall(said)
            assert silent.recv(100) == b""


def _answers(ask, web):
    try:
        return ask(web, "/healthz").status == 200
    except ConnectionError:
        return False


def test_connections_are_bounded(serve, ask):
    web = serve(max_viewers=1, patience=60)
    room = CONNECTIONS + SPARE
    many = [socket.create_connection(("127.0.0.1", web.port), timeout=10) for _ in range(room + 5)]
    for refused in many[room:]:
        assert refused.recv(100) == b""
    many[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert many[0].recv(1000).startswith(b"HTTP/1.1 200")  # it has kept its place
    for connection in many:
        connection.close()
    until(lambda: _answers(ask, web))


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(500)) + b"\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", b"405"),
        (b"\x16\x03\x01\x02\x00\x01\x00" * 20 + b"\r\n\r\n", b"400"),
    ],
    ids=["address", "header", "headers", "body", "no HTTP"],
)
def test_requests_are_bounded_and_bad_ones_fill_no_log(web, said, status, caplog):
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        connection.sendall(said)
        assert connection.recv(1000).split()[1] == status
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_who_sends_much_through_the_web_socket_is_dropped(web):
    async def visit(socket):
        await socket.send_str("x" * 1000)
        async for _ in socket:
            pass
        return socket.close_code

    assert look(web, visit) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


def test_an_image_that_cannot_be_drawn_is_an_error_of_the_sink(web, ask):
    ask(web, "/stream.mjpg")
    web.write(result(0, kind=Broken))
    until(lambda: web._server.error is not None)
    with pytest.raises(SinkError, match="no such picture"):
        web.write(result(1))
    with pytest.raises(SinkError, match="no such picture"):
        web.close()
    web.close()  # said once


def test_also_if_it_was_the_last_one(serve, ask):
    web = serve()
    ask(web, "/stream.mjpg")
    web.write(result(0, kind=Broken))
    with pytest.raises(SinkError, match="no such picture"):
        web.close()
