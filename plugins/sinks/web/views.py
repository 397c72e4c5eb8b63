"""Request handlers: the page, its web socket, images, and metrics for other programs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from importlib import resources

from aiohttp import WSCloseCode, web

from ..http.metrics import STALLED_AFTER_S, Metrics
from .editor.routes import EditorRoutes
from .live_scene import LiveScene
from .viewer_hub import ViewerHub

FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

BOUNDARY = b"--frame\r\n"
"""Separates the images of a Motion JPEG stream."""

SNAPSHOT_TIMEOUT_S = 2.0
"""Longest wait of `/snapshot.jpg` for a newer image."""

MAX_MESSAGE_BYTES = 64
"""Longest message of a viewer, which only requests the next image."""


class Views:
    """The request handlers.

    Args:
        hub: provides images and statistics.
        metrics: for Prometheus.
        timeout: s after which a viewer that does not read is disconnected.
        scene: that may be edited; None for none.
    """

    def __init__(
        self, hub: ViewerHub, metrics: Metrics, timeout: float, scene: LiveScene | None = None
    ) -> None:
        self._hub, self._metrics, self._timeout, self._scene = hub, metrics, timeout, scene

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the handlers."""
        for path in FILES:
            router.add_get(path, self._file)
        router.add_get("/view", self._view, allow_head=False)
        router.add_get("/stream.mjpg", self._stream, allow_head=False)
        router.add_get("/snapshot.jpg", self._snapshot, allow_head=False)
        router.add_get("/healthz", self._health)
        self._metrics.add_to(router)
        if self._scene is not None:
            scene = self._scene
            EditorRoutes(scene.file, scene, scene.apply, live=True).add_to(router)

    async def _file(self, request: web.Request) -> web.Response:
        name, content_type = FILES[request.path]
        text = resources.files(__package__).joinpath(name).read_text("utf-8")
        return web.Response(text=text, content_type=content_type, charset="utf-8")

    async def send(self, request: web.Request, sending: Awaitable[None]) -> None:
        """Await `sending`; disconnect a viewer that does not read.

        Raises:
            ConnectionError: the viewer is disconnected.
        """
        try:
            async with asyncio.timeout(self._timeout):  # `wait_for` may lose a cancellation
                await sending
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError from None

    async def _view(self, request: web.Request) -> web.StreamResponse:
        """The web socket of the page: statistics as text, and an image for each request.

        At most one image is in transit, so no stale images queue up in a slow network.
        """
        socket = web.WebSocketResponse(
            timeout=1, heartbeat=self._timeout, max_msg_size=MAX_MESSAGE_BYTES, compress=False
        )
        await socket.prepare(request)
        if self._hub.full:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many viewers")
            return socket
        requested = asyncio.Event()
        with self._hub.viewer():
            receiving = asyncio.create_task(self._receive_requests(socket, requested))
            sending_stats = asyncio.create_task(self._send_stats(request, socket))
            sending_images = asyncio.create_task(self._send_images(request, socket, requested))
            try:
                await asyncio.wait({receiving, sending_stats}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _cancel(receiving, sending_stats, sending_images)
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the run has ended")
        return socket

    @staticmethod
    async def _receive_requests(socket: web.WebSocketResponse, requested: asyncio.Event) -> None:
        """Set `requested` for each message of the viewer, until it disconnects."""
        async for _ in socket:
            requested.set()

    async def _send_images(
        self, request: web.Request, socket: web.WebSocketResponse, requested: asyncio.Event
    ) -> None:
        seen = 0
        while not self._hub.ended.is_set():
            await requested.wait()
            requested.clear()
            before, seen = seen, await self._hub.newer_than(seen)
            if seen != before:
                await self.send(request, socket.send_bytes(self._hub.jpeg))

    async def _send_stats(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        async for message in self._hub.messages():
            if self._hub.ended.is_set() and self._hub.jpeg:
                await self.send(request, socket.send_bytes(self._hub.jpeg))
            await self.send(request, socket.send_str(message))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Motion JPEG, for players and other programs."""
        with self._hub.viewer():
            response = web.StreamResponse()
            response.content_type = "multipart/x-mixed-replace; boundary=frame"
            await response.prepare(request)
            seen = 0
            with contextlib.suppress(ConnectionError):
                await self.send(request, response.write(BOUNDARY))
                while (number := await self._hub.newer_than(seen)) != seen:
                    seen, jpeg = number, self._hub.jpeg
                    # Browsers show an image only when they receive the boundary after it.
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    part = b"".join((head.encode(), jpeg, b"\r\n", BOUNDARY))
                    await self.send(request, response.write(part))
            return response

    async def _snapshot(self, _: web.Request) -> web.Response:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SNAPSHOT_TIMEOUT_S):
                await self._hub.newer_than(0)
        if not self._hub.jpeg:
            raise web.HTTPServiceUnavailable(text="there is no image yet\n")
        return web.Response(body=self._hub.jpeg, content_type="image/jpeg")

    async def _health(self, _: web.Request) -> web.Response:
        age = self._hub.live_stats.age
        status = "waiting" if age is None else "stalled" if age > STALLED_AFTER_S else "ok"
        return web.json_response({"status": status})


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    """Cancel the tasks and raise the error of any that failed, other than a lost connection."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
            raise outcome
