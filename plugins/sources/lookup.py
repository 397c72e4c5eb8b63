"""Looking up the host of a URL without waiting for it for longer than one wants to.

FFmpeg asks the system, which waits for a name server as long as it likes: ten seconds and more
where the network is gone, which is when a camera is looked for again. Nothing ends that wait.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from urllib.parse import urlsplit

from .address import LIVE

HOSTED = LIVE | {"http", "https"}
"""Protocols of which the host is looked up."""

POLL = 0.02
"""How often whoever waits looks up, s."""


def look_up(url: str, stopped: threading.Event, timeout: float) -> None:
    """Wait until the system knows the host of a URL.

    Args:
        url: nothing is done for one without a host, or of which a proxy is asked.
        stopped: ends the waiting when it is set.
        timeout: longest wait, s.

    Raises:
        InterruptedError: the run was stopped.
        TimeoutError: no name server answered in time.
        OSError: there is no such host.
    """
    host = _host(url)
    if host is None:
        return
    errors: list[OSError] = []
    done = threading.Event()

    def ask() -> None:
        try:
            socket.getaddrinfo(host, None)
        except OSError as error:
            errors.append(error)
        except UnicodeError:
            pass  # not a name that Python would look up: FFmpeg shall say what it thinks of it
        done.set()

    # A thread that is left behind, since nothing can end its call; it holds nothing.
    threading.Thread(target=ask, name="vidan-look-up", daemon=True).start()
    end = time.monotonic() + timeout
    while not done.wait(POLL):
        if stopped.is_set():
            raise InterruptedError("stopped")
        if time.monotonic() > end:
            raise TimeoutError(f"no name server answered for {timeout:g} s")
    if errors:
        raise errors[0]


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    # Of which FFmpeg takes heed; it is the proxy that looks up.
    proxied = parts.scheme in ("http", "https") and "http_proxy" in os.environ
    return parts.hostname if parts.scheme in HOSTED and not proxied else None
