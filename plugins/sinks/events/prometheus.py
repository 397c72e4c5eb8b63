"""`sink=prometheus`: statistics and counts, for Prometheus to read."""

from __future__ import annotations

import logging
from typing import Annotated

from msgspec import Meta

from vidan.errors import SinkError
from vidan.options import SECRET
from vidan.stats import Stats
from vidan.types import Result

from ..http.endpoint import listen
from ..http.metrics import Metrics
from ..http.server import HttpServer
from ..http.shared import SharedServers

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 16
"""Prometheus needs one."""

TIMEOUT_S = 10.0
"""After which a client that does not read or request is disconnected."""


class Prometheus:
    """Serves `/metrics`: statistics of the run, and the current values of its analyzers and sinks.

    The names of the metrics begin with `vidan_`, and all have the label `stream`. The sinks of
    several streams with the same options share one server.

    Args:
        host: address to listen on; other than the loopback address requires a token.
        port: to listen on; 0 for any free port.
        token: secret that Prometheus must present, at least 16 characters.
        certificate: PEM file for HTTPS; requires `key`.
        key: PEM file with the private key of the certificate, without a password.

    Attributes:
        address: URL of the metrics, with the port that is used.
        port: that is used.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: the server cannot listen on this address.
    """

    lossless = False

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: Annotated[int, Meta(ge=0, le=65535)] = 9464,
        token: Annotated[str, SECRET] | None = None,
        certificate: str | None = None,
        key: str | None = None,
    ) -> None:
        secrets = token, certificate, key
        self._server = SERVERS.join(
            host, port, secrets, lambda: _Server(host, port, token, certificate, key)
        )
        self._stream = self._server.metrics.add_stream()
        self.address, self.port = self._server.address, self._server.port
        self._closed = False
        log.info("metrics are at %s", self.address)

    def bind_stats(self, stats: Stats) -> None:
        """See StatsAware."""
        self._stream.stats = stats

    def write(self, result: Result) -> None:
        """Take the values of a result; never waits for a client."""
        self._server.check()
        self._stream.add(result)

    def close(self) -> None:
        """Release the port, unless another stream uses it; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._stream.end()
            SERVERS.leave(self._server)


class _Server:
    """A server for the sinks of all streams that have the same options."""

    def __init__(
        self, host: str, port: int, token: str | None, certificate: str | None, key: str | None
    ) -> None:
        endpoint = listen(host, port, token, certificate, key)
        self.port, self.address = endpoint.port, f"{endpoint.url}metrics"
        self.metrics = Metrics()
        self._http = HttpServer(
            endpoint,
            self.metrics.add_to,
            name="vidan-prometheus",
            max_connections=MAX_CONNECTIONS,
            timeout=TIMEOUT_S,
        )

    def check(self) -> None:
        """Raise the error of the server, if it failed."""
        error = self._http.error
        if error is not None:
            raise SinkError(f"the server of {self.address!r} failed: {error}") from error

    def close(self) -> None:
        """Release the port."""
        self._http.close()


SERVERS: SharedServers[_Server] = SharedServers()
