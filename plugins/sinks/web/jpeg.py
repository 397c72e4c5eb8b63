"""Encodes the newest image as JPEG, once for all viewers who see the same, while one waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vidan.events import Event
from vidan.images import jpeg
from vidan.types import Result

from ..drawing.options import Drawing
from ..drawing.painter import Painter
from .choices import Choice, chosen, configured

CLOSE_TIMEOUT_S = 2.0
"""Time for the thread to encode the last images."""

UNLIMITED_PX = 1 << 16


@dataclass(slots=True, eq=False)
class _Rendering:
    """The images of one choice.

    Attributes:
        painter: draws them, in the thread of the encoder.
        encoded: number of the result that was encoded last.
        requested: whether any viewer waits for one.
        earliest: when the next may be made, `time.monotonic()`, s.
    """

    painter: Painter
    encoded: int = 0
    requested: bool = False
    earliest: float = 0.0


class JpegEncoder:
    """A thread that draws and encodes the newest result, for each choice that is requested.

    Args:
        width: maximum width of the image, px; larger images are scaled down.
        quality: JPEG quality, 1 to 100.
        rate: most images per second of each choice.
        drawing: what is drawn unless viewers choose something else.
        on_image: called with the choice, the number of the result, and each JPEG, in the thread.

    Attributes:
        configured: the choice that is as configured.
        newest: the newest result; None before the first.
        number: of the newest result, from 1; 0 before the first.
        error: what ended the thread early, if anything.
    """

    def __init__(
        self,
        width: int,
        quality: int,
        rate: float,
        drawing: Drawing,
        on_image: Callable[[Choice, int, bytes], None],
    ) -> None:
        self._width, self._quality, self._on_image = width, quality, on_image
        self._interval = 1 / rate
        self._drawing, self.configured = drawing, configured(drawing)
        self._changed = threading.Condition()
        self.newest: Result | None = None
        self.number = 0
        self._closed = False
        self._renderings = {self.configured: _Rendering(Painter(drawing))}
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="vidan-web-jpeg", daemon=True)
        self._thread.start()

    def submit(self, result: Result) -> None:
        """Replace the pending result. Does not wait."""
        with self._changed:
            self.newest = result
            self.number += 1
            self._changed.notify()

    def notice(self, events: Iterable[Event]) -> None:
        """Highlight events in the next images. Does not wait."""
        with self._changed:
            for rendering in self._renderings.values():
                rendering.painter.notice(events)

    def request(self, choice: Choice, requested: bool) -> None:
        """Set whether any viewer waits for an image of a choice. Does not wait."""
        with self._changed:
            if not self._closed:
                if choice not in self._renderings:
                    painter = Painter(chosen(self._drawing, choice))
                    self._renderings[choice] = _Rendering(painter)
                self._renderings[choice].requested = requested
                self._changed.notify()

    def close(self, *, finish: bool) -> None:
        """End the thread; with `finish`, after the pending result is encoded."""
        with self._changed:
            self._closed = True
            for rendering in self._renderings.values():
                rendering.requested = finish
            self._changed.notify()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        try:
            while (due := self._next()) is not None:
                choice, number, result = due
                rendering = self._renderings[choice]
                rendering.earliest = time.monotonic() + self._interval
                self._on_image(choice, number, self._encode(rendering.painter, result))
                rendering.encoded = number
        except Exception as error:
            self.error = error

    def _next(self) -> tuple[Choice, int, Result] | None:
        """What is to be encoded, with the number of the result; None at the end."""
        with self._changed:
            while not self._closed and (delay := self._delay()) != 0:
                self._changed.wait(delay)
            choice, result = self._due(), self.newest
            return None if choice is None or result is None else (choice, self.number, result)

    def _due(self) -> Choice | None:
        """The choice that has waited for longest, if any has to be encoded."""
        due = [
            choice
            for choice, each in self._renderings.items()
            if each.requested and each.encoded < self.number
        ]
        return min(due, key=lambda choice: self._renderings[choice].earliest, default=None)

    def _delay(self) -> float | None:
        """Time until the next image has to be encoded, s; None if none has to be."""
        due = self._due()
        return None if due is None else max(0.0, self._renderings[due].earliest - time.monotonic())

    def _encode(self, painter: Painter, result: Result) -> bytes:
        image = painter.annotate(result, (self._width, UNLIMITED_PX))
        return jpeg(image, self._quality)
