"""Access control: a token, or requests from this computer only; protection from other sites."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Callable

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

COOKIE_PREFIX = "vidan"

MALFORMED = (ValueError, IndexError)
"""What yarl raises for a URL that is none; the second for one such as `http://[::1]@`."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def secrets_equal(given: str, expected: str) -> bool:
    """Whether two secrets are equal, compared in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is that of this computer, unreachable from others."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def access_control(
    token: str | None, port: int, secure: bool, accepted: Callable[[web.Request], None]
) -> Middleware:
    """Middleware that accepts requests with the token or, without one, from this computer only.

    Args:
        token: secret that viewers must present; None for no token.
        port: of the server; part of the cookie's name, as all ports of a host share cookies.
        secure: whether the server uses HTTPS.
        accepted: called with each request that has access.
    """
    session = hmac.new(token.encode(), b"vidan", hashlib.sha256).hexdigest() if token else ""
    cookie = f"{COOKIE_PREFIX}_{port}"

    def authorized(request: web.Request, token: str) -> bool:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return (
            secrets_equal(request.query.get("token", ""), token)
            or secrets_equal(bearer, token)
            or secrets_equal(request.cookies.get(cookie, ""), session)
        )

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _is_cross_site(request):
            raise web.HTTPForbidden(text="cross-site requests are not allowed\n")
        # DNS rebinding: a page of another site that resolves its name to 127.0.0.1 sends its name.
        if token is None and not is_loopback(_host(request)):
            raise web.HTTPForbidden(text="open it as http://localhost, or set a token\n")
        if token is None or request.path == "/healthz":
            accepted(request)
            return await handler(request)
        if not authorized(request, token):
            raise web.HTTPUnauthorized(text="the token is missing or wrong: ?token=...\n")
        accepted(request)
        if request.path != "/" or "token" not in request.query:
            return await handler(request)
        # Keeps the token out of the address bar, the history and screenshots. With "Strict",
        # links in messages would not work; "Lax" gives other sites no more access (see above).
        # The location is relative because a reverse proxy may serve the page under a prefix.
        response = web.Response(status=303, headers={"Location": "./"})
        response.set_cookie(cookie, session, httponly=True, samesite="Lax", secure=secure, path="/")
        return response

    return check


def _host(request: web.Request) -> str | None:
    """The host name that a request is for; None if it is malformed."""
    try:
        url = request.url
        host = url.host or ""
    except MALFORMED:
        return None
    # The parser ignores what does not belong there, as in `[localhost` and `evil@localhost`.
    name = f"[{host}]" if ":" in host else host
    return host if request.host.lower() in (name, f"{name}:{url.port}") else None


def _is_cross_site(request: web.Request) -> bool:
    """Whether a page of another origin sent the request; following a link to `/` is allowed."""
    origin = request.headers.get("Origin")
    if origin is not None:
        # "null", invalid URLs and overlong ones have no host, and so count as cross-site.
        try:
            return URL(origin).authority != request.host
        except MALFORMED:
            return True
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("none", "same-origin") and (
        request.headers.get("Sec-Fetch-Mode") != "navigate" or request.path != "/"
    )


async def add_security_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that keep pages and scripts of other sites out."""
    response.headers.update(SECURITY_HEADERS)


class BadRequestFilter(logging.Filter):
    """Drops log records about invalid HTTP and lost connections: clients could flood the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the record."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | ConnectionError)
