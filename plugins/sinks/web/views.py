"""Request handlers of a stream: the page, its web socket, and images."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable

from aiohttp import WSCloseCode, WSMsgType, web

from ..http.metrics import STALLED_AFTER_S
from ..jsonl import record
from .choices import parsed
from .pages import page_file
from .viewer_hub import Viewer, ViewerHub

BOUNDARY = b"--frame\r\n"
"""Separates the images of a Motion JPEG stream."""

SNAPSHOT_TIMEOUT_S = 2.0
"""Longest wait of `/snapshot.jpg` for a newer image."""

MAX_MESSAGE_BYTES = 64
"""Longest message of a viewer: `next`, or `show` and what it chooses to see."""


class Views:
    """The request handlers of one stream.

    Args:
        hub: provides images and statistics.
        timeout: s after which a viewer that does not read is disconnected.
    """

    def __init__(self, hub: ViewerHub, timeout: float) -> None:
        self._hub, self._timeout = hub, timeout

    async def page(self, _: web.Request) -> web.Response:
        """The page of the stream."""
        return page_file("page.html")

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

    async def view(self, request: web.Request) -> web.StreamResponse:
        """The web socket of the page: statistics as text, and an image for each request.

        The message `next` requests an image; `show boxes labels trails`, or some of them, tells
        what is to be drawn from now on. At most one image is in transit, so no stale images queue
        up in a slow network.
        """
        socket = web.WebSocketResponse(
            timeout=1, heartbeat=self._timeout, max_msg_size=MAX_MESSAGE_BYTES, compress=False
        )
        await socket.prepare(request)
        if self._hub.full:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many viewers")
            return socket
        requested = asyncio.Event()
        with self._hub.viewer() as viewer:
            receiving = asyncio.create_task(self._receive(socket, viewer, requested))
            sending_stats = asyncio.create_task(self._send_stats(request, socket, viewer))
            images = self._send_images(request, socket, viewer, requested)
            sending_images = asyncio.create_task(images)
            try:
                await asyncio.wait({receiving, sending_stats}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _cancel(receiving, sending_stats, sending_images)
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the run has ended")
        return socket

    async def _receive(
        self, socket: web.WebSocketResponse, viewer: Viewer, requested: asyncio.Event
    ) -> None:
        """Set `requested` and the choice of the viewer as it asks, until it disconnects."""
        async for message in socket:
            words = message.data.split() if message.type is WSMsgType.TEXT else []
            if words[:1] == ["show"]:
                self._hub.choose(viewer, parsed(words[1:]))
            else:
                requested.set()

    async def _send_images(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        viewer: Viewer,
        requested: asyncio.Event,
    ) -> None:
        seen = 0
        while not self._hub.ended.is_set():
            await requested.wait()
            requested.clear()
            before, seen = seen, await self._hub.newer_than(seen, viewer)
            if seen != before:
                await self.send(request, socket.send_bytes(self._hub.jpeg(viewer)))

    async def _send_stats(
        self, request: web.Request, socket: web.WebSocketResponse, viewer: Viewer
    ) -> None:
        async for message in self._hub.messages():
            if self._hub.ended.is_set() and (last := self._hub.jpeg(viewer)):
                await self.send(request, socket.send_bytes(last))
            await self.send(request, socket.send_str(message))

    async def motion_jpeg(self, request: web.Request) -> web.StreamResponse:
        """Motion JPEG, for players and other programs."""
        with self._hub.viewer() as viewer:
            response = web.StreamResponse()
            response.content_type = "multipart/x-mixed-replace; boundary=frame"
            await response.prepare(request)
            seen = 0
            with contextlib.suppress(ConnectionError):
                await self.send(request, response.write(BOUNDARY))
                while (number := await self._hub.newer_than(seen, viewer)) != seen:
                    seen, jpeg = number, self._hub.jpeg(viewer)
                    # Browsers show an image only when they receive the boundary after it.
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    part = b"".join((head.encode(), jpeg, b"\r\n", BOUNDARY))
                    await self.send(request, response.write(part))
            return response

    async def snapshot(self, _: web.Request) -> web.Response:
        """The newest image, with drawings."""
        viewer = self._hub.new_viewer()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SNAPSHOT_TIMEOUT_S):
                await self._hub.newer_than(0, viewer)
        jpeg = self._hub.jpeg(viewer)
        if not jpeg:
            raise web.HTTPServiceUnavailable(text="there is no image yet\n")
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def thumbnail(self, _: web.Request) -> web.Response:
        """A small image, at most THUMBNAIL_AGE_S old."""
        jpeg = await self._hub.thumbnail()
        if jpeg is None:
            raise web.HTTPServiceUnavailable(text="there is no image yet\n")
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def results(self, _: web.Request) -> web.Response:
        """Detections and tracks of the newest frame, as `sink=jsonl` writes them."""
        newest = self._hub.newest
        if newest is None:
            raise web.HTTPServiceUnavailable(text="there is no image yet\n")
        return web.json_response(record(newest))

    async def health(self, _: web.Request) -> web.Response:
        """Whether images arrive."""
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
