"""Opening a video and reading its packets, with bounded waits, through damaged places."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from vidan.errors import SourceError

from .hwaccel import accelerator
from .timeouts import interruptible, resolve_host
from .url import Address

log = logging.getLogger(__name__)

TEXT_FORMATS = {"adf", "bin", "idf", "tty", "xbin"}
"""Demuxers that draw text files as images."""

MAX_READ_FAILURES = 32
"""After this many consecutive failures the rest of a file is given up."""

MIN_COMPLETE_FRACTION = 0.9
"""A video that ends before this fraction of its announced duration is reported as cut short."""

END_TOLERANCE_INTERVALS = 5
"""... unless it ends within this many frame intervals of it."""

EDITABLE_FORMAT = "mov"
"""Demuxer of MP4 and MOV, whose edit lists hide frames that are announced: only the duration counts
there."""


def open_video(
    address: Address, timeout: float, stall: float, stopped: threading.Event
) -> tuple[InputContainer, VideoStream]:
    """Open an address and select the best video stream.

    Args:
        address: what to open.
        timeout: longest wait for a server to answer, s.
        stall: longest wait for a server to continue, s.
        stopped: ends the wait when set.

    Raises:
        SourceError: it cannot be opened or contains no video.
    """
    if not address.local:
        try:
            resolve_host(address.target, stopped, timeout)
        except OSError as error:
            raise SourceError(address.cannot_resolve(error)) from error
    with interruptible(stopped):
        container = _open(address, timeout, stall)
    try:
        return container, _video_stream(container, address)
    except SourceError:
        container.close()
        raise


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
        # A wait that was interrupted may raise any error.
        timed_out = not address.local and time.monotonic() - started >= timeout
        address.redact(error)
        why = address.no_data(timeout) if timed_out else address.cannot_open(error)
        raise SourceError(why) from error


def _video_stream(container: InputContainer, address: Address) -> VideoStream:
    stream = container.streams.best("video")
    _note_choice(container, stream, address)
    cover = stream is not None and bool(stream.disposition & Disposition.attached_pic)
    if not isinstance(stream, VideoStream) or cover or container.format.name in TEXT_FORMATS:
        raise SourceError(address.no_video(other.type for other in container.streams))
    if stream.codec_context is None:
        raise SourceError(f"FFmpeg cannot decode the video in {address!r}: convert it to H.264")
    return stream


def _note_choice(container: InputContainer, chosen: Stream | None, address: Address) -> None:
    """Log which of several videos is read: FFmpeg prefers the default, then the largest."""
    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if len(videos) > 1 and chosen in videos:
        numbers = [f"{v.index} ({_size(v)})" for v in videos]
        which = numbers[videos.index(chosen)]
        log.warning("%r contains videos %s: reading %s", address, ", ".join(numbers), which)


def _size(stream: VideoStream) -> str:
    """Width and height, unless FFmpeg does not know the codec."""
    unknown = stream.codec_context is None
    return "unknown codec" if unknown else f"{stream.width}x{stream.height}"


class DamageReport:
    """Logs damage to a video: the first place at once, their number at the end.

    Args:
        address: of the video.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._count = 0
        self._latest: av.error.FFmpegError | None = None

    def note(self, error: av.error.FFmpegError) -> None:
        """Record a damaged place with FFmpeg's error."""
        self._count += 1
        self._latest = error
        if self._count == 1:
            log.warning("%r is damaged (%s): skipping the damage", self._address, error.strerror)

    def no_image(self) -> str:
        """The error if no image could be decoded."""
        why = f" ({self._latest.strerror})" if self._latest else ""
        advice = self._address.undecodable()
        return f"no image in {self._address!r} can be decoded{why}: {advice}"

    def finish(
        self,
        count: int,
        announced: int | None,
        end: float,
        duration: float,
        frame_interval: float,
        *,
        editable: bool,
    ) -> None:
        """Log what was missing, as far as it can be known.

        Args:
            count: number of images read.
            announced: number of images that the container announces; None if it does not.
            end: when the last image ended, s from the first; or the sound, if that is later.
            duration: announced duration, s; 0 if there is none.
            frame_interval: usual time from one image to the next, s.
            editable: whether an edit list may hide frames that are announced.
        """
        if self._count > 1:
            log.warning("%r is damaged in %d places", self._address, self._count)
        if announced is None:
            tolerance = END_TOLERANCE_INTERVALS * frame_interval
            if end + tolerance < MIN_COMPLETE_FRACTION * duration:
                self._cut_short(f"after {end:.1f} of {duration:.1f} s")
        elif count < announced - 1 and not (editable and end + frame_interval >= duration):
            # One frame less is usual in AVI files, whose headers may count one too many.
            self._cut_short(f"after {count} of {announced} frames")

    def _cut_short(self, where: str) -> None:
        log.warning("%r ended %s: it may be cut short", self._address, where)


