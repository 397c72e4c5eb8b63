"""`source=file`: a video file or URL."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

from vidan import options
from vidan.types import Frame

from ..pacing import Pace
from ..reconnect import Connection, Session, SessionSource
from ..timeline import FrameTimeline
from .decode import Reader
from .hwaccel import Hardware
from .live import LiveConnection
from .rtsp import live_options
from .url import Address

log = logging.getLogger(__name__)


class Recording:
    """The frames of a file, or of a URL that is read like one.

    Args:
        address: where it is.
        numbering: of its frames.
        loop: whether to begin again at the end, for ever.
        pace: lets frames through when they are due; None to give them at once.
        threads: that decode; 0 for as many as there are processors.
        timeout: longest wait for a server, s.
        stopped: ends all waiting when it is set.

    Raises:
        SourceError: it cannot be opened or has no video; from `read`, it cannot be read further.
    """

    def __init__(
        self,
        address: Address,
        numbering: FrameTimeline,
        *,
        loop: bool,
        pace: Pace | None,
        threads: int,
        timeout: float,
        stopped: threading.Event,
    ) -> None:
        self._numbering = numbering
        self._loop = loop
        self._pace = pace
        self._open = partial(Reader, address, threads=threads, timeout=timeout, stopped=stopped)
        self._reader = self._open()

    @property
    def frames(self) -> int | None:
        """How many there will be, as far as the container says."""
        return None if self._loop else self._reader.frames

    def read(self) -> Frame | None:
        """The next frame; None behind the last."""
        decoded = next(iter(self._reader), None)
        if decoded is None and self._loop:
            self._reader.close()
            self._reader = self._open()
            self._numbering.restart()
            decoded = next(iter(self._reader), None)
        if decoded is None:
            return None
        frame = self._numbering.frame(decoded, self._reader.step)
        if self._pace is not None:
            self._pace.hold(frame)
        return frame

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


class VideoFile(SessionSource):
    """The frames of a video file or URL, by anything that FFmpeg reads.

    Stream time follows the file's own timestamps, from 0 at the first frame, so that a
    variable frame rate is kept. Frames are turned as the file says. Where the file is damaged
    the frames that cannot be decoded leave gaps in the index; where it is cut short,
    it ends early. Both are logged.

    The frames can be had once: a second `iter()` goes on where the first stopped. A camera
    can be had as well, until it is lost: `source=rtsp` gets it back.

    Args:
        path: of a file, or a URL: http, https, rtsp, rtmp, udp, srt and so on.
        stream: name of the stream; None for the file's name without its suffix.
        live: whether frames come when they are due and are left out when they are late.
            None for what the path says: rtsp, rtmp, udp, srt are live, a file is not. A file
            made live is paced by its timestamps like a camera.
        loop: whether to begin again at the end, for ever.
        threads: that decode; 0 for as many as there are processors.
        hwaccel: the device that decodes, or `auto` for the best there is; the processor does where
            none starts or none can decode the video.
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
        hwaccel: Hardware = "none",
        timeout: float = 10.0,
    ) -> None:
        options.text("source.path", path)
        if stream is not None:
            options.text("source.stream", stream)
        options.positive("source.timeout", timeout)
        options.whole("source.threads", threads, 0)
        options.choice("source.hwaccel", hwaccel, get_args(Hardware))
        address = Address(path)
        address.hwaccel = hwaccel
        self.live = address.live if live is None else live
        self.stream = stream or address.name
        self._stopped = threading.Event()
        numbering = FrameTimeline(self.stream)

        open_: Callable[[], Connection]
        common: dict[str, Any] = {"threads": threads, "timeout": timeout, "stopped": self._stopped}
        if address.live:
            log.info("%r is a camera: source=rtsp connects again when it is lost", address)
            address.options |= live_options()
            open_ = partial(LiveConnection, address, numbering, stall=timeout, **common)
        else:
            pace = Pace(self._stopped) if self.live else None
            open_ = partial(Recording, address, numbering, loop=loop, pace=pace, **common)
        self._session = Session(repr(address), open_, self._stopped)

    @property
    def frames(self) -> int | None:
        """How many frames the container announces; None if it does not say, or with `loop`."""
        connection = self._session.connection
        return connection.frames if isinstance(connection, Recording) else None
