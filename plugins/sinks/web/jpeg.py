"""Encodes the newest image as JPEG, once for all viewers and only while one is waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from vidan.events import Event
from vidan.images import jpeg
from vidan.types import Result

from ..drawing.painter import Painter

CLOSE_TIMEOUT_S = 2.0
"""Time for the thread to encode the last image."""

UNLIMITED_PX = 1 << 16


class JpegEncoder:
    """A thread that draws and encodes the newest result.

    Args:
        width: maximum width of the image, px; larger images are scaled down.
        quality: JPEG quality, 1 to 100.
        painter: draws the results, in the thread of the encoder.
        on_image: called with each JPEG, in the thread.

    Attributes:
        newest: the newest result; None before the first.
        error: what ended the thread early, if anything.
    """

    def __init__(
        self, width: int, quality: int, painter: Painter, on_image: Callable[[bytes], None]
    ) -> None:
        self._width, self._quality, self._on_image = width, quality, on_image
        self._changed = threading.Condition()
        self.newest: Result | None = None
        self._pending: Result | None = None
        self._requested = self._closed = False
        self._painter = painter
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="vidan-web-jpeg", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> bool:
        """Whether there is a result newer than the last one encoded."""
        return self._pending is not None

    def submit(self, result: Result) -> None:
        """Replace the pending result. Does not wait."""
        with self._changed:
            self._pending = self.newest = result
            self._changed.notify()

    def notice(self, events: Iterable[Event]) -> None:
        """Highlight events in the next images. Does not wait."""
        self._painter.notice(events)

    def request(self, requested: bool) -> None:
        """Set whether any viewer waits for an image. Does not wait."""
        with self._changed:
            if not self._closed:
                self._requested = requested
                self._changed.notify()

    def close(self, *, finish: bool) -> None:
        """End the thread; with `finish`, after the pending result is encoded."""
        with self._changed:
            self._closed, self._requested = True, finish
            self._changed.notify()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        try:
            while (result := self._next()) is not None:
                self._on_image(self._encode(result))
        except Exception as error:
            self.error = error

    def _next(self) -> Result | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._requested and self._pending))
            result, self._pending = self._pending, None
            return result if self._requested else None

    def _encode(self, result: Result) -> bytes:
        image = self._painter.annotate(result, (self._width, UNLIMITED_PX))
        return jpeg(image, self._quality)
