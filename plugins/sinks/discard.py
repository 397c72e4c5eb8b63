"""`sink=discard`: what a window costs, without one."""

from __future__ import annotations

from vidan import options
from vidan.types import Result

from .drawing.painter import Painter
from .window.sink import shrunk


class Discard:
    """Draws the newest result as a window would show it, and throws the image away.

    For measuring how old an image is when it can be shown, where there is no display.

    Args:
        width: of the largest image drawn, px; larger ones are scaled down.
        height: of the largest image drawn, px.

    Raises:
        ConfigError: an option has a bad value.
    """

    lossless = False

    def __init__(self, width: int = 1280, height: int = 720) -> None:
        self._limit = (
            options.whole("sink.discard.width", width, 1),
            options.whole("sink.discard.height", height, 1),
        )
        self._painter = Painter()

    def write(self, result: Result) -> None:
        """Draw one result."""
        self._painter.annotate(shrunk(result, *self._limit))

    def close(self) -> None:
        """Nothing is left to do."""
