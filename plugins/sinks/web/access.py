"""Who may look: a token, and the Host header where there is none."""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

COOKIE = "vidan"

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def guard(token: str | None, secure: bool) -> Middleware:
    """The middleware that lets in who knows the token, or whoever is on this computer."""
    pass_ = hmac.new(token.encode(), b"vidan", hashlib.sha256).hexdigest() if token else ""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if token is None:
            # A page of another host that rebinds its name to 127.0.0.1 sends its own name.
            if request.url.host not in ("localhost", "127.0.0.1", "::1"):
                return web.Response(status=403, text="open it as http://localhost\n")
        elif request.path != "/healthz":
            if same(request.query.get("token", ""), token):
                answer = web.Response(status=303, headers={"Location": request.path})
                answer.set_cookie(
                    COOKIE, pass_, httponly=True, samesite="Strict", secure=secure, path="/"
                )
                return answer
            bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not same(bearer, token) and not same(request.cookies.get(COOKIE, ""), pass_):
                return web.Response(status=401, text="the token is missing or wrong: ?token=...\n")
        return await handler(request)

    return check


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add what keeps other hosts' pages and scripts out."""
    response.headers.update(HEADERS)
