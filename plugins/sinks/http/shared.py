"""Servers that the sinks of several streams share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from vidan.errors import ConfigError


class Closable(Protocol):
    """A server."""

    @property
    def port(self) -> int:
        """That it listens on."""
        ...

    def close(self) -> None:
        """Release the port."""
        ...


Served = TypeVar("Served", bound=Closable)


class SharedServers(Generic[Served]):
    """Servers by host and port; each is closed when nobody uses it anymore. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[tuple[str, int], tuple[Served, Any]] = {}
        self._users: dict[int, int] = {}

    def join(self, host: str, port: int, options: Any, make: Callable[[], Served]) -> Served:
        """The server at an address, which is made if there is none; to be left.

        Args:
            host: address to listen on.
            port: to listen on; 0 for one of its own.
            options: of which all who share a server have the same.
            make: starts a server.

        Raises:
            ConfigError: the server at this address has other options.
        """
        with self._lock:
            server, known = self._servers.get((host, port), (None, None)) if port else (None, None)
            if server is None:
                server = make()
                self._servers[host, server.port] = server, options
                self._users[id(server)] = 0
            elif known != options:
                raise ConfigError(
                    f"port={port}: used by another stream with another token, certificate, key or "
                    "limit"
                )
            self._users[id(server)] += 1
            return server

    def leave(self, server: Served) -> None:
        """Do not use a server anymore."""
        with self._lock:
            self._users[id(server)] -= 1
            if self._users[id(server)]:
                return
            del self._users[id(server)]
            for place in [place for place, (s, _) in self._servers.items() if s is server]:
                del self._servers[place]
        server.close()
