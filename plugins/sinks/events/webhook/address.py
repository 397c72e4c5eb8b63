"""Where events are posted to."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from vidan import options
from vidan.errors import ConfigError
from vidan.support.secrets import redacted_url

EXPECTED = "expected an address such as https://host/path"


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a service.

    Attributes:
        host: its name or address.
        port: None for that of the scheme.
        path: path and query.
        tls: None for a connection that is not encrypted.
        timeout: how long each step of a request may take, s.
    """

    host: str
    port: int | None
    path: str = field(repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    timeout: float = 10.0

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{'https' if self.tls else 'http'}://{self.host}{port}"


def read_url(url: str | None, url_env: str | None) -> str:
    """The URL of a service. One with a secret is taken from the environment only.

    Args:
        url: value of the option `url`.
        url_env: value of the option `url_env`, the name of an environment variable.

    Raises:
        ConfigError: both or neither is given, the variable does not exist, or `url` may contain a
            secret.
    """
    if (url is None) == (url_env is None):
        raise ConfigError("url and url_env: set one of them")
    if url_env is not None:
        return options.environment("url_env", url_env, "the URL").strip()
    assert url is not None
    if redacted_url(url) != url:
        raise ConfigError(
            "url: it may contain a secret, such as a password, a token or a query: set "
            "url_env=<name of an environment variable with the URL>"
        )
    return url


def parsed(key: str, url: str, context: ssl.SSLContext, timeout: float) -> Address:
    """An address; messages do not show the URL.

    Args:
        key: name of the option, for errors.
        url: with `http` or `https`.
        context: for `https`.
        timeout: see `Address`.

    Raises:
        ConfigError: it is malformed.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{key}: {EXPECTED}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(f"{key}: {EXPECTED}")
    if parts.username is not None:
        raise ConfigError(f"{key}: it contains a user: set token_env for authentication")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(f"{key}: expected ASCII without spaces: encode others, as in %20")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    tls = context if parts.scheme == "https" else None
    return Address(host, port, path, tls, timeout)
