"""The sink of the view in the browser."""

from __future__ import annotations

import logging
import socket
import ssl

from vidan import options
from vidan.errors import ConfigError, SinkError
from vidan.stats import Stats
from vidan.types import Result

from .access import loopback
from .live_stats import LiveStats
from .server import Server

log = logging.getLogger(__name__)

SHORTEST = 16
"""Characters that a token has at least."""


class Web:
    """Shows the newest result on a page: image, figures, events.

    Args:
        host: address to listen at; any but this computer's own demands a token.
        port: to listen at; 0 for a free one.
        token: that viewers must know, at least 16 characters.
        certificate: PEM file for HTTPS, with `key`.
        key: PEM file of the certificate's private key.
        width: of the largest image, px; larger ones are scaled down.
        quality: of the images' JPEG, 1 to 100.
        max_viewers: at the same time.
        patience: seconds after which one who does not read, or asks nothing, is dropped.

    Attributes:
        address: of the page.
        port: that is listened at.

    Raises:
        ConfigError: an option has a bad value.
        SinkError: the address cannot be listened at.
    """

    lossless = False

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        token: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        width: int = 1280,
        quality: int = 80,
        max_viewers: int = 8,
        patience: float = 10.0,
    ) -> None:
        options.text("sink.web.host", host)
        options.whole("sink.web.port", port, 0, 65535)
        options.whole("sink.web.width", width, 16)
        options.whole("sink.web.quality", quality, 1, 100)
        options.whole("sink.web.max_viewers", max_viewers, 1)
        options.positive("sink.web.patience", patience)
        _check_token(host, token)
        tls = _tls(certificate, key)
        bound = _bind(host, port)
        self.port: int = bound.getsockname()[1]
        self._closed = False
        self._live_stats = LiveStats()
        self._server = Server(
            bound, self._live_stats, width, quality, token, max_viewers, patience, tls
        )
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http{'s' if tls else ''}://{shown}:{self.port}/"
        log.info("watch at %s%s", self.address, "?token=..." if token else "")
        if token and tls is None:
            log.warning(
                "the view is not encrypted: set sink.web.certificate and sink.web.key, or put a "
                "reverse proxy with TLS in front"
            )

    @property
    def viewers(self) -> int:
        """How many there are."""
        return self._server.viewers

    def bind_stats(self, stats: Stats) -> None:
        """Show what the run measures."""
        self._live_stats.stats = stats

    def write(self, result: Result) -> None:
        """Show one result; never waits for a viewer."""
        self._check()
        self._live_stats.add(result)
        self._server.encoder.show(result)

    def close(self) -> None:
        """Tell the viewers that the run is over; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._server.close()
            self._check()

    def _check(self) -> None:
        error = self._server.error
        if error is not None:
            raise SinkError(f"the view at {self.address!r} failed: {error}") from error


def _check_token(host: str, token: str | None) -> None:
    if token is not None and (not isinstance(token, str) or len(token) < SHORTEST):
        raise ConfigError(f"sink.web.token: expected a text of at least {SHORTEST} characters")
    if token is None and not loopback(host):
        raise ConfigError(
            f"sink.web.host={host!r}: other computers can reach it: set sink.web.token (at least "
            f"{SHORTEST} characters), and sink.web.certificate and sink.web.key for TLS"
        )


def _tls(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigError("sink.web.certificate and sink.web.key: set both, or none")
    paths = options.path("sink.web.certificate", certificate), options.path("sink.web.key", key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(*paths, password="")  # or it would ask for one
    except (OSError, ValueError) as error:
        what = f"sink.web.certificate={certificate!r}, sink.web.key={key!r}"
        raise ConfigError(f"{what}: expected PEM files, the key without a password: {error}") from (
            error
        )
    return context


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SinkError(
            f"cannot listen at {host!r}, port {port}: {error.strerror or error}: "
            "try another sink.web.port, or 0 for a free one"
        ) from error
