"""Results in a window, as they come."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from vidan import options
from vidan.interfaces import StopRun
from vidan.types import Image, Result

from ..drawing.painter import Painter
from ..drawing.text import Text
from .process import Viewer

log = logging.getLogger(__name__)

RATE_SPAN = 2.0
"""Seconds over which frames per second are counted."""

FONT = 16
"""Height of the text in the corner, px of the window."""


class Window:
    """Shows the newest result: boxes, identities, frames per second, latency.

    Space holds the image (the run goes on), s saves it, q or closing the window ends the
    run. Frames per second count the results that reach the window; latency is the age of the
    image when it is handed to the window.

    Args:
        images: folder for images saved with s, in the source's size.
        title: of the window.
        width: of the largest image shown, px; larger ones are scaled down.
        height: of the largest image shown, px.

    Raises:
        ConfigError: an option has a bad value.
        DisplayError: there is no display, or OpenCV was built without windows.
    """

    lossless = False

    def __init__(
        self, pictures: str, title: str = "vidan", width: int = 1280, height: int = 720
    ) -> None:
        self._pictures = Path(options.text("sink.window.pictures", pictures))
        self._limit = (
            options.whole("sink.window.width", width, 1),
            options.whole("sink.window.height", height, 1),
        )
        self._painter, self._text = Painter(), Text()
        self._writes: deque[float] = deque()
        self._shown: Result | None = None
        self._over = False
        self._viewer = Viewer(options.text("sink.window.title", title))

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
        """The image for the window: (h,w,3) uint8 RGB."""
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
        """Save the image that is shown. Should that fail, the run is worth more."""
        path = self._pictures / f"frame_{result.frame.index:06d}.png"
        bgr = cv2.cvtColor(Painter().annotate(result), cv2.COLOR_RGB2BGR)
        try:
            self._pictures.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
        except OSError as error:
            log.warning("cannot save %r: %s", str(path), error.strerror or error)
        else:
            log.info("saved %s", path)


def shrunk(result: Result, width: int, height: int) -> Result:
    """The result with its image and boxes scaled down until they fit; as it is if they do.

    Args:
        result: of one frame.
        width: of the largest image that fits, px.
        height: of the largest image that fits, px.
    """
    frame = result.frame
    scale = min(width / frame.width, height / frame.height)
    if scale >= 1:
        return result
    small = frame.scaled(max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    factor = np.float32(scale)
    return replace(
        result,
        frame=small,
        detections=replace(result.detections, boxes=result.detections.boxes * factor),
        tracks=replace(result.tracks, boxes=result.tracks.boxes * factor),
    )
