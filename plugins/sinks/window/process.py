"""Starts the viewer process and communicates with it (see viewer.py)."""

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

from .viewer import HEADER, IMAGE, POLL

log = logging.getLogger(__name__)

START_TIMEOUT_S = 30.0
"""Time for the viewer process to open its window."""

ANSWER_TIMEOUT_S = 10.0
"""Time to answer. A thread of its own answers, even while the view is paused."""

CLOSE_TIMEOUT_S = 3.0
"""Time to exit after its standard input is closed."""

ADVICE = "use sink=video, or set DISPLAY"


class Viewer:
    """The process that shows the window."""

    def __init__(self, title: str) -> None:
        if sys.platform == "linux" and not _has_display():
            raise DisplayError(f"no display (DISPLAY is not set): {ADVICE}")
        # Into a file, so that messages of the windowing system do not disturb the progress lines.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        # In a session of its own: Ctrl-C reaches only the run, which then closes the window.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", str(Path(__file__).with_name("viewer.py")), title],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._gone = False
        with self._killed_after(START_TIMEOUT_S):
            ready = self._read() == "ready"
        if not ready:
            reason = self._exit_reason()
            self.close()
            raise DisplayError(f"no usable display ({reason}): {ADVICE}")

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def poll(self) -> set[str]:
        """Requests of the window and of the user (see viewer.py); empty if the window is gone."""
        if self._gone:
            return set()
        with self._killed_after(ANSWER_TIMEOUT_S):
            self._send(HEADER.pack(POLL, 0, 0))
            answer = self._read()
        if answer is None:
            self._gone = True
            log.warning("the window is gone (%s); continuing without it", self._exit_reason())
        return set((answer or "").split())

    def show(self, image: Image) -> None:
        """Show an image: (h,w,3) uint8 RGB."""
        height, width = image.shape[:2]
        with self._killed_after(ANSWER_TIMEOUT_S):
            self._send(HEADER.pack(IMAGE, width, height) + image.tobytes())

    def close(self) -> None:
        """End the process; a second call does nothing."""
        if self._stderr.closed:
            return
        with suppress(OSError):  # unread messages
            self._stdin.close()
        try:
            self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdout.close()
        self._stderr.close()

    @contextmanager
    def _killed_after(self, seconds: float) -> Iterator[None]:
        """Kill the process if the block takes longer, so that the run cannot hang."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _send(self, message: bytes) -> None:
        with suppress(OSError):  # the process has ended, which the next poll reports
            self._stdin.write(message)
            self._stdin.flush()

    def _read(self) -> str | None:
        """The next line; None if the process has ended."""
        line = self._stdout.readline()
        return line.decode().strip() if line.endswith(b"\n") else None

    def _exit_reason(self) -> str:
        """End the process and return the most useful line of its standard error."""
        self._process.kill()
        code = self._process.wait()
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").splitlines()
        lines = [line.strip() for line in lines if line.strip()]
        if not lines:
            return f"exit code {code}"
        # Qt reports the cause first, Python last.
        return lines[-1 if lines[0].startswith("Traceback") else 0]


def _has_display() -> bool:
    """Whether the environment names a display, as windows on Linux require."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
