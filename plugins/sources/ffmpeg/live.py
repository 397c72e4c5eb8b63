"""A connection to something that sends images when they happen."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from vidan.errors import SourceError
from vidan.types import Frame

from ..pacing import Pace
from ..timeline import Decoded, FrameTimeline
from .catchup import LateFrameFilter
from .decode import Reader
from .url import Address


class LiveConnection:
    """The frames of one connection, the newest there are.

    What comes as fast as it can be had - a playlist of short files, a file behind a URL - is
    paced by its timestamps instead.

    Args:
        address: what to connect to.
        numbering: of the stream's frames, from connection to connection.
        threads: that decode; 0 for as many as there are processors.
        timeout: longest wait for an answer, s.
        stall: longest wait for an image, s.
        stopped: ends all waiting when it is set.

    Raises:
        SourceError: it cannot be opened; from `read`, it is lost.
    """

    def __init__(
        self,
        address: Address,
        numbering: FrameTimeline,
        *,
        threads: int,
        timeout: float,
        stall: float,
        stopped: threading.Event,
    ) -> None:
        self._address = address
        self._numbering = numbering
        self._reader = Reader(
            address, threads=threads, timeout=timeout, stall=stall, stopped=stopped
        )
        self._finite = self._reader.piecewise or not self._reader.endless
        self._pace = Pace(stopped) if self._finite and not address.live else None
        self._pictures: Iterator[Decoded] = iter(
            self._reader if self._pace else LateFrameFilter(self._reader, self._reader.step)
        )
        numbering.resume()

    def read(self) -> Frame | None:
        """The next frame; None behind the last of what has an end."""
        decoded = next(self._pictures, None)
        if decoded is None:
            if self._finite:
                return None
            raise SourceError(self._address.ended())
        frame = self._numbering.frame(decoded, self._reader.step, live=True)
        if self._pace is not None:
            self._pace.hold(frame)
        return frame

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()
