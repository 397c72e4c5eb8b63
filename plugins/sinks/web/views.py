"""What can be asked for: the page, its web socket, images and figures for programs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable
from importlib import resources

from aiohttp import WSCloseCode, web

from .viewer_hub import ViewerHub

FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
PART = b"--frame\r\n"

STALLED = 10.0
"""Seconds without an image after which the run is not well."""

LONGEST_MESSAGE = 64
"""Bytes of what a viewer may send at once: it only says that it wants the next image."""


class Views:
    """The handlers of requests.

    Args:
        screen: what they show.
        patience: seconds after which a viewer that does not read is dropped.
    """

    def __init__(self, screen: ViewerHub, patience: float) -> None:
        self._hub, self._patience = screen, patience

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Say who answers what."""
        for path in FILES:
            router.add_get(path, self._file)
        router.add_get("/view", self._view, allow_head=False)
        router.add_get("/stream.mjpg", self._stream, allow_head=False)
        router.add_get("/snapshot.jpg", self._snapshot, allow_head=False)
        router.add_get("/healthz", self._health)
        router.add_get("/metrics", self._metrics)

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = FILES[request.path]
        text = resources.files(__package__).joinpath(name).read_text("utf-8")
        return web.Response(text=text, content_type=kind, charset="utf-8")

    async def _send(self, request: web.Request, sending: Awaitable[None]) -> None:
        """Send; a viewer that does not read is dropped.

        Raises:
            ConnectionError: it is gone.
        """
        try:
            async with asyncio.timeout(self._patience):  # `wait_for` may lose a cancellation
                await sending
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError from None

    async def _view(self, request: web.Request) -> web.StreamResponse:
        """The page's web socket: figures as text, and an image each time it says it is ready.

        So that none is under way that waits for others, however slow the network is.
        """
        socket = web.WebSocketResponse(
            timeout=1, heartbeat=self._patience, max_msg_size=LONGEST_MESSAGE, compress=False
        )
        await socket.prepare(request)
        if self._hub.full:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many viewers")
            return socket
        ready = asyncio.Event()
        with self._hub.seat():
            listening = asyncio.create_task(self._listen(socket, ready))
            telling = asyncio.create_task(self._tell(request, socket))
            showing = asyncio.create_task(self._show(request, socket, ready))
            try:
                await asyncio.wait({listening, telling}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end(listening, telling, showing)
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the run has ended")
        return socket

    @staticmethod
    async def _listen(socket: web.WebSocketResponse, ready: asyncio.Event) -> None:
        """Hear that the next image is wanted, until the viewer is gone."""
        async for _ in socket:
            ready.set()

    async def _show(
        self, request: web.Request, socket: web.WebSocketResponse, ready: asyncio.Event
    ) -> None:
        seen = 0
        while not self._hub.over.is_set():
            await ready.wait()
            ready.clear()
            before, seen = seen, await self._hub.after(seen)
            if seen != before:
                await self._send(request, socket.send_bytes(self._hub.jpeg))

    async def _tell(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        async for message in self._hub.messages():
            if self._hub.over.is_set() and self._hub.jpeg:
                await self._send(request, socket.send_bytes(self._hub.jpeg))
            await self._send(request, socket.send_str(message))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Motion JPEG, for players and other programs."""
        with self._hub.seat():
            to = web.StreamResponse()
            to.content_type = "multipart/x-mixed-replace; boundary=frame"
            await to.prepare(request)
            seen = 0
            with contextlib.suppress(ConnectionError):
                await self._send(request, to.write(PART))
                while (number := await self._hub.after(seen)) != seen:
                    seen, jpeg = number, self._hub.jpeg
                    # The boundary behind an image is what makes browsers show it.
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    part = b"".join((head.encode(), jpeg, b"\r\n", PART))
                    await self._send(request, to.write(part))
            return to

    async def _snapshot(self, _: web.Request) -> web.Response:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._hub.after(0)
        if not self._hub.jpeg:
            raise web.HTTPServiceUnavailable(text="there is no picture yet\n")
        return web.Response(body=self._hub.jpeg, content_type="image/jpeg")

    async def _health(self, _: web.Request) -> web.Response:
        age = self._hub.live_stats.age
        status = "waiting" if age is None else "stalled" if age > STALLED else "ok"
        return web.json_response({"status": status})

    async def _metrics(self, _: web.Request) -> web.Response:
        """See https://prometheus.io/docs/instrumenting/exposition_formats."""
        of = self._hub.live_stats.snapshot()
        lines = [
            f"# TYPE vidan_{name} {kind}\nvidan_{name} {value}"
            for name, kind, value in (
                ("frames_total", "counter", of["frames"]),
                ("dropped_frames_total", "counter", of["dropped"]),
                ("skipped_frames_total", "counter", of["skipped"]),
                ("frames_per_second", "gauge", of["fps"]),
                ("age_seconds", "gauge", "NaN" if of["age"] is None else of["age"]),
                ("viewers", "gauge", self._hub.viewers),
            )
        ]
        for name, kind, key in (("objects", "gauge", "now"), ("objects_total", "counter", "total")):
            lines.append(f"# TYPE vidan_{name} {kind}")
            lines += [f"vidan_{name}{{label={_quoted(k)}}} {n}" for k, n in of[key].items()]
        text = "\n".join(lines) + "\n"
        return web.Response(
            body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancel them; what ended one before, other than that the viewer is gone, is raised."""
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception) and not isinstance(ended, ConnectionError):
            raise ended


def _quoted(label: str) -> str:
    """A label's value: quotes, backslashes and line ends escaped, nothing else."""
    return json.dumps(label, ensure_ascii=False)
