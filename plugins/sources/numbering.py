"""Frames of one stream out of the pictures of all that it is read from."""

from __future__ import annotations

import logging

from .clock import StreamTime
from .frames import VideoFrame, shown_size
from .reader import Decoded

log = logging.getLogger(__name__)

LEAP = 30.0
"""Timestamps that run ahead of the clock by more than this were set anew, s."""


class OneSize:
    """The size of the first picture, which is that of the stream.

    Whoever follows or records a stream could do nothing with a change in its midst.

    Args:
        stream: name of the stream, for the log.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._first: tuple[int, int] | None = None
        self._latest: tuple[int, int] | None = None

    def of(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height that a picture of that size is to have; a change is logged."""
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


class Numbering:
    """Numbers pictures, puts them in time and into one size, whatever they are read from.

    Args:
        stream: name of the stream.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._clock = StreamTime()
        self._index = -1
        self._size = OneSize(stream)
        self._arrived: float | None = None  # when the latest came, s
        self._stamp: float | None = None  # its timestamp, s
        self._resumed = False

    def restart(self) -> None:
        """The next picture is from the beginning again, and follows the last as usual."""
        self._clock.restart()
        self._stamp = None

    def resume(self) -> None:
        """The next picture is the first behind a loss: index and time go on by its length."""
        self._resumed = True

    def frame(self, decoded: Decoded, step: float, *, live: bool = False) -> VideoFrame:
        """The next frame.

        Args:
            decoded: its picture.
            step: usual time between pictures, s.
            live: whether the picture came when it happened.
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
        """How long there was no picture, s; None unless the timestamps cannot tell."""
        if self._arrived is None:
            return None
        passed = decoded.arrived - self._arrived
        if self._resumed:
            return passed
        if not live or decoded.stamp is None or self._stamp is None:
            return None
        return passed if decoded.stamp - self._stamp > passed + LEAP else None
