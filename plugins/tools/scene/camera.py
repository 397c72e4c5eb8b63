"""Images of a source for the scene editor."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from vidan.errors import VidanError
from vidan.frames import Frame
from vidan.images import Image, jpeg
from vidan.interfaces import Source

STEP_S = 5.0
"""Stream time between two images of a file."""

FIRST_IMAGE_S = 15.0
"""Longest time to wait for the first image."""


class SourceCamera:
    """Reads a source: a live one all the time, for its newest image, a file when asked to.

    Args:
        source: of the images; it is closed with this.
        labels: that a shape may name; () for any.

    Attributes:
        error: why there are no images anymore; None while there are.
    """

    def __init__(self, source: Source, labels: Sequence[str] = ()) -> None:
        self.labels = tuple(labels)
        self.error: VidanError | None = None
        self._source = source
        self._image: Image | None = None
        self._changed = threading.Condition()
        self._wanted_time = 0.0
        self._time = 0.0
        self._ended = self._closed = False
        self._thread = threading.Thread(target=self._read, name="vidan-scene", daemon=True)
        self._thread.start()

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the images, px; None before the first."""
        image = self._image
        return None if image is None else (image.shape[1], image.shape[0])

    def jpeg(self) -> bytes | None:
        """The newest image; None if there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._image is not None or self._ended, FIRST_IMAGE_S)
            image = self._image
        return None if image is None else jpeg(image, 85)

    def advance(self) -> bool:
        """Go on by STEP_S in a file; False if it ends before, or the source is live."""
        if self._source.live:
            return False
        with self._changed:
            wanted = self._wanted_time = self._time + STEP_S
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._time >= wanted or self._ended, FIRST_IMAGE_S)
            return self._time >= wanted

    def close(self) -> None:
        """End reading, and close the source."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._source.close()
        self._thread.join(2.0)

    def _read(self) -> None:
        try:
            for frame in self._source:
                self._take(frame)
                if self._closed:
                    break
        except VidanError as error:
            self.error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _take(self, frame: Frame) -> None:
        """Keep an image if it is the one that is wanted; then wait for the next request."""
        if not self._source.live and frame.time < self._wanted_time:
            return
        image = frame.rgb()
        with self._changed:
            self._image, self._time = image, frame.time
            self._changed.notify_all()
            if not self._source.live:
                self._changed.wait_for(lambda: self._closed or self._wanted_time > self._time)
