"""The packets of a video, each waited for no longer than patience lasts."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vidan.errors import SourceError

from .hwaccel import accelerator
from .timeouts import interruptible, look_up
from .url import Address

TEXT_FORMATS = {"adf", "bin", "idf", "tty", "xbin"}
"""Demuxers that draw text files as images."""


def open_video(
    address: Address, timeout: float, stall: float, stopped: threading.Event
) -> tuple[InputContainer, VideoStream]:
    """What is at an address, opened, and the best video in it.

    Args:
        address: what to open.
        timeout: longest wait for a server to answer, s.
        stall: longest wait for a server to go on, s.
        stopped: ends the waiting when it is set.

    Raises:
        SourceError: it cannot be opened or has no video.
    """
    if not address.local:
        try:
            look_up(address.target, stopped, timeout)
        except OSError as error:
            raise SourceError(address.unknown(error)) from error
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


log = logging.getLogger(__name__)


SHORT = 0.9
"""A video that ends before this part of the announced duration is reported."""


class Damage:
    """The places where a video is damaged: the first is logged at once, their number at the end.

    Args:
        address: of the video.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._count = 0
        self._latest: av.error.FFmpegError | None = None

    def note(self, error: av.error.FFmpegError) -> None:
        """There is one more, of which FFmpeg says this."""
        self._count += 1
        self._latest = error
        if self._count == 1:
            log.warning("%r is damaged (%s): going on behind it", self._address, error.strerror)

    def nothing(self) -> str:
        """What to say if not one image could be decoded."""
        why = f" ({self._latest.strerror})" if self._latest else ""
        advice = self._address.no_image()
        return f"no picture in {self._address!r} can be decoded{why}: {advice}"

    def report(
        self, count: int, frames: int | None, end: float, duration: float, step: float
    ) -> None:
        """Log what was not there, as far as can be told.

        Args:
            count: of the images that there were.
            frames: how many were announced; None if that was not said.
            end: when the last was shown, s.
            duration: as announced, s; 0 if that was not said.
            step: usual time between images, s.
        """
        if self._count > 1:
            log.warning("%r is damaged in %d places", self._address, self._count)
        if frames is not None and count < frames:
            self._short(f"after {count} of the {frames} frames")
        elif frames is None and end + 5 * step < SHORT * duration:
            self._short(f"{end:.1f} s into the {duration:.1f} s")

    def _short(self, where: str) -> None:
        log.warning("%r ended %s that it announces: it may be cut short", self._address, where)


MAX_READ_FAILURES = 32
"""After so many failed reads in a row the rest of a file is given up."""


class Packets:
    """The packets of a video; None at the end, which flushes the decoder.

    Patience is with images: packets of sound, or that no image can be made of, do not renew it.

    Args:
        container: to read from.
        stream: the video in it.
        address: of it, for errors.
        damage: what is noted where a packet cannot be read.
        patience: longest wait for an image, s.
        longer: how much longer the first may take, s.
        stopped: ends all waiting when it is set.

    Attributes:
        arrived: when the latest packet came, s of `time.monotonic()`.
        waited: how long it was waited for, s.

    Raises:
        SourceError: from the iteration and `check_patience`: there was no image for too long, or
            it cannot be read further.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        address: Address,
        damage: Damage,
        *,
        patience: float,
        longer: float,
        stopped: threading.Event,
    ) -> None:
        self._container = container
        self._stream = stream
        self._address = address
        self._damage = damage
        self._patience = patience
        self._stopped = stopped
        self.arrived = time.monotonic()
        self.waited = 0.0
        self._last_image = self.arrived + longer

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
                self._address.conceal(error)
                # A wait that was broken off may come back as any error.
                self.check_patience()
                if isinstance(error, av.error.ExitError | av.error.TimeoutError):
                    raise SourceError(self._address.silent(self._patience)) from error
                if not isinstance(error, av.error.InvalidDataError):
                    raise SourceError(self._address.cannot_read(error)) from error
                failures += 1
                self._damage.note(error)
        yield None

    def image_came(self) -> None:
        """Patience begins anew."""
        self._last_image = time.monotonic()

    def check_patience(self) -> None:
        """Raise a SourceError if for too long there was no image, whatever else came."""
        if time.monotonic() > self._last_image + self._patience:
            raise SourceError(self._address.silent(self._patience))

    def _demux(self) -> Iterator[av.Packet[Any]]:
        packets = self._container.demux(self._stream)
        while True:
            started = time.monotonic()
            with interruptible(self._stopped, self._last_image + self._patience):
                packet = next(packets, None)
            if packet is None:
                return
            self.arrived = time.monotonic()
            self.waited = self.arrived - started
            yield packet
