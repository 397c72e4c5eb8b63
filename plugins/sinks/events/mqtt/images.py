"""Images of objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vidan.events import CONFIRMED, Event
from vidan.types import Result

from ...event_images import encoded

MARGIN = 0.1
"""How much an image shows around the box of its object, in widths and heights of the box."""


class ObjectImages:
    """Cuts out an image of each object when it is confirmed.

    Args:
        quality: of the JPEG files, 1 to 100.
    """

    def __init__(self, quality: int) -> None:
        self._quality = quality
        self._waiting: dict[str, Event] = {}  # the newest of each label

    def notice(self, events: Iterable[Event]) -> None:
        """Take note of objects that have been confirmed."""
        for event in events:
            if event.kind == CONFIRMED and event.label and event.box:
                self._waiting[event.label] = event

    def of(self, result: Result) -> Iterator[tuple[str, bytes]]:
        """The label and the JPEG file of each object since the last call, from this frame."""
        waiting, self._waiting = self._waiting, {}
        boxes = dict(zip(result.tracks.ids.tolist(), result.tracks.boxes.tolist(), strict=True))
        for label, event in waiting.items():
            assert event.box is not None
            image = self._cut(result, boxes.get(event.track, event.box))
            if image is not None:
                yield label, image

    def _cut(self, result: Result, box: tuple[float, ...]) -> bytes | None:
        """The JPEG file of a box; None if none of it is in the image."""
        left, top, right, bottom = box
        x, y = MARGIN * (right - left), MARGIN * (bottom - top)
        height, width = result.frame.height, result.frame.width
        rows = slice(max(0, round(top - y)), min(height, round(bottom + y)))
        columns = slice(max(0, round(left - x)), min(width, round(right + x)))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return None
        return encoded(result.frame.rgb()[rows, columns], self._quality)
