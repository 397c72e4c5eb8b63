"""Results in a window, as they come."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from vidan.errors import ConfigError, DisplayError
from vidan.interfaces import StopRun
from vidan.types import Frame, Image, Result

from .draw import Painter, Text
from .viewer import ASK, HEADER, PICTURE

log = logging.getLogger(__name__)

START_TIMEOUT = 30.0
ANSWER_TIMEOUT = 10.0
CLOSE_TIMEOUT = 3.0
"""Seconds that the viewer's process gets to open its window, to answer, and to go.

It answers from a thread that does nothing else, also while the view is paused."""

RATE_SPAN = 2.0
"""Seconds over which frames per second are counted."""

FONT = 16
"""Height of the text in the corner, px of the window."""

ADVICE = "take sink=video instead, or set DISPLAY"


class Window:
    """Shows the newest result: boxes, identities, frames per second, latency.

    Space holds the picture (the run goes on), s saves it, q or closing the window ends the
    run. Frames per second count the results that reach the window; latency is the age of the
    picture when it is handed to the window.

    Args:
        pictures: folder for pictures saved with s, in the source's size.
        title: of the window.
        width: of the largest picture shown, px; larger ones are scaled down.
        height: of the largest picture shown, px.

    Raises:
        ConfigError: width or height is less than 1.
        DisplayError: there is no display, or OpenCV was built without windows.
    """

    lossless = False

    def __init__(
        self, pictures: str, title: str = "vidan", width: int = 1280, height: int = 720
    ) -> None:
        for name, value in (("width", width), ("height", height)):
            if value < 1:
                raise ConfigError(f"{name}: expected 1 px or more, got {value!r}")
        self._pictures = Path(pictures)
        self._limit = width, height
        self._painter, self._text = Painter(), Text()
        self._writes: deque[float] = deque()
        self._shown: Result | None = None
        self._over = False
        self._viewer = _Viewer(title)

    def write(self, result: Result) -> None:
        """Show one result if the window is ready for it; never waits for the user."""
        self._writes.append(time.monotonic())
        words = {"quit"} if self._over else self._viewer.ask()
        if "save" in words and self._shown is not None:
            self._save(self._shown)
        if "quit" in words:
            self._over = True
            raise StopRun("the window was closed")
        if "next" in words:
            self._viewer.show(self._view(result))
            self._shown = result

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        self._viewer.close()

    def _view(self, result: Result) -> Image:
        """The picture for the window: (h,w,3) uint8 RGB."""
        small = shrunk(result, *self._limit)
        picture = self._painter.annotate(small)
        latency = time.monotonic() - result.frame.captured
        self._overlay(picture, f"{self._rate():.0f} fps   {1000 * latency:.0f} ms")
        return picture

    def _overlay(self, picture: Image, text: str) -> None:
        """White on black in the top-left corner."""
        width, height = self._text.size(text, FONT)
        pad = FONT // 3
        picture[: height + pad, : width + 2 * pad] = 0
        self._text.draw(picture, text, pad, pad // 2, FONT, (255, 255, 255))

    def _rate(self) -> float:
        """Results per second, of late."""
        times = self._writes
        while len(times) > 2 and times[0] < times[-1] - RATE_SPAN:
            times.popleft()
        span = times[-1] - times[0]
        return (len(times) - 1) / span if span > 0 else 0.0

    def _save(self, result: Result) -> None:
        """Save the picture that is shown. Should that fail, the run is worth more."""
        path = self._pictures / f"frame_{result.frame.index:06d}.png"
        bgr = cv2.cvtColor(Painter().annotate(result), cv2.COLOR_RGB2BGR)
        try:
            self._pictures.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
        except OSError as error:
            log.warning("cannot save %r: %s", str(path), error.strerror or error)
        else:
            log.info("saved %s", path)


class _Viewer:
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
        """Show a picture: (h,w,3) uint8 RGB."""
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


def shrunk(result: Result, width: int, height: int) -> Result:
    """The result with its picture and boxes scaled down until they fit; as it is if they do.

    Args:
        result: of one frame.
        width: of the largest picture that fits, px.
        height: of the largest picture that fits, px.
    """
    frame = result.frame
    scale = min(width / frame.width, height / frame.height)
    if scale >= 1:
        return result
    small = _Small(frame, max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    factor = np.float32(scale)
    return replace(
        result,
        frame=small,
        detections=replace(result.detections, boxes=result.detections.boxes * factor),
        tracks=replace(result.tracks, boxes=result.tracks.boxes * factor),
    )


class _Small(Frame):
    """A frame scaled down: straight from the decoder's picture, where there is one."""

    __slots__ = ("_of",)

    def __init__(self, of: Frame, width: int, height: int) -> None:
        super().__init__(
            index=of.index,
            time=of.time,
            captured=of.captured,
            stream=of.stream,
            width=width,
            height=height,
            image=of.image,
        )
        self._of = of

    def _make_rgb(self) -> Image:
        return self._of.resized(self.width, self.height)

    def resized(self, width: int, height: int) -> Image:
        return self._of.resized(width, height)


def _display_named() -> bool:
    """Whether the environment says where windows go, as it must on Linux."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