class PacketReader:
    """The packets of a video; None at the end, which flushes the decoder.

    The stall timeout applies to images: packets of sound, or without a decodable image, do not
    restart it.

    Args:
        container: to read from.
        stream: its video.
        address: of it, for errors.
        damage: records packets that cannot be read.
        stall: longest wait for an image, s.
        first_extra: how much longer the first image may take, s.
        stopped: ends all waiting when set.

    Attributes:
        arrived: when the latest packet arrived, s of `time.monotonic()`.
        waited: how long reading it took, s.
        sound_end: in a local file, when the latest packet of sound ended, s from the start.

    Raises:
        SourceError: from the iteration and `check_stall`: no image arrived for too long, or
            reading failed.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        address: Address,
        damage: DamageReport,
        *,
        stall: float,
        first_extra: float,
        stopped: threading.Event,
    ) -> None:
        self._container = container
        self._stream = stream
        self._address = address
        self._damage = damage
        self._stall = stall
        self._stopped = stopped
        self.arrived = time.monotonic()
        self.waited = 0.0
        self.sound_end = 0.0
        self._last_image = self.arrived + first_extra

    def __iter__(self) -> Iterator[av.Packet[Any] | None]:
        failures = 0
        while failures < MAX_READ_FAILURES:
            try:
                for packet in self._demux():
                    failures = 0
                    if packet.size:
                        yield packet
                break
            except av.error.FFmpegError as error:
                self._address.redact(error)
                # A wait that was interrupted may raise any error.
                self.check_stall()
                if isinstance(error, av.error.ExitError | av.error.TimeoutError):
                    raise SourceError(self._address.no_data(self._stall)) from error
                if not isinstance(error, av.error.InvalidDataError):
                    raise SourceError(self._address.cannot_read(error)) from error
                failures += 1
                self._damage.note(error)
        yield None

    def note_image(self) -> None:
        """Restart the stall timeout."""
        self._last_image = time.monotonic()

    def check_stall(self) -> None:
        """Raise SourceError if no image arrived for too long, whatever else did."""
        if time.monotonic() > self._last_image + self._stall:
            raise SourceError(self._address.no_data(self._stall))

    def _demux(self) -> Iterator[av.Packet[Any]]:
        # From a server, sound would only be discarded.
        sound = self._container.streams.audio if self._address.local else ()
        packets = self._container.demux(self._stream, *sound)
        while True:
            started = time.monotonic()
            with interruptible(self._stopped, self._last_image + self._stall):
                packet = next(packets, None)
            if packet is None:
                return
            if packet.stream.index != self._stream.index:
                self._note_sound(packet)
                continue
            self.arrived = time.monotonic()
            self.waited = self.arrived - started
            yield packet

    def _note_sound(self, packet: av.Packet[Any]) -> None:
        if packet.pts is not None and packet.time_base is not None:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            start = (self._container.start_time or 0) / av.time_base
            self.sound_end = max(self.sound_end, end - start)
