"""Who may look: a token, and where there is none, pages of this computer alone."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

COOKIE = "vidan"

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def loopback(host: str | None) -> bool:
    """Whether a name or address is this computer's own, which no other can reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def guard(token: str | None, port: int, secure: bool) -> Middleware:
    """The middleware that lets in who knows the token, or whoever is on this computer.

    Args:
        token: that viewers must know; None if none is demanded.
        port: listened at; cookies are shared by all ports of a host.
        secure: whether it is served by HTTPS.
    """
    pass_ = hmac.new(token.encode(), b"vidan", hashlib.sha256).hexdigest() if token else ""
    cookie = f"{COOKIE}_{port}"

    def knows(request: web.Request, token: str) -> bool:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return (
            same(request.query.get("token", ""), token)
            or same(bearer, token)
            or same(request.cookies.get(cookie, ""), pass_)
        )

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _of_another_page(request):
            raise web.HTTPForbidden(text="a page of another address asked for this\n")
        # A page of another host that rebinds its name to 127.0.0.1 sends its own name.
        if token is None and not loopback(request.url.host):
            raise web.HTTPForbidden(text="open it as http://localhost, or set a token\n")
        if token is None or request.path == "/healthz":
            return await handler(request)
        if not knows(request, token):
            raise web.HTTPUnauthorized(text="the token is missing or wrong: ?token=...\n")
        if request.path != "/" or "token" not in request.query:
            return await handler(request)
        # Out of the address bar, the history and screenshots. "Strict" would not let in who
        # follows a link in a message; other pages get no more by "Lax" (see above).
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(cookie, pass_, httponly=True, samesite="Lax", secure=secure, path="/")
        return answer

    return check


def _of_another_page(request: web.Request) -> bool:
    """Whether a page of another origin asks, and not a person who follows a link."""
    origin = request.headers.get("Origin")
    if origin is not None:
        # "null", what no URL is and what is too long have no host, and so are another's.
        try:
            return URL(origin).authority != request.host
        except ValueError:
            return True
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("none", "same-origin") and (
        request.headers.get("Sec-Fetch-Mode") != "navigate" or request.path != "/"
    )


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add what keeps other hosts' pages and scripts out."""
    response.headers.update(HEADERS)


class BadRequests(logging.Filter):
    """Keeps out of the log who sends what is no HTTP, or is gone: strangers could fill it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | ConnectionError)
