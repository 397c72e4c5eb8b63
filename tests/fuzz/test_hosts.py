"""Random names of hosts and origins in requests to the page of `sink=web`."""

import logging
import random
import re
import socket

import pytest

from vidan_plugins.sinks.web import Web

from . import SEED

WORDS = """
localhost 127.0.0.1 [::1] [:: [ ] : :80 :99999 @ evil.example localhost. 127.1 0x7f.1 2130706433
/ // \\ % %00 ? # .. _ , { } < > <script> ' " xn-- é \xff \x7f
"""
PARTS = [*WORDS.split(), " ", "\t", "a" * 300]
LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:80)?", re.IGNORECASE)
PATHS = ["/", "/metrics", "/view", "/stats.json", "/events", "/healthz", "/nothing"]


@pytest.fixture
def port():
    sink = Web(port=0, history=False)
    yield sink.port
    sink.close()


def answer(port, path, host, origin):
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [] if origin is None else [f"Origin: {origin}"]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        received = b""
        while block := connection.recv(65536):
            received += block
            if len(received) > 100_000:
                break
    return received


@pytest.mark.parametrize("count", [100, pytest.param(5_000, marks=pytest.mark.fuzz)])
def test_strange_hosts_are_refused_without_an_error(port, caplog, count):
    rng = random.Random(f"{SEED} hosts")
    with caplog.at_level(logging.INFO):
        for _ in range(count):
            host = "".join(rng.choices(PARTS, k=rng.randrange(4)))
            origin = None
            if rng.random() < 0.3:
                origin = "http://" + "".join(rng.choices(PARTS, k=rng.randrange(3)))
            received = answer(port, rng.choice(PATHS), host, origin)
            status = int(received.split()[1])
            assert status in (200, 400, 403, 404), (host, origin, received[:200])
            if status in (200, 404):
                assert LOCAL.fullmatch(host.strip()), host
            assert b"Traceback" not in received
            head, _, body = received.partition(b"\r\n\r\n")
            assert b"<script>" not in body or b"text/plain" in head or status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert answer(port, "/healthz", "localhost", None).split()[1] == b"200"
