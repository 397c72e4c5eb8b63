"""`sink=window`: results in a window on the screen."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import cv2
from msgspec import Meta

from vidan import options
from vidan.events import Event
from vidan.interfaces import StopRun
from vidan.types import Image, Result

from ..drawing.options import ALL, Values
from ..drawing.painter import Painter
from ..drawing.text import Text
from .process import Viewer

log = logging.getLogger(__name__)

RATE_WINDOW_S = 2.0
"""Time over which frames per second are averaged."""

FONT_PX = 16
"""Font size of the text in the corner, px of the window."""


class Window:
    """Shows the newest result, with frames per second and latency.

    Space pauses the view, but not the run; s saves a snapshot; q, or closing the window, ends the
    run. Frames per second count the results that reach the window. Latency is the age of the
    image when it is passed to the window.

    Args:
        snapshot_dir: folder for images saved with s, in the size of the source.
        title: title of the window.
        width: maximum width of the image, px; larger images are scaled down.
        height: maximum height of the image, px.
        drawing: options of the config group `drawing`; None to draw nothing.

    Attributes:
        viewer: the process that shows the window.

    Raises:
        ConfigError: an option has an invalid value.
        DisplayError: there is no display, or OpenCV was built without windows.
    """

    lossless = False

    def __init__(
        self,
        snapshot_dir: str,
        title: str = "vidan",
        width: Annotated[int, Meta(ge=1)] = 1280,
        height: Annotated[int, Meta(ge=1)] = 720,
        drawing: Values = ALL,
    ) -> None:
        self._snapshot_dir = Path(options.text("snapshot_dir", snapshot_dir))
        self._max_size = width, height
        self._painter, self._text = Painter.of(drawing), Text()
        self._write_times: deque[float] = deque()
        self._shown: Result | None = None
        self._closed_by_user = False
        self.viewer = Viewer(options.text("title", title))

    def write(self, result: Result) -> None:
        """Show a result if the window is ready for it; never waits for the user."""
        self._write_times.append(time.monotonic())
        requests = {"quit"} if self._closed_by_user else self.viewer.poll()
        if "save" in requests and self._shown is not None:
            self._save(self._shown)
        if "quit" in requests:
            self._closed_by_user = True
            raise StopRun("the window was closed")
        if "next" in requests:
            self.viewer.show(self._render(result))
            self._shown = result

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: highlight events, those of dropped results too."""
        self._painter.notice(events)

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        self.viewer.close()

    def _render(self, result: Result) -> Image:
        """The image for the window: (h,w,3) uint8 RGB."""
        image = self._painter.annotate(result, self._max_size)
        latency = time.monotonic() - result.frame.captured
        self._draw_status(image, f"{self._rate():.0f} fps   {1000 * latency:.0f} ms")
        return image

    def _draw_status(self, image: Image, text: str) -> None:
        """Draw text in white on black in the top-left corner."""
        width, height = self._text.size(text, FONT_PX)
        padding = FONT_PX // 3
        image[: height + padding, : width + 2 * padding] = 0
        self._text.draw(image, text, padding, padding // 2, FONT_PX, (255, 255, 255))

    def _rate(self) -> float:
        """Results per second within RATE_WINDOW_S."""
        times = self._write_times
        while len(times) > 2 and times[0] < times[-1] - RATE_WINDOW_S:
            times.popleft()
        span = times[-1] - times[0]
        return (len(times) - 1) / span if span > 0 else 0.0

    def _save(self, result: Result) -> None:
        """Save the image that is shown; failure is only a warning, since the run matters more."""
        path = self._snapshot_dir / f"frame_{result.frame.index:06d}.png"
        bgr = cv2.cvtColor(self._painter.annotate(result), cv2.COLOR_RGB2BGR)
        try:
            self._snapshot_dir.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
        except OSError as error:
            log.warning("cannot save %r: %s", str(path), error.strerror or error)
        else:
            log.info("saved %s", path)
