"""The server: a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable

from aiohttp import web

from .access import BadRequests, add_headers, guard
from .jpeg import JpegEncoder
from .live_stats import LiveStats
from .viewer_hub import ViewerHub
from .views import Views

log = logging.getLogger(__name__)
log.addFilter(BadRequests())

CONNECTIONS = 8
"""Connections that each viewer may have: browsers open up to 6 to load a page."""

SPARE = 16
"""Connections beside the viewers', for `/metrics` and the like."""

UNSENT = 128 * 2**10
"""Bytes that the system holds back for a viewer, so that a slow one sees nothing old."""

LAST_WORDS = 1.0
"""Seconds that viewers have to hear of the end."""


class Server:
    """Serves the page, images and figures until it is closed.

    Args:
        bound: socket that listens.
        figures: beside the image.
        width: of the largest image, px.
        quality: of JPEG, 1 to 100.
        token: that viewers must know; None if none is demanded.
        viewers: at the same time.
        patience: seconds after which one who does not read, or does not ask, is dropped.
        tls: for HTTPS; None for HTTP.
    """

    def __init__(
        self,
        bound: socket.socket,
        live_stats: LiveStats,
        width: int,
        quality: int,
        token: str | None,
        viewers: int,
        patience: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._bound, self._tls, self._patience = bound, tls, patience
        self._limit = CONNECTIONS * viewers + SPARE
        self._connecting: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self.encoder = JpegEncoder(width, quality, self._take)
        self._hub = ViewerHub(live_stats, self.encoder, viewers)
        port = bound.getsockname()[1]
        self._app = web.Application(
            middlewares=[guard(token, port, secure=tls is not None)], client_max_size=1024
        )
        self._app.on_response_prepare.append(add_headers)
        Views(self._hub, patience).add_to(self._app.router)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="vidan-web", daemon=True)
        self._thread.start()

    @property
    def error(self) -> BaseException | None:
        """What went wrong, if anything did."""
        return self._failure or self.encoder.error

    @property
    def viewers(self) -> int:
        """How many there are."""
        return self._hub.viewers

    def close(self) -> None:
        """Show the last image, tell the viewers that the run is over, let go of the port.

        Takes some seconds at most, whatever viewers do; a second call does nothing.
        """
        self.encoder.close(finish=self.viewers > 0)
        self._call(self._hub.end)
        self._thread.join(2 * LAST_WORDS + 3)

    def _take(self, jpeg: bytes) -> None:
        self._call(self._hub.take, jpeg)

    def _call(self, what: Callable[..., None], *arguments: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is over
            self._loop.call_soon_threadsafe(what, *arguments)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception as error:
            self._failure = error
        finally:
            self._bound.close()

    async def _serve(self) -> None:
        runner = web.AppRunner(
            self._app,
            access_log=None,
            logger=log,
            handler_cancellation=True,  # so that who is gone leaves the seat at once
            keepalive_timeout=self._patience,
            lingering_time=0,
            shutdown_timeout=LAST_WORDS / 2,
        )
        await runner.setup()
        assert runner.server is not None
        accepting = asyncio.create_task(self._accept(runner.server))
        over = asyncio.create_task(self._hub.over.wait())
        await asyncio.wait({accepting, over}, return_when=asyncio.FIRST_COMPLETED)
        if accepting.done():
            accepting.result()
        accepting.cancel()
        await self._wait_for_viewers()
        for connection in runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()

    async def _wait_for_viewers(self) -> None:
        """Until they have heard of the end, LAST_WORDS s at most."""
        until = time.monotonic() + LAST_WORDS
        while self._hub.viewers and time.monotonic() < until:
            await asyncio.sleep(0.02)

    async def _accept(self, server: web.Server) -> None:
        """Take connections, as many as are good for the rest of the run."""
        self._bound.setblocking(False)
        with contextlib.suppress(AttributeError):  # not on Windows
            self._bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._bound)
            except OSError as error:  # one is gone already, or there are no descriptors left
                log.debug("cannot accept: %s", error)
                await asyncio.sleep(0.1)
                continue
            if len(server.connections) + len(self._connecting) >= self._limit:
                connection.close()
                continue
            task = asyncio.create_task(self._connect(server, connection))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, server: web.Server, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                server,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=self._patience if self._tls else None,
                ssl_shutdown_timeout=LAST_WORDS if self._tls else None,
            )
        except OSError as error:  # also of TLS
            log.debug("cannot connect: %s", error)
