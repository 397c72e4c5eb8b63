"""A connection to a live stream that FFmpeg reads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from vidan.errors import SourceError
from vidan.types import Frame

from ..pacing import MAX_PAUSE_S, Pacer
from .catchup import LateFrameFilter
from .decode import DecodedImage, FrameMaker, VideoReader
from .rate import RateFilter
from .url import Address


class LiveConnection:
    """The newest frames of one connection.

    What arrives as fast as it can be downloaded - a playlist of short files, a file at a URL - is
    paced by its timestamps instead.

    Args:
        address: what to connect to.
        frames: makes the stream's frames, from connection to connection.
        rate: frames per second at most; None for all.
        threads: number of decoder threads; 0 for one per CPU core.
        timeout: longest wait for an answer, s.
        stall: longest wait for an image, s.
        stopped: ends all waiting when set.

    Raises:
        SourceError: it cannot be opened; from `read`, it is lost.
    """

    def __init__(
        self,
        address: Address,
        frames: FrameMaker,
        *,
        rate: float | None = None,
        threads: int,
        timeout: float,
        stall: float,
        stopped: threading.Event,
    ) -> None:
        self._address = address
        self._frames = frames
        self._reader = VideoReader(
            address, threads=threads, timeout=timeout, stall=stall, stopped=stopped
        )
        self._finite = self._reader.segmented or not self._reader.endless
        paced = self._finite and not address.live
        self._pacer = Pacer(stopped, MAX_PAUSE_S) if paced else None
        self._images: Iterator[DecodedImage] = iter(
            self._reader if paced else LateFrameFilter(self._reader, self._reader.frame_interval)
        )
        if rate is not None:
            # All are decoded: what the decoder skips depends on which images are late.
            filtered = RateFilter(self._images, rate, self._reader.frame_interval)
            self._images = iter(filtered)
        frames.timeline.jumps = paced and self._reader.jumps
        frames.timeline.resume()

    def read(self) -> Frame | None:
        """The next frame; None at the end of a finite stream."""
        decoded = next(self._images, None)
        if decoded is None:
            if self._finite:
                return None
            raise SourceError(self._address.ended())
        frame = self._frames.make(decoded, self._reader.frame_interval, live=True)
        if self._pacer is not None:
            self._pacer.hold(frame)
        return frame

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()
