"""Request handlers of the scene editor."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from aiohttp import web

from vidan.errors import ConfigError

from ..pages import add_shared, page_file
from .scene_file import ConflictError, SceneFile

MAX_SCENE_BYTES = 256 * 2**10
"""Longest scene that is accepted."""

EDITOR_ROUTES = (
    ("GET", "edit", "page"),
    ("GET", "editor.css", "asset"),
    ("GET", "editor.js", "asset"),
    ("GET", "scene.json", "read"),
    ("PUT", "scene.json", "replace"),
    ("GET", "frame.jpg", "frame"),
    ("POST", "frame/next", "advance"),
)
"""Method, path and handler."""


class Camera(Protocol):
    """Where the editor gets its images from; called in threads."""

    @property
    def labels(self) -> Sequence[str]:
        """Labels that a shape may name; () for any."""
        ...

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the images, px; None before the first."""
        ...

    def jpeg(self) -> bytes | None:
        """The newest image without drawings; None before the first."""
        ...

    def advance(self) -> bool:
        """Go to a later image of a file; False if there is none, or the source is live."""
        ...


class EditorRoutes:
    """The page, the scene, and images without drawings.

    Args:
        file: that is edited.
        camera: provides images.
        apply: called in a thread with the values of a new scene after they were written.
        live: whether the scene is applied to a run.
    """

    def __init__(
        self,
        file: SceneFile,
        camera: Camera,
        apply: Callable[[Mapping[str, Any]], None] = lambda _: None,
        *,
        live: bool,
    ) -> None:
        self._file, self._camera, self._apply, self._live = file, camera, apply, live

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the handlers, with the page at the root and the files that it shares."""
        router.add_get("/", self.page)
        add_shared(router)
        for method, name, handler in EDITOR_ROUTES:
            router.add_route(method, f"/{name}", getattr(self, handler))

    async def page(self, _: web.Request) -> web.Response:
        """The page."""
        return page_file("editor/editor.html")

    async def asset(self, request: web.Request) -> web.Response:
        """A file of the page."""
        return page_file(f"editor/{request.path.rpartition('/')[2]}")

    async def read(self, _: web.Request) -> web.Response:
        """The scene, its version, and what the editor needs to know."""
        try:
            values, version = await asyncio.to_thread(self._file.read)
        except ConfigError as error:
            return _error(500, str(error))
        return web.json_response(
            {
                "scene": values,
                "version": version,
                "file": self._file.path.name,
                "labels": list(self._camera.labels),
                "size": self._camera.size,
                "live": self._live,
            },
            dumps=_json,
        )

    async def replace(self, request: web.Request) -> web.Response:
        """Replace the scene, if it still has the version in the header `If-Match`."""
        if request.content_type != "application/json":
            return _error(415, "expected application/json")
        version = request.headers.get("If-Match", "").strip('"')
        if not version:
            return _error(428, "the header If-Match is missing")
        if (request.content_length or 0) > MAX_SCENE_BYTES:
            return _error(413, f"the scene is larger than {MAX_SCENE_BYTES} bytes")
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > MAX_SCENE_BYTES:
                return _error(413, f"the scene is larger than {MAX_SCENE_BYTES} bytes")
        try:
            changed = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return _error(400, "not a scene in JSON")
        try:
            new = await asyncio.to_thread(self._file.write, changed, version, self._apply)
        except ConflictError:
            return _error(409, "somebody else has saved the scene since it was loaded")
        except ConfigError as error:
            return _error(422, str(error))
        return web.json_response({"version": new})

    async def frame(self, _: web.Request) -> web.Response:
        """The newest image, without drawings."""
        jpeg = await asyncio.to_thread(self._camera.jpeg)
        if jpeg is None:
            return _error(503, "there is no image yet")
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def advance(self, _: web.Request) -> web.Response:
        """Go on in a file."""
        return web.json_response({"moved": await asyncio.to_thread(self._camera.advance)})


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status, dumps=_json)


def _json(value: Any) -> str:
    """JSON, also of text that is not Unicode."""
    return json.dumps(value, ensure_ascii=True)
