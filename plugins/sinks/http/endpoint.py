"""Where a sink listens for requests, and who has access."""

from __future__ import annotations

import errno
import logging
import re
import socket
import ssl
from typing import NamedTuple

from vidan import options
from vidan.errors import ConfigError, SinkError

from ..tls import load_certificate
from .access import is_loopback

log = logging.getLogger(__name__)

MIN_TOKEN_LENGTH = 16
"""Characters."""


class Endpoint(NamedTuple):
    """A socket that listens.

    Attributes:
        listener: the socket.
        token: secret that clients must present; None for no token.
        tls: for HTTPS; None for HTTP.
        url: with the port that is used.
    """

    listener: socket.socket
    token: str | None
    tls: ssl.SSLContext | None
    url: str

    @property
    def port(self) -> int:
        """The port that is used."""
        port: int = self.listener.getsockname()[1]
        return port


def listen(
    host: str, port: int, token: str | None, certificate: str | None, key: str | None
) -> Endpoint:
    """Listen for connections.

    Args:
        host: address to listen on; other than the loopback address requires a token.
        port: to listen on; 0 for any free port.
        token: secret that clients must present, at least MIN_TOKEN_LENGTH characters.
        certificate: PEM file for HTTPS; requires `key`.
        key: PEM file with the private key of the certificate, without a password.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: it is not possible to listen on this address.
    """
    _check_token(options.text("host", host), token)
    tls = _tls_context(certificate, key)
    listener = _listener(host, port)
    url_host = f"[{host}]" if ":" in host else host
    url = f"http{'s' if tls else ''}://{url_host}:{listener.getsockname()[1]}/"
    if token and tls is None and not is_loopback(host):
        log.warning(
            "%s is not encrypted: set certificate and key, or use a reverse proxy with TLS", url
        )
    return Endpoint(listener, token, tls, url)


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
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    return context if load_certificate(context, certificate, key) else None


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        advice = (
            "set another port, or port=0 for any free one"
            if getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
            else "set host to an address of this computer"
        )
        raise SinkError(f"cannot listen on {host!r}, port {port}: {why}: {advice}") from error
