"""The run's end of the viewer: starts its process and talks with it (see viewer.py)."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vidan.errors import DisplayError
from vidan.types import Image

from .viewer import ASK, HEADER, PICTURE

log = logging.getLogger(__name__)

START_TIMEOUT = 30.0
ANSWER_TIMEOUT = 10.0
CLOSE_TIMEOUT = 3.0
"""Seconds that the viewer's process gets to open its window, to answer, and to go.

It answers from a thread that does nothing else, also while the view is paused."""

ADVICE = "take sink=video instead, or set DISPLAY"


class Viewer:
    """The process that has the window, and the talk with it (see viewer.py)."""

    def __init__(self, title: str) -> None:
        if sys.platform == "linux" and not _display_named():
            raise DisplayError(f"no display (DISPLAY is not set): {ADVICE}")
        # What the windowing system has to say goes into a file, not between the progress lines.
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115
        # A group of its own: Ctrl-C is for the run, which then closes the window.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", str(Path(__file__).with_name("viewer.py")), title],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._gone = False
        with self._within(START_TIMEOUT):
            ready = self._read() == "ready"
        if not ready:
            reason = self._last_words()
            self.close()
            raise DisplayError(f"no display that can be used ({reason}): {ADVICE}")

    def ask(self) -> set[str]:
        """What the window wants and what the user asked for; nothing if it is gone."""
        if self._gone:
            return set()
        with self._within(ANSWER_TIMEOUT):
            self._send(HEADER.pack(ASK, 0, 0))
            answer = self._read()
        if answer is None:
            self._gone = True
            log.warning("the window is gone (%s); the run goes on without it", self._last_words())
        return set((answer or "").split())

    def show(self, picture: Image) -> None:
        """Show an image: (h,w,3) uint8 RGB."""
        height, width = picture.shape[:2]
        with self._within(ANSWER_TIMEOUT):
            self._send(HEADER.pack(PICTURE, width, height) + picture.tobytes())

    def close(self) -> None:
        """End the process; a second call does nothing."""
        if self._noise.closed:
            return
        with suppress(OSError):  # what it did not read any more
            self._stdin.close()
        try:
            self._process.wait(CLOSE_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdout.close()
        self._noise.close()

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Kill the process if something takes longer, so that a run cannot hang on it."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _send(self, message: bytes) -> None:
        with suppress(OSError):  # the process has ended; the next answer will be none
            self._stdin.write(message)
            self._stdin.flush()

    def _read(self) -> str | None:
        """The next line; None if the process has ended."""
        line = self._stdout.readline()
        return line.decode().strip() if line.endswith(b"\n") else None

    def _last_words(self) -> str:
        """What the process complained of last."""
        self._process.kill()
        code = self._process.wait()
        self._noise.seek(0)
        lines = self._noise.read().decode(errors="replace").splitlines()
        lines = [line.strip() for line in lines if line.strip()]
        if not lines:
            return f"exit code {code}"
        # Qt says first what went wrong, Python last.
        return lines[-1 if lines[0].startswith("Traceback") else 0]


def _display_named() -> bool:
    """Whether the environment says where windows go, as it must on Linux."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
