"""Images out of whatever FFmpeg reads, damaged files included."""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Iterator
from typing import Any, Literal

import av
import av.error

from vidan.errors import SourceError

from ..timeline import Decoded
from .demux import Damage, Packets, open_video
from .url import Address

PIECEWISE_FORMATS = {"dash", "hls"}
"""Demuxers of playlists of short files."""


DEFAULT_STEP = 0.04
"""Time between images where nothing says it, s."""


Skip = Literal["DEFAULT", "NONREF", "NONKEY"]
"""Which images a decoder leaves out: none, those that no other needs, all but key frames."""


class Reader:
    """One pass over the images of a file or URL, in the order in which they are shown.

    A packet that cannot be decoded counts as one lost image. Used by one thread at a time.

    Args:
        address: what to read.
        threads: of the decoder; 0 for as many as there are processors.
        timeout: longest wait for a server to answer, s.
        stall: longest wait for an image of a server, s; None for `timeout`.
        stopped: ends all waiting when it is set.

    Attributes:
        frames: how many images the container announces; None if it does not say.
        step: usual time between images, s.
        skip: what the decoder leaves out; may be set at any time.

    Raises:
        SourceError: it cannot be opened or has no video; from the iteration, it
            cannot be read further or has no image that can be decoded.
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
        stopped = stopped or threading.Event()
        stall = math.inf if address.local else stall or timeout
        self._container, self._stream = open_video(address, timeout, stall, stopped)
        codec = self._stream.codec_context
        # Each frame thread holds one more image back, which a live stream cannot afford.
        codec.thread_type = "SLICE" if address.live else "AUTO"
        codec.thread_count = threads
        self.skip: Skip = "DEFAULT"
        self.frames = self._stream.frames or None
        rate = self._stream.average_rate
        self.step = 1 / float(rate) if rate else DEFAULT_STEP
        self._damage = Damage(address)
        self._packets = Packets(
            self._container,
            self._stream,
            address,
            self._damage,
            patience=stall,
            # Some cameras send a key frame, with which images begin, but every few seconds.
            longer=max(0.0, timeout - stall),
            stopped=stopped,
        )
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
        for packet in self._packets:
            try:
                skipping = self._skip(packet)
                pictures = self._stream.codec_context.decode(packet)
            except av.error.FFmpegError as error:
                self._damage.note(error)
                pictures, skipping = [], True
            if not pictures:
                lost += skipping
                self._packets.check_patience()
            for picture in pictures:
                stamp = self._stamp(picture)
                end = end if stamp is None else stamp
                count += 1 + lost
                yield Decoded(picture, stamp, lost, self._packets.arrived, self._packets.waited)
                lost = 0
                self._packets.image_came()
        if not count:
            raise SourceError(self._damage.nothing())
        self._damage.report(count + lost, self.frames, end, self._duration(), self.step)

    def _stamp(self, picture: av.VideoFrame) -> float | None:
        base = self._stream.time_base
        return None if picture.pts is None or base is None else float(picture.pts * base)

    def _skip(self, packet: av.Packet[Any] | None) -> bool:
        """Tell the decoder what to leave out; whether that is anything."""
        codec = self._stream.codec_context
        # What follows key frames alone would refer to images that were left out.
        if codec.skip_frame == "NONKEY" and packet is not None and not packet.is_keyframe:
            return True
        if codec.skip_frame != self.skip:
            codec.skip_frame = self.skip
        return self.skip != "DEFAULT"

    def _duration(self) -> float:
        """The announced duration, s; 0 if there is none."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        return (self._container.duration or 0) / av.time_base
