"""Frames of one stream out of the images of all that it is read from."""

from __future__ import annotations

import logging
from typing import NamedTuple

import av
import av.error
import cv2
import numpy as np

from vidan.types import Image

from .frames import VideoFrame, shown_size
from .pacing import StreamTime

log = logging.getLogger(__name__)


LEAP = 30.0
"""Timestamps that run ahead of the clock by more than this were set anew, s."""


class FixedSize:
    """The size of the first image, which is that of the stream.

    Whoever follows or records a stream could do nothing with a change in its midst.

    Args:
        stream: name of the stream, for the log.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._first: tuple[int, int] | None = None
        self._latest: tuple[int, int] | None = None

    def of(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height that an image of that size is to have; a change is logged."""
        if self._first is None:
            self._first = self._latest = size
        if size != self._latest:
            self._latest = size
            log.warning(
                "%s: pictures are now %dx%d; they are scaled to %dx%d, as the stream began",
                self._stream,
                *size,
                *self._first,
            )
        return self._first


class FrameTimeline:
    """Numbers images, puts them in time and into one size, whatever they are read from.

    Args:
        stream: name of the stream.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._clock = StreamTime()
        self._index = -1
        self._size = FixedSize(stream)
        self._arrived: float | None = None  # when the latest came, s
        self._stamp: float | None = None  # its timestamp, s
        self._resumed = False

    def restart(self) -> None:
        """The next image is from the beginning again, and follows the last as usual."""
        self._clock.restart()
        self._stamp = None

    def resume(self) -> None:
        """The next image is the first behind a loss: index and time go on by its length."""
        self._resumed = True

    def frame(self, decoded: Decoded, step: float, *, live: bool = False) -> VideoFrame:
        """The next frame.

        Args:
            decoded: its image.
            step: usual time between images, s.
            live: whether the image came when it happened.
        """
        gap = 1 + decoded.lost
        pause = self._pause(decoded, live)
        if pause is not None:
            gap = max(gap, round(pause / step))
            self._clock.restart(max(0.0, pause - gap * step))
        self._index += gap
        self._arrived, self._stamp, self._resumed = decoded.arrived, decoded.stamp, False
        return VideoFrame(
            decoded.picture,
            index=self._index,
            time=self._clock.of(decoded.stamp, gap * step),
            captured=decoded.arrived,
            stream=self._stream,
            size=self._size.of(shown_size(decoded.picture)),
        )

    def _pause(self, decoded: Decoded, live: bool) -> float | None:
        """How long there was no image, s; None unless the timestamps cannot tell."""
        if self._arrived is None:
            return None
        passed = decoded.arrived - self._arrived
        if self._resumed:
            return passed
        if not live or decoded.stamp is None or self._stamp is None:
            return None
        return passed if decoded.stamp - self._stamp > passed + LEAP else None


class Shots:
    """Numbers the images of a camera and puts them in time and into one size.

    Args:
        stream: name of the stream.
    """

    def __init__(self, stream: str) -> None:
        self._size = FixedSize(stream)
        self._index = -1
        self._first: float | None = None  # when the first image came, s
        self._last = 0.0  # when the latest came, s
        self._step: float | None = None  # behind a loss only

    def resume(self, step: float) -> None:
        """It is plugged in; usually there are `step` s between two images."""
        self._step = step

    def next(self, captured: float) -> tuple[int, float]:
        """Index and stream time, s, of an image that came at `captured`, s."""
        if self._first is None:
            self._first = self._last = captured
        gap = 1
        if self._step is not None:
            gap = max(1, round((captured - self._last) / self._step))
            self._step = None
        self._index += gap
        self._last = captured
        return self._index, captured - self._first

    def sized(self, rgb: Image) -> Image:
        """The image in the size of the first."""
        height, width, _ = rgb.shape
        size = self._size.of((width, height))
        if size == (width, height):
            return rgb
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


class Decoded(NamedTuple):
    """An image, and how it came.

    Attributes:
        image: as the decoder made it.
        stamp: its timestamp, s; None if it has none.
        lost: how many before it were lost.
        arrived: when the data that completed it were there, s of `time.monotonic()`.
        waited: how long they were waited for, s.
    """

    picture: av.VideoFrame
    stamp: float | None
    lost: int
    arrived: float = 0.0
    waited: float = 0.0
