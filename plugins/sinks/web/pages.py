"""The files of the pages."""

from __future__ import annotations

from importlib import resources

from aiohttp import web

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


async def served(name: str, _: web.Request) -> web.Response:
    """A handler of a file of the pages, given its name."""
    return page_file(name)
