"""`source=file`: a video file or URL."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from vidan import options
from vidan.errors import SourceError
from vidan.types import Frame

from ..pacing import MAX_PAUSE_S, Pacer
from ..reconnect import Connection, Session, SessionSource
from .animation import AnimationReader, is_animated_webp
from .decode import FrameMaker, VideoReader, decoder_threads
from .hwaccel import Hardware
from .live import LiveConnection
from .rate import RateFilter
from .rtsp import live_options
from .url import Address

log = logging.getLogger(__name__)


def open_reader(address: Address, **options: Any) -> VideoReader | AnimationReader:
    """A reader of a file or URL; for `options` see VideoReader."""
    if address.file is not None and is_animated_webp(address.file):
        return AnimationReader(address.file)
    return VideoReader(address, **options)


class FileConnection:
    """The frames of a file, or of a URL that is read like one.

    Args:
        address: where it is.
        frames: makes its frames.
        loop: whether to start over at the end, forever.
        rate: frames per second at most; None for all.
        pacer: delays frames until they are due; None to return them at once.
        threads: number of decoder threads; 0 for one per CPU core.
        timeout: longest wait for a server, s.
        stopped: ends all waiting when set.

    Raises:
        SourceError: it cannot be opened or has no video; from `read`, it cannot be read further.
    """

    def __init__(
        self,
        address: Address,
        frames: FrameMaker,
        *,
        loop: bool,
        rate: float | None,
        pacer: Pacer | None,
        threads: int,
        timeout: float,
        stopped: threading.Event,
    ) -> None:
        self._frames = frames
        self._loop, self._rate = loop, rate
        self._pacer = pacer
        self._open = partial(
            open_reader, address, threads=threads, timeout=timeout, stopped=stopped
        )
        self._start()
        frames.timeline.jumps = self._reader.jumps

    def _start(self) -> None:
        self._reader = reader = self._open()
        self._images = iter(reader)
        if self._rate is not None:
            decoder = reader if isinstance(reader, VideoReader) else None
            filtered = RateFilter(self._images, self._rate, reader.frame_interval, decoder)
            self._images = iter(filtered)

    @property
    def frames(self) -> int | None:
        """Number of frames that the container announces; None if unknown or endless."""
        return None if self._loop or self._rate is not None else self._reader.frames

    def read(self) -> Frame | None:
        """The next frame; None after the last."""
        decoded = next(self._images, None)
        if decoded is None and self._loop:
            self._reader.close()
            self._start()
            self._frames.timeline.restart()
            decoded = next(self._images, None)
        if decoded is None:
            return None
        frame = self._frames.make(decoded, self._reader.frame_interval)
        if self._pacer is not None:
            frame.captured = self._pacer.wait(frame.time)
        return frame

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class VideoFile(SessionSource):
    """The frames of a video file or URL, in any format that FFmpeg reads.

    Stream time follows the file's timestamps, from 0 at the first frame, so that a variable
    frame rate is preserved; in formats whose parts can be joined, such as MPEG-TS and HLS, a part
    follows the previous one. Frames have the size, shape and orientation that a player shows:
    pixels that are not square are scaled, HDR is shown with the range of BT.709, transparency is
    ignored. Frames that cannot be decoded leave gaps in the index; a file that is cut short ends
    early. Both are logged, and so is which of several videos is read.

    A playlist on this computer must be named as one (m3u8, ffconcat), and may name files in its
    own folder only.

    Frames can be read once: a second `iter()` continues where the first stopped. A camera can be
    read too, until it is lost: `source=rtsp` reconnects.

    Args:
        path: of a file, or a URL: http, https, rtsp, rtmp, udp, srt and so on.
        stream: name of the stream; None for the file's name without its suffix.
        live: whether frames come when they are due and are dropped when they are late. None
            depends on the path: rtsp, rtmp, udp, srt are live, a file is not. A live file is
            paced by its timestamps like a camera.
        loop: whether to start over at the end, forever.
        rate: frames per second at most; None for all. Others are left out, for all sinks, and
            decoded as far as needed only: not those that no other image refers to, nor those
            between key frames if these come often enough.
        threads: number of decoder threads; 0 for one per CPU core, which several streams share.
        hwaccel: device that decodes, or `auto` for the best available one; the CPU decodes if no
            device works or none can decode the video.
        timeout: longest wait for a server to answer or to continue sending, s.
        streams: number of streams of the run; given by the run.

    Attributes:
        live: as in Source.
        stream: name of the stream.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: it cannot be opened, is not a video, or (later) cannot be read further.
    """

    def __init__(
        self,
        path: str,
        stream: str | None = None,
        live: bool | None = None,
        loop: bool = False,
        rate: Annotated[float, Meta(gt=0, le=1000)] | None = None,
        threads: Annotated[int, Meta(ge=0)] = 0,
        hwaccel: Hardware = "none",
        timeout: Annotated[float, Meta(gt=0, le=86400)] = 10.0,
        streams: int | None = None,
    ) -> None:
        options.text("path", path)
        if stream is not None:
            options.text("stream", stream)
        address = Address(path)
        address.hwaccel = hwaccel
        self.live = address.live if live is None else live
        self.stream = stream or address.name
        stopped = threading.Event()
        frames = FrameMaker(self.stream)

        connect: Callable[[], Connection]
        common: dict[str, Any] = {
            "threads": decoder_threads(threads, streams),
            "timeout": timeout,
            "stopped": stopped,
        }
        if address.live:
            log.info("%r is a camera: source=rtsp reconnects when it is lost", address)
            address.options |= live_options()
            connect = partial(LiveConnection, address, frames, rate=rate, stall=timeout, **common)
        else:
            pacer = Pacer(stopped, MAX_PAUSE_S) if self.live else None
            connect = partial(
                FileConnection, address, frames, loop=loop, rate=rate, pacer=pacer, **common
            )
        self._measure = partial(open_reader, address, **common) if address.local else None
        self._session = Session(repr(address), connect, stopped)

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Width and height of the first image, px; None if it is unknown or not in a local file.

        The file is opened and its first image decoded again, since only that tells how the
        image is rotated.
        """
        if self._measure is None:
            return None
        try:
            with closing(self._measure()) as reader:
                first = next(iter(reader), None)
        except SourceError:  # the run reports it
            return None
        return None if first is None else first.size

    @property
    def frames(self) -> int | None:
        """Number of frames that the container announces; None if unknown, with `loop` or `rate`."""
        connection = self._session.connection
        return connection.frames if isinstance(connection, FileConnection) else None
