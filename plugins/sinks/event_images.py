"""Images of events, as files in memory: all that leave by an alert or a snapshot are made here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import cv2

from vidan.events import APPEARED, CONFIRMED, Event
from vidan.types import Image, Result

from .drawing.options import Values
from .drawing.painter import Painter

PROMPT = {APPEARED, CONFIRMED}
"""Kinds that are known in the frame in which they happen."""

REACH_S = 1.5
"""How far back the kept frames reach, in stream time: crossings are known within 1 s."""

SPACING_S = 0.1
"""Stream time from one kept frame to the next: every frame would take 100 MB of 1080p video."""


class EventImages:
    """Makes an image of an event from the frame in which it happened.

    An event that is known later than it happened, such as a crossing, is shown to 0.1 s, as far as
    it is at most 1.5 s ago, and else in the oldest frame that is kept. For that, frames are kept
    unless all events are `object.appeared` or `object.confirmed`; they take about 50 MB at 1080p.

    Args:
        kinds: kinds of the events, or patterns.
        drawing: options of the config group `drawing`; None to draw nothing.
        quality: JPEG quality, 1 to 100.
        suffix: `.jpg`, `.jpeg` or `.png`.

    Attributes:
        newest: the newest frame; None if there is none.

    Raises:
        ConfigError: an option of drawing has an invalid value.
    """

    def __init__(
        self, kinds: Iterable[str], drawing: Values, quality: int, suffix: str = ".jpg"
    ) -> None:
        Painter.of(drawing)  # raises for invalid options
        self._drawing, self._quality, self._suffix = drawing, quality, suffix
        self._reach = 0.0 if PROMPT.issuperset(kinds) else REACH_S
        self._kept: deque[Result] = deque()  # the newest is the last one

    @property
    def newest(self) -> Result | None:
        """See the class."""
        return self._kept[-1] if self._kept else None

    def see(self, result: Result) -> None:
        """Keep a frame for a while."""
        kept, now = self._kept, result.frame.time
        if len(kept) > 1 and kept[-1].frame.time - kept[-2].frame.time < SPACING_S:
            kept.pop()
        kept.append(result)
        # The others are in the future if the source's clock was set back.
        while len(kept) > 1 and not now - self._reach <= kept[0].frame.time <= now:
            kept.popleft()

    def of(self, event: Event) -> tuple[Result, bytes]:
        """The frame that shows an event, and its image; there must be a frame."""
        result = min(self._kept, key=lambda r: abs(r.frame.time - event.time))
        # A new painter: the event of this image only is highlighted, at its own time.
        painter = Painter.of(self._drawing)
        rgb = painter.annotate(replace(result, events=(replace(event, data={}),)))
        return result, encoded(rgb, self._quality, self._suffix)

    def clear(self) -> None:
        """Keep no more frames."""
        self._kept.clear()


def encoded(rgb: Image, quality: int, suffix: str = ".jpg") -> bytes:
    """An image as a file.

    Args:
        rgb: (H,W,3) uint8.
        quality: of JPEG, 1 to 100.
        suffix: `.jpg`, `.jpeg` or `.png`.
    """
    settings = [] if suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), settings)[1].tobytes()
