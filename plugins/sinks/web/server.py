"""The HTTP server: a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial

from aiohttp import web

from .access import BadRequestFilter, access_control, add_security_headers
from .jpeg import JpegEncoder
from .live_stats import LiveStats
from .viewer_hub import ViewerHub
from .views import Views

log = logging.getLogger(__name__)
log.addFilter(BadRequestFilter())

CONNECTIONS_PER_VIEWER = 8
"""Browsers open up to 6 connections to load a page."""

SPARE_CONNECTIONS = 16
"""Connections beside those of viewers, for `/metrics` and the like."""

MAX_UNSENT_BYTES = 128 * 2**10
"""Data that the system buffers for each viewer; more would delay the images of slow viewers."""

CLOSE_TIMEOUT_S = 1.0
"""Time for viewers to receive the end of the run."""


class Server:
    """Serves the page, images and statistics until it is closed.

    Args:
        listener: socket that listens.
        live_stats: shown beside the image.
        width: maximum width of the image, px.
        quality: JPEG quality, 1 to 100.
        token: secret that viewers must present; None for no token.
        max_viewers: maximum number of simultaneous viewers.
        timeout: time, s, after which a client that does not read or request is disconnected.
        tls: for HTTPS; None for HTTP.

    Attributes:
        encoder: encodes the results submitted to it.
    """

    def __init__(
        self,
        listener: socket.socket,
        live_stats: LiveStats,
        width: int,
        quality: int,
        token: str | None,
        max_viewers: int,
        timeout: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._listener, self._tls, self._timeout = listener, tls, timeout
        self._max_connections = CONNECTIONS_PER_VIEWER * max_viewers + SPARE_CONNECTIONS
        self._connecting: dict[asyncio.Task[None], None] = {}
        self._unserved: dict[asyncio.BaseTransport, None] = {}  # in the order of their arrival
        self._failure: BaseException | None = None
        self.encoder = JpegEncoder(width, quality, self._publish)
        self._hub = ViewerHub(live_stats, self.encoder, max_viewers)
        port = listener.getsockname()[1]
        self._app = web.Application(
            middlewares=[access_control(token, port, tls is not None, self._served)],
            client_max_size=1024,
        )
        self._app.on_response_prepare.append(add_security_headers)
        Views(self._hub, timeout).add_to(self._app.router)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="vidan-web", daemon=True)
        self._thread.start()

    @property
    def error(self) -> BaseException | None:
        """What failed in the server or in the encoder, if anything."""
        return self._failure or self.encoder.error

    @property
    def viewers(self) -> int:
        """Number of viewers."""
        return self._hub.viewers

    @property
    def images(self) -> int:
        """Number of images that were encoded for viewers."""
        return self._hub.number

    @property
    def running(self) -> bool:
        """Whether the server thread is alive."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Send the last image and the end of the run to the viewers, and release the port.

        Takes a few seconds at most, whatever the viewers do; a second call does nothing.
        """
        self.encoder.close(finish=self.viewers > 0)
        self._call(self._hub.end)
        self._thread.join(2 * CLOSE_TIMEOUT_S + 3)

    def _publish(self, jpeg: bytes) -> None:
        self._call(self._hub.publish, jpeg)

    def _call(self, function: Callable[..., None], *arguments: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *arguments)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception as error:
            self._failure = error
        finally:
            self._listener.close()

    async def _serve(self) -> None:
        runner = web.AppRunner(
            self._app,
            access_log=None,
            logger=log,
            handler_cancellation=True,  # a viewer that disconnects is no longer counted, at once
            keepalive_timeout=self._timeout,
            lingering_time=0,
            shutdown_timeout=CLOSE_TIMEOUT_S / 2,
        )
        await runner.setup()
        assert runner.server is not None
        accepting = asyncio.create_task(self._accept(runner.server))
        ended = asyncio.create_task(self._hub.ended.wait())
        await asyncio.wait({accepting, ended}, return_when=asyncio.FIRST_COMPLETED)
        if accepting.done():
            accepting.result()
        accepting.cancel()
        await self._wait_for_viewers()
        for connection in runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()

    async def _wait_for_viewers(self) -> None:
        """Wait up to CLOSE_TIMEOUT_S until all viewers have received the end of the run."""
        deadline = time.monotonic() + CLOSE_TIMEOUT_S
        while self._hub.viewers and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def _accept(self, server: web.Server) -> None:
        """Accept connections up to the limit, and close those beyond."""
        self._listener.setblocking(False)
        with contextlib.suppress(AttributeError):  # not on Windows
            self._listener.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES
            )
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._listener)
            except OSError as error:  # the client is gone, or there are no descriptors left
                log.debug("cannot accept: %s", error)
                await asyncio.sleep(0.1)
                continue
            count = len(server.connections) + len(self._connecting)
            if count >= self._max_connections and not self._make_room():
                connection.close()
                continue
            task = asyncio.create_task(self._connect(server, connection))
            self._connecting[task] = None
            task.add_done_callback(partial(self._connected, connection))

    def _make_room(self) -> bool:
        """Close the oldest connection that has not sent a request with access; False if none.

        Otherwise connections that send nothing, or only a part of a request, would lock others out.
        """
        while self._unserved:
            transport = next(iter(self._unserved))
            del self._unserved[transport]
            if not transport.is_closing():
                assert isinstance(transport, asyncio.Transport)
                transport.abort()
                return True
        for task in self._connecting:  # in its TLS handshake
            task.cancel()
            return True
        return False

    def _served(self, request: web.Request) -> None:
        """Keep the connection of a request that has access."""
        if request.transport is not None:
            self._unserved.pop(request.transport, None)

    def _connected(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        del self._connecting[task]
        try:
            task.result()
        except asyncio.CancelledError:
            connection.close()

    async def _connect(self, server: web.Server, connection: socket.socket) -> None:
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                server,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=self._timeout if self._tls else None,
                ssl_shutdown_timeout=CLOSE_TIMEOUT_S if self._tls else None,
            )
        except OSError as error:  # includes TLS errors
            log.debug("cannot connect: %s", error)
            return
        self._unserved[transport] = None
        if len(self._unserved) > self._max_connections:
            self._unserved = {t: None for t in self._unserved if not t.is_closing()}
