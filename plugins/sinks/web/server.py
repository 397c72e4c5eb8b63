"""The server: a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from importlib import resources

from aiohttp import web

from .access import add_headers, guard
from .figures import Figures
from .pictures import Pictures

PERIOD = 0.5
"""Seconds between two messages of figures."""

FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
PART = b"--frame\r\n"


class Server:
    """Serves the page, pictures and figures until it is closed."""

    def __init__(
        self,
        bound: socket.socket,
        figures: Figures,
        width: int,
        quality: int,
        token: str | None,
        viewers: int,
        patience: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._bound, self._figures, self._tls = bound, figures, tls
        self._viewers, self._patience = viewers, patience
        self._watching = self._listening = self._number = 0
        self._jpeg = b""
        self._ended = False
        self.error: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._news: asyncio.Event = asyncio.Event()
        self._app = web.Application(
            middlewares=[guard(token, tls is not None)], client_max_size=1024
        )
        self._app.on_response_prepare.append(add_headers)
        self._app.router.add_get("/stream.mjpg", self._stream)
        self._app.router.add_get("/events", self._events)
        self._app.router.add_get("/snapshot.jpg", self._snapshot)
        self._app.router.add_get("/healthz", self._health)
        self._app.router.add_get("/metrics", self._metrics)
        for path in FILES:
            self._app.router.add_get(path, self._file)
        self.pictures = Pictures(width, quality, self._ready)
        self._thread = threading.Thread(target=self._run, name="vidan-web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell the viewers that the run is over, and let go of the port; takes 2 s at most."""
        self.pictures.close()
        with contextlib.suppress(RuntimeError):  # the loop is over after an error
            self._loop.call_soon_threadsafe(self._end)
        self._thread.join(3)

    def _end(self) -> None:
        self._ended = True
        self._wake()

    def _ready(self, jpeg: bytes) -> None:
        def take() -> None:
            self._jpeg, self._number = jpeg, self._number + 1
            self._wake()

        self._loop.call_soon_threadsafe(take)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:
            self.error = error
        finally:
            self._bound.close()
            self._loop.close()

    async def _serve(self) -> None:
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.SockSite(runner, self._bound, ssl_context=self._tls).start()
        while not self._ended:
            await self._news.wait()
        await asyncio.sleep(0.1)  # for the last words to the viewers
        await runner.cleanup()

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = FILES[request.path]
        text = resources.files(__package__).joinpath(name).read_text("utf-8")
        return web.Response(text=text, content_type=kind, charset="utf-8")

    @contextlib.asynccontextmanager
    async def _watch(self) -> AsyncIterator[None]:
        if self._watching >= self._viewers:
            raise web.HTTPServiceUnavailable(text="too many viewers: sink.web.max_viewers\n")
        self._watching += 1
        self.pictures.watch(True)
        try:
            yield
        finally:
            self._watching -= 1
            self.pictures.watch(self._watching > 0)

    async def _new(self, seen: int) -> bool:
        """Wait for a picture after `seen`; False at the end."""
        while self._number == seen and not self._ended:
            await self._news.wait()
        return self._number != seen

    async def _send(self, request: web.Request, to: web.StreamResponse, data: bytes) -> None:
        """Send; a viewer that does not read is dropped."""
        try:
            await asyncio.wait_for(to.write(data), self._patience)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError from None

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        async with self._watch():
            to = web.StreamResponse()
            to.content_type = "multipart/x-mixed-replace; boundary=frame"
            await to.prepare(request)
            await self._send(request, to, PART)
            seen = 0
            with contextlib.suppress(ConnectionError):
                while await self._new(seen):
                    seen = self._number
                    # The boundary after a picture is what makes browsers show it.
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(self._jpeg)}\r\n\r\n"
                    await self._send(request, to, head.encode() + self._jpeg + b"\r\n" + PART)
            return to

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._listening >= self._viewers:
            raise web.HTTPServiceUnavailable(text="too many viewers: sink.web.max_viewers\n")
        self._listening += 1
        to = web.StreamResponse()
        to.content_type = "text/event-stream"
        try:
            await to.prepare(request)
            while not self._ended:
                await self._send(request, to, self._message("figures"))
                await asyncio.sleep(PERIOD)
            await self._send(request, to, self._message("end"))
        except ConnectionError:
            pass
        finally:
            self._listening -= 1
        return to

    def _message(self, name: str) -> bytes:
        data = json.dumps(self._figures.snapshot() | {"viewers": self._watching})
        return f"event: {name}\ndata: {data}\n\n".encode()

    async def _snapshot(self, _: web.Request) -> web.Response:
        async with self._watch():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._new(self._number), 2)
            if not self._jpeg:
                raise web.HTTPServiceUnavailable(text="there is no picture yet\n")
            return web.Response(body=self._jpeg, content_type="image/jpeg")

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _metrics(self, _: web.Request) -> web.Response:
        of = self._figures.snapshot()
        lines = [
            f"# TYPE vidan_{name} {kind}\nvidan_{name} {value}"
            for name, kind, value in (
                ("frames_total", "counter", of["frames"]),
                ("skipped_frames_total", "counter", of["skipped"]),
                ("frames_per_second", "gauge", of["fps"]),
                ("age_seconds", "gauge", "NaN" if of["age"] is None else of["age"]),
                ("viewers", "gauge", self._watching),
            )
        ]
        for name, kind, key in (("objects", "gauge", "now"), ("objects_total", "counter", "total")):
            lines.append(f"# TYPE vidan_{name} {kind}")
            lines += [f"vidan_{name}{{label={json.dumps(k)}}} {n}" for k, n in of[key].items()]
        return web.Response(text="\n".join(lines) + "\n", content_type="text/plain")
