"""Serves the pages, images and statistics of one or several streams."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ..http.endpoint import Endpoint
from ..http.metrics import Metrics
from ..http.server import HttpServer
from ..http.shared import SharedServers
from .editor.routes import EDITOR_ROUTES
from .heat_map.routes import HEAT_MAP_ROUTES
from .history.routes import HISTORY_ROUTES
from .live_stream import LiveStream
from .pages import SHARED, page_file

CONNECTIONS_PER_VIEWER = 8
"""Browsers open up to 6 connections to load a page."""

SPARE_CONNECTIONS = 16
"""Connections beside those of viewers, for `/metrics` and the like."""

FILES = (*SHARED, "page.js", "wall.css", "wall.js")
"""Beside the pages."""

STREAM_ROUTES: dict[str, Callable[[LiveStream], Callable[[web.Request], Awaitable[Any]]]] = {
    "view": lambda stream: stream.views.view,
    "stream.mjpg": lambda stream: stream.views.motion_jpeg,
    "snapshot.jpg": lambda stream: stream.views.snapshot,
    "thumbnail.jpg": lambda stream: stream.views.thumbnail,
    "results.json": lambda stream: stream.views.results,
    "healthz": lambda stream: stream.views.health,
}
"""What is served for each stream: at the root for the first one, and at `streams/<name>/`."""

ENDLESS = ("view", "stream.mjpg")
"""Routes without an answer to HEAD: theirs to GET ends with the stream."""

PARTS = {
    "editor": (EDITOR_ROUTES, "the scene cannot be edited: sink.web.edit=true"),
    "heat_map": (HEAT_MAP_ROUTES, "there is no heat map: analytics=[heatmap]"),
    "history": (HISTORY_ROUTES, "there is no history: sink.web.history=true"),
}
"""Parts that a stream may have, by attribute: what they serve, and what is said without them."""


class Server:
    """Serves the streams that are added, until it is closed.

    Args:
        endpoint: where it listens, and who has access.
        max_viewers: maximum number of simultaneous viewers of each stream.
        timeout: time, s, after which a client that does not read or request is disconnected.

    Attributes:
        metrics: for Prometheus.
    """

    def __init__(self, endpoint: Endpoint, max_viewers: int, timeout: float) -> None:
        self.port, self.url = endpoint.port, endpoint.url
        self.metrics = Metrics()
        self.metrics.add_gauge("viewers", lambda: sum(s.viewers for s in self._streams.values()))
        self._streams: dict[str, LiveStream] = {}
        self._http = HttpServer(
            endpoint,
            self._add_routes,
            name="vidan-web",
            max_connections=CONNECTIONS_PER_VIEWER * max_viewers + SPARE_CONNECTIONS,
            timeout=timeout,
            before_close=self._wait_for_viewers,
        )

    @property
    def error(self) -> BaseException | None:
        """What failed in the server, if anything."""
        return self._http.error

    @property
    def running(self) -> bool:
        """Whether the server thread is alive."""
        return self._http.running

    def call(self, function: Callable[..., None], *arguments: bytes) -> None:
        """Call a function in the thread of the server, soon; not after the end."""
        self._http.call(function, *arguments)

    def add(self, stream: LiveStream) -> None:
        """Serve a stream; another one of its name is replaced."""
        self._streams[stream.name] = stream

    def close(self) -> None:
        """Release the port. Takes a few seconds at most, whatever the viewers do."""
        self._http.close()

    async def _wait_for_viewers(self) -> None:
        await asyncio.gather(*(stream.hub.wait_for_viewers() for stream in self._streams.values()))

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/", self._root)
        router.add_get("/streams.json", self._list)
        for prefix in ("", "/streams/{stream}"):
            for name in FILES:
                router.add_get(f"{prefix}/{name}", self._file)
            for name, of in STREAM_ROUTES.items():
                router.add_get(
                    f"{prefix}/{name}", self._of_stream(of), allow_head=name not in ENDLESS
                )
            for part, (routes, missing) in PARTS.items():
                for method, name, handler in routes:
                    found = self._of_part(part, missing, handler)
                    router.add_route(method, f"{prefix}/{name}", found)
        router.add_get("/streams/{stream}/", self._page)
        self.metrics.add_to(router)

    def _stream(self, request: web.Request) -> LiveStream:
        """The stream of a request.

        Raises:
            HTTPNotFound: there is none of that name.
        """
        name = request.match_info.get("stream")
        with contextlib.suppress(KeyError, StopIteration):
            return self._streams[name] if name is not None else next(iter(self._streams.values()))
        raise web.HTTPNotFound(text="there is no such stream\n")

    def _of_stream(
        self, of: Callable[[LiveStream], Callable[[web.Request], Awaitable[Any]]]
    ) -> Callable[[web.Request], Awaitable[Any]]:
        async def handle(request: web.Request) -> Any:
            return await of(self._stream(request))(request)

        return handle

    def _of_part(
        self, part: str, missing: str, handler: str
    ) -> Callable[[web.Request], Awaitable[Any]]:
        async def handle(request: web.Request) -> Any:
            found = getattr(self._stream(request), part)
            if found is None:
                raise web.HTTPNotFound(text=f"{missing}\n")
            return await getattr(found, handler)(request)

        return handle

    async def _root(self, request: web.Request) -> web.Response:
        """The wall of several streams, or the page of the only one."""
        return page_file("wall.html") if len(self._streams) > 1 else await self._page(request)

    async def _page(self, request: web.Request) -> web.Response:
        return await self._stream(request).views.page(request)

    async def _file(self, request: web.Request) -> web.Response:
        return page_file(request.path.rpartition("/")[2])

    async def _list(self, _: web.Request) -> web.Response:
        """State of each stream, in the order of the configuration."""
        return web.json_response([stream.state() for stream in self._streams.values()])


SERVERS: SharedServers[Server] = SharedServers()
