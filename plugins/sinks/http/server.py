"""An HTTP server: a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from .access import BadRequestFilter, access_control, add_security_headers
from .endpoint import Endpoint

log = logging.getLogger(__name__)
log.addFilter(BadRequestFilter())

MAX_UNSENT_BYTES = 128 * 2**10
"""Data that the system buffers for each client; more would delay the images of slow viewers."""

CLOSE_TIMEOUT_S = 1.0
"""Time for clients to receive the end of the run."""


async def _nothing() -> None:
    """What is waited for at the end by default."""


class HttpServer:
    """Serves requests until it is closed.

    Args:
        endpoint: where it listens, and who has access.
        add_routes: registers the request handlers, which run in the thread of the server.
        name: of the thread.
        max_connections: at a time; a new one replaces the oldest that has not sent a request.
        timeout: time, s, after which a client that does not read or request is disconnected.
        before_close: awaited at the end, before the connections are closed.

    Attributes:
        error: what failed in the server, if anything.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        add_routes: Callable[[web.UrlDispatcher], None],
        *,
        name: str,
        max_connections: int,
        timeout: float,
        before_close: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self.error: Exception | None = None
        self._listener, self._tls, self._timeout = endpoint.listener, endpoint.tls, timeout
        self._max_connections, self._before_close = max_connections, before_close
        self._connecting: dict[asyncio.Task[None], web.RequestHandler] = {}
        self._unserved: dict[asyncio.BaseTransport, None] = {}  # in the order of their arrival
        self._ended = asyncio.Event()
        self._app = web.Application(
            middlewares=[
                access_control(
                    endpoint.token, endpoint.port, endpoint.tls is not None, self._served
                )
            ],
            client_max_size=1024,
        )
        self._app.on_response_prepare.append(add_security_headers)
        add_routes(self._app.router)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread.is_alive()

    def call(self, function: Callable[..., None], *arguments: bytes) -> None:
        """Call a function in the thread of the server, soon; not after the end."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *arguments)

    def close(self) -> None:
        """Release the port. Takes a few seconds at most; a second call does nothing."""
        self.call(self._ended.set)
        self._thread.join(2 * CLOSE_TIMEOUT_S + 3)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception as error:
            self.error = error
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
        ended = asyncio.create_task(self._ended.wait())
        await asyncio.wait({accepting, ended}, return_when=asyncio.FIRST_COMPLETED)
        if accepting.done():
            accepting.result()
        accepting.cancel()
        await self._before_close()
        for connection in runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()

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
            # The task of a connection may not have ended yet when the server knows it.
            count = len({*server.connections, *self._connecting.values()})
            if count >= self._max_connections and not self._make_room():
                connection.close()
                continue
            handler = server()
            task = asyncio.create_task(self._connect(handler, connection))
            self._connecting[task] = handler
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

    async def _connect(self, handler: web.RequestHandler, connection: socket.socket) -> None:
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: handler,
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
