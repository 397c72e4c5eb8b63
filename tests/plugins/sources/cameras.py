"""Network cameras for tests: Debian's GStreamer RTSP server, and a proxy that corrupts data."""

from __future__ import annotations

import contextlib
import functools
import random
import select
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from .camera import BITS

SYSTEM_PYTHON = "/usr/bin/python3"

SCRIPT = Path(__file__).with_name("camera.py")

REQUIREMENTS = "import gi; gi.require_version('GstRtspServer', '1.0'); " + (
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('rtph264pay')"
)


@functools.cache
def missing():
    """Why no RTSP server can be started; empty if it can."""
    advice = (
        "apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 "
        "gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly"
    )
    command = [SYSTEM_PYTHON, "-c", REQUIREMENTS]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return f"no RTSP server of GStreamer on this computer: {advice}"
    return ""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Camera:
    """An RTSP camera that can be switched off and on; for its options see camera.py."""

    def __init__(self, *options):
        if missing():
            pytest.skip(missing())
        self.port = free_port()
        self.url = f"rtsp://127.0.0.1:{self.port}/live"
        self._options = options
        self._process = None
        self.switch_on()

    def switch_on(self):
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SCRIPT), str(self.port), *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"

    def kill(self):
        """Like a power failure, except that the operating system closes the connections."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def tell(self, line):
        """Send a command of camera.py, such as `stall`."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


class Proxy:
    """Forwards TCP to a port, and corrupts bytes of the answers if `rate` is above 0.

    Args:
        port: on this computer.
        rate: fraction of the chunks in which some bytes are changed.
    """

    def __init__(self, port, rate=0.0):
        self.rate = rate
        self.corrupted = 0
        self._target = port
        self._random = random.Random(1)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self.port = self._server.getsockname()[1]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._server.close()

    def _accept(self):
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._server.accept()
                thread = threading.Thread(target=self._serve, args=(client,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            self._forward(client, socket.create_connection(("127.0.0.1", self._target)))

    def _forward(self, client, server):
        with server:
            while not self._stop.is_set():
                for ready in select.select([client, server], [], [], 0.1)[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    if ready is client:
                        server.sendall(data)
                    else:
                        client.sendall(self._corrupt(data))

    def _corrupt(self, data):
        # Answers to requests stay intact, so that only the stream is damaged.
        if self._random.random() >= self.rate or b"RTSP/1.0" in data or len(data) < 100:
            return data
        self.corrupted += 1
        data = bytearray(data)
        for _ in range(4):
            data[self._random.randrange(40, len(data))] ^= self._random.randrange(1, 256)
        return bytes(data)


def time_code(rgb):
    """The time drawn into an image, ms modulo 2**BITS; see camera.py."""
    row = rgb[rgb.shape[0] // 4, :, 1]
    square = len(row) / BITS
    bits = [row[int((bit + 0.5) * square)] > 128 for bit in range(BITS)]
    return int("".join("01"[bool(bit)] for bit in bits), 2)


def age(rgb, now=None):
    """How long ago an image was drawn, according to its time code, s."""
    now = time.monotonic() if now is None else now
    return (int(now * 1000) - time_code(rgb)) % 2**BITS / 1000
