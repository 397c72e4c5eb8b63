"""Request handlers of the heat map."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from .file import HeatMap, HeatMapFile

HEAT_MAP_ROUTES = (
    ("GET", "heatmap.json", "about"),
    ("GET", "heatmap.png", "overlay"),
    ("GET", "still.jpg", "still"),
)
"""Method, path and handler."""

T = TypeVar("T")


class HeatMapRoutes:
    """What a page asks about the heat map.

    Args:
        file: that the analyzer writes.

    Attributes:
        file: as given.
    """

    def __init__(self, file: HeatMapFile) -> None:
        self.file = file

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the handlers."""
        for method, name, handler in HEAT_MAP_ROUTES:
            router.add_route(method, f"/{name}", getattr(self, handler))

    async def about(self, request: web.Request) -> web.Response:
        """Its labels and its scale: of the label `label`, or of all."""
        label = request.query.get("label") or None
        return web.json_response(await self._ask(lambda found: found.about(label)))

    async def overlay(self, request: web.Request) -> web.Response:
        """The map as an image, of the label `label`, or of all."""
        label = request.query.get("label") or None
        body = await self._ask(lambda found: found.overlay(label))
        return web.Response(body=body, content_type="image/png")

    async def still(self, _: web.Request) -> web.Response:
        """An image of the scene."""
        body = await self._ask(lambda found: found.still)
        if not body:
            raise web.HTTPNotFound(text="there is no image\n")
        return web.Response(body=body, content_type="image/jpeg")

    async def _ask(self, answer: Callable[[HeatMap], T]) -> T:
        """What a function answers, called in a thread.

        Raises:
            HTTPNotFound: there is no heat map yet.
        """

        def read() -> T | None:
            found = self.file.read()
            return None if found is None else answer(found)

        result = await asyncio.to_thread(read)
        if result is None:
            raise web.HTTPNotFound(text="there is no heat map yet\n")
        return result
