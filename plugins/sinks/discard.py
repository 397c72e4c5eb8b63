"""`sink=discard`: renders results as a window would, without a display."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from vidan.types import Result

from .drawing.options import ALL, Values
from .drawing.painter import Painter


class Discard:
    """Draws the newest result as a window would show it, and throws the image away.

    For measuring latency on machines without a display.

    Args:
        width: maximum width of the image, px; larger images are scaled down.
        height: maximum height of the image, px.
        drawing: options of the config group `drawing`; None to draw nothing.
    """

    lossless = False

    def __init__(
        self,
        width: Annotated[int, Meta(ge=1)] = 1280,
        height: Annotated[int, Meta(ge=1)] = 720,
        drawing: Values = ALL,
    ) -> None:
        self._max_size = width, height
        self._painter = Painter.of(drawing)

    def write(self, result: Result) -> None:
        """Draw one result."""
        self._painter.annotate(result, self._max_size)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
