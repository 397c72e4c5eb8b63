"""`sink=web`: a live view in the browser."""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from vidan import options
from vidan.errors import ConfigError, SinkError
from vidan.events import Event
from vidan.options import SECRET
from vidan.stats import Stats
from vidan.types import Result

from .access import is_loopback
from .live_stats import LiveStats
from .server import Server

log = logging.getLogger(__name__)

MIN_TOKEN_LENGTH = 16
"""Characters."""


class Web:
    """Serves a page with the newest result: image, statistics, events.

    Args:
        host: address to listen on; other than the loopback address requires a token.
        port: to listen on; 0 for any free port.
        token: secret that viewers must present, at least 16 characters.
        certificate: PEM file for HTTPS; requires `key`.
        key: PEM file with the private key of the certificate, without a password.
        width: maximum width of the image, px; larger images are scaled down.
        quality: JPEG quality, 1 to 100.
        max_viewers: maximum number of simultaneous viewers.
        timeout: time, s, after which a viewer that does not read or request is disconnected.

    Attributes:
        address: URL of the page, with the port that is used.
        live_stats: what the page shows beside the image.
        server: runs until the sink is closed.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: the server cannot listen on this address.
    """

    lossless = False

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: Annotated[int, Meta(ge=0, le=65535)] = 8000,
        token: Annotated[str, SECRET] | None = None,
        certificate: str | None = None,
        key: str | None = None,
        width: Annotated[int, Meta(ge=16)] = 1280,
        quality: Annotated[int, Meta(ge=1, le=100)] = 80,
        max_viewers: Annotated[int, Meta(ge=1)] = 8,
        timeout: Annotated[float, Meta(gt=0)] = 10.0,
    ) -> None:
        _check_token(options.text("host", host), token)
        tls = _tls_context(certificate, key)
        listener = _listen(host, port)
        self.port: int = listener.getsockname()[1]
        self._closed = False
        self.live_stats = LiveStats()
        self.server = Server(
            listener, self.live_stats, width, quality, token, max_viewers, timeout, tls
        )
        url_host = f"[{host}]" if ":" in host else host
        self.address = f"http{'s' if tls else ''}://{url_host}:{self.port}/"
        log.info("watch at %s%s", self.address, "?token=..." if token else "")
        if token and tls is None:
            log.warning(
                "the view is not encrypted: set certificate and key, or use a reverse proxy with "
                "TLS"
            )

    @property
    def viewers(self) -> int:
        """Number of viewers."""
        return self.server.viewers

    def bind_stats(self, stats: Stats) -> None:
        """See StatsAware."""
        self.live_stats.stats = stats

    def write(self, result: Result) -> None:
        """Show a result; never waits for a viewer."""
        self._raise_server_error()
        self.live_stats.add(result)
        self.server.encoder.submit(result)

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: list events beside the image, and highlight them in it."""
        self.live_stats.add_events(events)
        self.server.encoder.notice(events)

    def close(self) -> None:
        """Tell the viewers that the run has ended; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self.server.close()
            self._raise_server_error()

    def _raise_server_error(self) -> None:
        error = self.server.error
        if error is not None:
            raise SinkError(f"the view at {self.address!r} failed: {error}") from error


def _check_token(host: str, token: str | None) -> None:
    # Not in the annotation: the error of an annotation would show the secret.
    if token is not None and not re.fullmatch(rf"[!-~]{{{MIN_TOKEN_LENGTH},}}", token):
        raise ConfigError(
            f"token: expected at least {MIN_TOKEN_LENGTH} ASCII characters without spaces"
        )
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"host={host!r}: reachable from other computers; set token (at least "
            f"{MIN_TOKEN_LENGTH} characters), and certificate and key for TLS"
        )


def _tls_context(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigError("certificate and key: set both or neither")
    paths = options.path("certificate", certificate), options.path("key", key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(*paths, password="")  # without a password OpenSSL would prompt
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"certificate={certificate!r} and key={key!r}: expected PEM files, the key without a "
            f"password: {error}"
        ) from error
    return context


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SinkError(
            f"cannot listen on {host!r}, port {port}: {error.strerror or error}: "
            "set another port, or port=0 for any free one"
        ) from error
