"""`source=file`: a video file or URL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from vidan import options
from vidan.types import Frame

from .address import Address
from .clock import Pace, StreamTime
from .frames import VideoFrame
from .reader import Reader


class VideoFile:
    """The frames of a video file or URL, by anything that FFmpeg reads.

    Stream time follows the file's own timestamps, from 0 at the first frame, so that a
    variable frame rate is kept. Frames are turned as the file says. Where the file is damaged
    the frames that cannot be decoded leave gaps in the index; where it is cut short,
    it ends early. Both are logged.

    The frames can be had once: a second `iter()` goes on where the first stopped.

    Args:
        path: of a file, or a URL: http, https, rtsp, rtmp, udp, srt and so on.
        stream: name of the stream; None for the file's name without its suffix.
        live: whether frames come when they are due and are left out when they are late.
            None for what the path says: rtsp, rtmp, udp, srt are live, a file is not. A file
            made live is paced by its timestamps like a camera.
        loop: whether to begin again at the end, for ever.
        threads: that decode; 0 for as many as there are processors.
        timeout: longest wait for a server to answer or to go on sending, s.

    Attributes:
        live: as in Source.
        stream: name of the stream.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: it cannot be opened, is no video, or (later) cannot be read further.
    """

    def __init__(
        self,
        path: str,
        stream: str | None = None,
        live: bool | None = None,
        loop: bool = False,
        threads: int = 0,
        timeout: float = 10.0,
    ) -> None:
        options.text("source.path", path)
        if stream is not None:
            options.text("source.stream", stream)
        options.positive("source.timeout", timeout)
        options.whole("source.threads", threads, 0)
        self._address = Address(path)
        self._threads = threads
        self._timeout = timeout
        self._loop = loop
        self.live = self._address.live if live is None else live
        self.stream = stream or self._address.name
        self._closed = threading.Event()
        self._reading = threading.Lock()
        self._clock = StreamTime()
        # What comes over a live protocol has its pace already.
        self._pace = Pace(self._closed) if self.live and not self._address.live else None
        self._index = -1
        self._reader: Reader | None = self._open()

    @property
    def frames(self) -> int | None:
        """How many frames the container announces; None if it does not say, or with `loop`."""
        return None if self._reader is None or self._loop else self._reader.frames

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self._next()) is not None:
            yield frame

    def close(self) -> None:
        """Let go of file or connection; the iteration ends. From any thread."""
        self._closed.set()
        with self._reading:
            if self._reader is not None:
                self._reader.close()
            # Its decoder ends with the last reference to it.
            self._reader = None

    def _open(self) -> Reader:
        return Reader(self._address, threads=self._threads, timeout=self._timeout)

    def _next(self) -> Frame | None:
        with self._reading:
            frame = self._decode()
            if frame is None and self._loop and self._reader is not None:
                self._reader.close()
                self._reader = self._open()
                self._clock.restart()
                frame = self._decode()
        if frame is not None and self._pace is not None:
            self._pace.wait(frame.time)
            frame.captured = time.monotonic()
        return None if self._closed.is_set() else frame

    def _decode(self) -> Frame | None:
        if self._reader is None:
            return None
        decoded = next(iter(self._reader), None)
        if decoded is None:
            return None
        gap = 1 + decoded.lost
        self._index += gap
        return VideoFrame(
            decoded.picture,
            index=self._index,
            time=self._clock.of(decoded.stamp, gap * self._reader.step),
            captured=time.monotonic(),
            stream=self.stream,
        )
