"""The newest image as JPEG: drawn and encoded once for all, when somebody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2

from vidan.types import Result

from ..drawing.painter import Painter
from ..window.sink import shrunk

LAST = 2.0
"""Seconds that the last image is waited for."""


class JpegEncoder:
    """A thread that draws and encodes the newest result.

    Args:
        width: of the largest image, px; larger ones are scaled down.
        quality: of JPEG, 1 to 100.
        ready: called with each JPEG, in the thread.

    Attributes:
        error: what ended the thread before its time.
    """

    def __init__(self, width: int, quality: int, ready: Callable[[bytes], None]) -> None:
        self._width, self._quality, self._ready = width, quality, ready
        self._news = threading.Condition()
        self._pending: Result | None = None
        self._wanted = self._closed = False
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="vidan-web-jpeg", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> bool:
        """Whether there is a result that is newer than all that were encoded."""
        return self._pending is not None

    def show(self, result: Result) -> None:
        """Take the newest result; the one before is forgotten. Does not wait."""
        with self._news:
            self._pending = result
            self._news.notify()

    def want(self, wanted: bool) -> None:
        """Say whether anybody waits for an image. Does not wait."""
        with self._news:
            if not self._closed:
                self._wanted = wanted
                self._news.notify()

    def close(self, *, finish: bool) -> None:
        """End the thread; what is pending is still encoded if it shall `finish`."""
        with self._news:
            self._closed, self._wanted = True, finish
            self._news.notify()
        self._thread.join(LAST)

    def _run(self) -> None:
        painter = Painter()
        try:
            while (result := self._next()) is not None:
                self._ready(self._encode(painter, result))
        except Exception as error:
            self.error = error

    def _next(self) -> Result | None:
        with self._news:
            self._news.wait_for(lambda: self._closed or (self._wanted and self._pending))
            result, self._pending = self._pending, None
            return result if self._wanted else None

    def _encode(self, painter: Painter, result: Result) -> bytes:
        picture = painter.annotate(shrunk(result, self._width, 1 << 16))
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])[1].tobytes()
