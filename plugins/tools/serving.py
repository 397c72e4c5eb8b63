"""Serves a page for one person until Ctrl-C, as `vidan scene` and `vidan view` do."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from vidan.cli.terminal import console
from vidan.options import SECRET

from ..sinks.http.endpoint import listen
from ..sinks.http.server import HttpServer

MAX_CONNECTIONS = 32
TIMEOUT_S = 20.0
"""After which a client that does not read or request is disconnected."""

POLL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Keys of the commands that serve a page; see `conf/view.yaml`."""

    host: str
    port: Annotated[int, Meta(ge=0, le=65535)]
    token: Annotated[str, SECRET] | None
    certificate: str | None
    key: str | None


def serve(
    settings: ServerSettings,
    add_routes: Callable[[web.UrlDispatcher], None],
    title: str,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Print the address of the page, and serve it until Ctrl-C.

    Args:
        settings: where it listens. Without a token, one is made up.
        add_routes: adds the routes of the page.
        title: printed before the address, such as "draw at".
        check: called several times per second; an error of it ends serving.

    Raises:
        VidanError: the address cannot be listened on.
    """
    token = settings.token or secrets.token_urlsafe(24)
    endpoint = listen(settings.host, settings.port, token, settings.certificate, settings.key)
    server = HttpServer(
        endpoint,
        add_routes,
        name="vidan-page",
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT_S,
    )
    address = f"{title} {endpoint.url}?token={token}"
    try:
        console().print(address, soft_wrap=True, markup=False, style=None)
        while server.running:
            time.sleep(POLL_S)
            check()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
    if server.error is not None:
        raise server.error
