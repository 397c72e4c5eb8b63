"""Opening what FFmpeg reads, and finding the video in it."""

from __future__ import annotations

import threading
import time

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vidan.errors import SourceError

from .address import Address
from .hardware import accelerator
from .interrupt import interruptible
from .lookup import look_up

TEXT_FORMATS = {"adf", "bin", "idf", "tty", "xbin"}
"""Demuxers that draw text files as pictures."""


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
