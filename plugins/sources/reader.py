"""Pictures out of whatever FFmpeg reads, damaged files included."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any, Literal, NamedTuple

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vidan.errors import SourceError

from .address import Address
from .hardware import accelerator
from .interrupt import interruptible

log = logging.getLogger(__name__)

TEXT_FORMATS = {"adf", "bin", "idf", "tty", "xbin"}
"""Demuxers that draw text files as pictures."""

PIECEWISE_FORMATS = {"dash", "hls"}
"""Demuxers of playlists of short files."""

MAX_READ_FAILURES = 32
"""After so many failed reads in a row the rest of a file is given up."""

DEFAULT_STEP = 0.04
"""Time between pictures where nothing says it, s."""

SHORT = 0.9
"""A video that ends before this part of the announced duration is reported."""


Skip = Literal["DEFAULT", "NONREF", "NONKEY"]
"""Which pictures a decoder leaves out: none, those that no other needs, all but key frames."""


class Decoded(NamedTuple):
    """A picture, and how it came.

    Attributes:
        picture: as the decoder made it.
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


class Reader:
    """One pass over the pictures of a file or URL, in the order in which they are shown.

    A packet that cannot be decoded counts as one lost picture. Used by one thread at a time.

    Args:
        address: what to read.
        threads: of the decoder; 0 for as many as there are processors.
        timeout: longest wait for a server to answer, s.
        stall: longest wait for a picture of a server, s; None for `timeout`.
        stopped: ends all waiting when it is set.

    Attributes:
        frames: how many pictures the container announces; None if it does not say.
        step: usual time between pictures, s.
        skip: what the decoder leaves out; may be set at any time.

    Raises:
        SourceError: it cannot be opened or has no video; from the iteration, it
            cannot be read further or has no picture that can be decoded.
    """

    def __init__(
        self,
        address: Address,
        *,
        threads: int,
        timeout: float,
        stall: float | None = None,
        stopped: threading.Event | None = None,
    ) -> None:
        self._address = address
        self._stall = math.inf if address.local else stall or timeout
        self._stopped = stopped or threading.Event()
        with interruptible(self._stopped):
            self._container = _open(address, timeout, self._stall)
        try:
            self._stream = _video_stream(self._container, address)
        except SourceError:
            self._container.close()
            raise
        codec = self._stream.codec_context
        # Each frame thread holds one more picture back, which a live stream cannot afford.
        codec.thread_type = "SLICE" if address.live else "AUTO"
        codec.thread_count = threads
        self.skip: Skip = "DEFAULT"
        self._waited = 0.0
        self._arrived = time.monotonic()
        # Some cameras send a key frame, with which pictures begin, but every few seconds.
        self._last_picture = self._arrived + max(0.0, timeout - self._stall)
        self.frames = self._stream.frames or None
        rate = self._stream.average_rate
        self.step = 1 / float(rate) if rate else DEFAULT_STEP
        self._damaged = 0
        self._last_error: av.error.FFmpegError | None = None
        self._pictures = self._read()

    def __iter__(self) -> Iterator[Decoded]:
        return self._pictures

    @property
    def endless(self) -> bool:
        """Whether it does not say how long it is: a camera rather than a file."""
        return not self._duration()

    @property
    def piecewise(self) -> bool:
        """Whether it comes in pieces of some seconds, each as fast as it can be had."""
        return self._container.format.name in PIECEWISE_FORMATS

    def close(self) -> None:
        """Let go of file, connection and decoder; afterwards the iteration is at its end."""
        self._pictures.close()
        self._container.close()

    def _read(self) -> Generator[Decoded]:
        lost = count = 0
        end = 0.0
        for packet in self._packets():
            try:
                skipping = self._skip(packet)
                pictures = self._stream.codec_context.decode(packet)
            except av.error.FFmpegError as error:
                self._note_damage(error)
                pictures, skipping = [], True
            if not pictures:
                lost += skipping
                self._check_patience()
            for picture in pictures:
                stamp = self._stamp(picture)
                end = end if stamp is None else stamp
                count += 1 + lost
                yield Decoded(picture, stamp, lost, self._arrived, self._waited)
                lost = 0
                self._last_picture = time.monotonic()
        if not count:
            raise SourceError(self._nothing())
        self._note_end(count + lost, end)

    def _stamp(self, picture: av.VideoFrame) -> float | None:
        base = self._stream.time_base
        return None if picture.pts is None or base is None else float(picture.pts * base)

    def _packets(self) -> Iterator[av.Packet[Any] | None]:
        """The packets of the video; None at the end, which flushes the decoder."""
        failures = 0
        while failures < MAX_READ_FAILURES:
            try:
                for packet in self._demux():
                    failures = 0
                    if packet.size:
                        yield packet
                break
            except av.error.FFmpegError as error:
                self._address.conceal(error)
                # A wait that was broken off may come back as any error.
                self._check_patience()
                if isinstance(error, av.error.ExitError | av.error.TimeoutError):
                    raise SourceError(self._address.silent(self._stall)) from error
                if not isinstance(error, av.error.InvalidDataError):
                    raise SourceError(self._address.cannot_read(error)) from error
                failures += 1
                self._note_damage(error)
        yield None

    def _demux(self) -> Iterator[av.Packet[Any]]:
        """The packets of the video, each waited for no longer than patience lasts."""
        packets = self._container.demux(self._stream)
        while True:
            started = time.monotonic()
            with interruptible(self._stopped, self._last_picture + self._stall):
                packet = next(packets, None)
            if packet is None:
                return
            self._arrived = time.monotonic()
            self._waited = self._arrived - started
            yield packet

    def _check_patience(self) -> None:
        """Raise a SourceError if for too long there was no picture, whatever else came."""
        if time.monotonic() > self._last_picture + self._stall:
            raise SourceError(self._address.silent(self._stall))

    def _skip(self, packet: av.Packet[Any] | None) -> bool:
        """Tell the decoder what to leave out; whether that is anything."""
        codec = self._stream.codec_context
        # What follows key frames alone would refer to pictures that were left out.
        if codec.skip_frame == "NONKEY" and packet is not None and not packet.is_keyframe:
            return True
        if codec.skip_frame != self.skip:
            codec.skip_frame = self.skip
        return self.skip != "DEFAULT"

    def _note_damage(self, error: av.error.FFmpegError) -> None:
        self._damaged += 1
        self._last_error = error
        if self._damaged == 1:
            log.warning("%r is damaged (%s): going on behind it", self._address, error.strerror)

    def _nothing(self) -> str:
        why = f" ({self._last_error.strerror})" if self._last_error else ""
        advice = self._address.no_picture()
        return f"no picture in {self._address!r} can be decoded{why}: {advice}"

    def _note_end(self, count: int, end: float) -> None:
        """Say what was not there, as far as can be told: the last of `count` came at `end` s."""
        if self._damaged > 1:
            log.warning("%r is damaged in %d places", self._address, self._damaged)
        duration = self._duration()
        if self.frames is not None and count < self.frames:
            self._note_short(f"after {count} of the {self.frames} frames")
        elif self.frames is None and end + 5 * self.step < SHORT * duration:
            self._note_short(f"{end:.1f} s into the {duration:.1f} s")

    def _note_short(self, where: str) -> None:
        log.warning("%r ended %s that it announces: it may be cut short", self._address, where)

    def _duration(self) -> float:
        """The announced duration, s; 0 if there is none."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        return (self._container.duration or 0) / av.time_base


def _open(address: Address, timeout: float, stall: float) -> InputContainer:
    address.check()
    device = accelerator(address.hwaccel)
    started = time.monotonic()
    try:
        return av.open(
            address.target,
            options=address.options,
            metadata_errors="replace",
            hwaccel=device,
            timeout=None if address.local else (timeout, stall),
        )
    except av.error.FFmpegError as error:
        # A wait that was broken off may come back as any error.
        late = not address.local and time.monotonic() - started >= timeout
        address.conceal(error)
        why = address.silent(timeout) if late else address.cannot_open(error)
        raise SourceError(why) from error


def _video_stream(container: InputContainer, address: Address) -> VideoStream:
    stream = container.streams.best("video")
    cover = stream is not None and bool(stream.disposition & Disposition.attached_pic)
    if not isinstance(stream, VideoStream) or cover or container.format.name in TEXT_FORMATS:
        raise SourceError(address.no_video(other.type for other in container.streams))
    if stream.codec_context is None:
        raise SourceError(f"FFmpeg cannot decode the video in {address!r}: convert it to H.264")
    return stream
