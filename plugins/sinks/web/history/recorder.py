"""Records what a sink gets into a history."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidan.events import Event
from vidan.frames import Box
from vidan.images import jpeg
from vidan.types import Result

from ...clock import StreamClock
from .store import HistoryStore

IMAGE_SIZE, IMAGE_QUALITY = 240, 75
"""Longer side of the images of events, px, and JPEG quality."""

IMAGE_EVERY_S = 0.5
"""Time between two images, s: others events have none."""

MARGIN = 0.3
"""Around the box of an event in its image, as a fraction of its size."""


class HistoryRecorder:
    """Writes events and numbers of objects with their date, and small images of events.

    Args:
        path: of the file.
        run: id of the run.
        keep: age after which rows are deleted, s.
        live: whether frames arrive now, as from a camera: their dates are known.

    Attributes:
        path: as given.
        dated: whether times are s since 1970, else stream time.

    Raises:
        SinkError: the file cannot be opened.
    """

    def __init__(self, path: Path, run: str, keep: float, *, live: bool) -> None:
        self.path, self.dated = path, live
        self._store = HistoryStore(path, run, keep)
        self._clock = StreamClock(live=live)
        self._events: list[Event] = []  # since the last frame
        self._image_at = -IMAGE_EVERY_S

    def emit(self, events: Sequence[Event]) -> None:
        """Take events, which are written with the next frame: it tells the time."""
        self._events += events

    def write(self, result: Result) -> None:
        """Write the events, and count the objects in the frame."""
        self._clock.follow(result.frame)
        offset = self._clock.offset
        events, self._events = self._events, []
        for event in events:
            self._store.add(event, event.time + offset, self._image(event, result))
        self._store.see(result, result.frame.time + offset)

    def close(self) -> None:
        """Write what is left."""
        for event in self._events:
            self._store.add(event, event.time + self._clock.offset, None)
        self._store.close()

    def _image(self, event: Event, result: Result) -> bytes | None:
        """The object as it is now, or the place of the event."""
        now = time.monotonic()
        if event.box is None or now - self._image_at < IMAGE_EVERY_S:
            return None
        self._image_at = now
        found = np.flatnonzero(result.tracks.ids == event.track)
        box = tuple(result.tracks.boxes[found[0]].tolist()) if len(found) else event.box
        frame = result.frame
        x1, y1, x2, y2 = _around((box[0], box[1], box[2], box[3]), frame.width, frame.height)
        if x2 - x1 < 1 or y2 - y1 < 1:
            return None
        scale = min(1.0, IMAGE_SIZE / max(x2 - x1, y2 - y1))
        width, height = max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))
        return jpeg(frame.resized_crop((x1, y1, x2, y2), width, height), IMAGE_QUALITY)


def _around(box: tuple[float, float, float, float], width: int, height: int) -> Box:
    """A box with a margin, in the image."""
    x1, y1, x2, y2 = box
    dx, dy = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    return (
        int(max(0, x1 - dx)),
        int(max(0, y1 - dy)),
        int(min(width, x2 + dx)),
        int(min(height, y2 + dy)),
    )
