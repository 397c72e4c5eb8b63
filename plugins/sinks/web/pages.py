"""The files of the pages."""

from __future__ import annotations

from functools import partial
from importlib import resources

from aiohttp import web

SHARED = ("common.js", "heat_map.css", "heat_map.js", "icon.svg", "page.css", "strings.js")
"""Files that several pages use."""

CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def page_file(name: str) -> web.Response:
    """A file of the pages."""
    text = resources.files(__package__).joinpath(name).read_text("utf-8")
    content_type = CONTENT_TYPES[name[name.rindex(".") :]]
    return web.Response(text=text, content_type=content_type, charset="utf-8")


def add_shared(router: web.UrlDispatcher) -> None:
    """Serve the files that several pages use."""
    for name in SHARED:
        router.add_get(f"/{name}", partial(_served, name))


async def _served(name: str, _: web.Request) -> web.Response:
    return page_file(name)
