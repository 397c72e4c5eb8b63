"""Decoding whatever FFmpeg reads, damaged files included, and making frames of it."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Generator, Iterator
from typing import Any, Literal, NamedTuple

import av
import av.error
from av.format import Flags

from vidan.errors import SourceError

from ..frames import VideoFrame, displayed_size
from ..timeline import FixedSize, FrameTimeline, StreamTime
from .demux import EDITABLE_FORMAT, DamageReport, PacketReader, open_video
from .url import Address

SEGMENTED_FORMATS = {"dash", "hls"}
"""Demuxers of playlists of short files."""

SEEKABLE = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
"""Demuxers of files with an index of key frames."""

DEFAULT_FRAME_INTERVAL_S = 0.04
"""Assumed where the container does not announce a frame rate, s."""

Skip = Literal["DEFAULT", "NONREF", "NONKEY"]
"""What a decoder skips: nothing, images that no other refers to, everything but key frames."""


class DecodedImage(NamedTuple):
    """An image and how it arrived.

    Attributes:
        image: as the decoder made it.
        pts: its presentation timestamp, s; None if it has none.
        lost: number of images lost just before it.
        arrived: when the data that completed it arrived, s of `time.monotonic()`.
        waited: how long reading that data took, s.
        pixel_aspect: width of its pixels divided by their height.
    """

    image: av.VideoFrame
    pts: float | None
    lost: int
    arrived: float = 0.0
    waited: float = 0.0
    pixel_aspect: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as displayed, px."""
        return displayed_size(self.image, self.pixel_aspect)


def decoder_threads(threads: int, streams: int | None) -> int:
    """Decoder threads of one of several streams, which have the cores in common.

    Args:
        threads: as given; 0 for a number that fits.
        streams: number of streams of the run; None if it is not known.

    Returns:
        0 for one per CPU core, as FFmpeg decides.
    """
    if threads or streams in (None, 1):
        return threads
    return max(1, (os.cpu_count() or 1) // streams)


class VideoReader:
    """One pass over the images of a file or URL, in presentation order.

    A packet that cannot be decoded counts as one lost image. Used by one thread at a time.

    Args:
        address: what to read.
        threads: number of decoder threads; 0 for one per CPU core.
        timeout: longest wait for a server to answer, s.
        stall: longest wait for an image from a server, s; None for `timeout`.
        stopped: ends all waiting when set.

    Attributes:
        frames: number of images that the container announces; None if it does not.
        frame_interval: usual time from one image to the next, s.
        jumps: whether timestamps may jump in this format, which allows parts to be joined.
        skip: what the decoder skips; may be set at any time.

    Raises:
        SourceError: it cannot be opened or contains no video; from the iteration, reading failed
            or no image could be decoded.
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
        # Each frame thread delays the output by one image, which a live stream cannot afford.
        codec.thread_type = "SLICE" if address.live else "AUTO"
        codec.thread_count = threads
        self.skip: Skip = "DEFAULT"
        self.frames = self._stream.frames or None
        self.jumps = Flags.ts_discont in Flags(self._container.format.flags)
        rate = self._stream.average_rate
        self.frame_interval = 1 / float(rate) if rate else DEFAULT_FRAME_INTERVAL_S
        self._damage = DamageReport(address)
        self._packets = PacketReader(
            self._container,
            self._stream,
            address,
            self._damage,
            stall=stall,
            # Decoding starts at a key frame, and some cameras send one every few seconds only.
            first_extra=max(0.0, timeout - stall),
            stopped=stopped,
        )
        self._images = self._read()

    def __iter__(self) -> Iterator[DecodedImage]:
        return self._images

    @property
    def endless(self) -> bool:
        """Whether it announces no duration: a camera, not a file."""
        return not self.duration

    @property
    def segmented(self) -> bool:
        """Whether it comes in segments of some seconds, each as fast as it can be downloaded."""
        return self._container.format.name in SEGMENTED_FORMATS

    @property
    def can_seek(self) -> bool:
        """Whether `seek` works in this format: its files have an index of key frames."""
        return self._stream.time_base is not None and self._container.format.name in SEEKABLE

    def seek(self, pts: float) -> None:
        """Continue at the last key frame whose timestamp is at most `pts`, s."""
        assert self._stream.time_base is not None
        offset = int(pts / self._stream.time_base)
        self._container.seek(offset, stream=self._stream, backward=True)
        self._stream.codec_context.flush_buffers()

    def close(self) -> None:
        """Close file, connection and decoder; the iteration ends."""
        self._images.close()
        self._container.close()

    def _read(self) -> Generator[DecodedImage]:
        lost = count = 0
        clock = StreamTime()
        clock.jumps = self.jumps
        end = 0.0
        for packet in self._packets:
            try:
                skipping = self._apply_skip(packet)
                images = self._stream.codec_context.decode(packet)
            except av.error.FFmpegError as error:
                self._damage.note(error)
                images, skipping = [], True
            if not images:
                lost += skipping
                self._packets.check_stall()
            for image in images:
                pts = self._pts(image)
                time = clock.advance(pts, (1 + lost) * self.frame_interval)
                end = max(time, pts or 0.0) + self.frame_interval
                count += 1 + lost
                yield self._decoded(image, pts, lost)
                lost = 0
                self._packets.note_image()
        if not count:
            raise SourceError(self._damage.no_image())
        if not clock.jumped:  # which makes an announced duration meaningless
            self._damage.finish(
                count + lost,
                self.frames,
                max(end, self._packets.sound_end),
                self.duration,
                self.frame_interval,
                editable=EDITABLE_FORMAT in self._container.format.name.split(","),
            )

    def _decoded(self, image: av.VideoFrame, pts: float | None, lost: int) -> DecodedImage:
        packets = self._packets
        aspect = self._stream.sample_aspect_ratio
        if not aspect:
            aspect = self._stream.codec_context.sample_aspect_ratio
        return DecodedImage(
            image, pts, lost, packets.arrived, packets.waited, float(aspect) if aspect else 1.0
        )

    def _pts(self, image: av.VideoFrame) -> float | None:
        base = self._stream.time_base
        return None if image.pts is None or base is None else float(image.pts * base)

    def _apply_skip(self, packet: av.Packet[Any] | None) -> bool:
        """Pass `skip` to the decoder; returns whether it is skipping images."""
        codec = self._stream.codec_context
        # After key frames only, other images would refer to images that were skipped.
        if codec.skip_frame == "NONKEY" and packet is not None and not packet.is_keyframe:
            return True
        if codec.skip_frame != self.skip:
            codec.skip_frame = self.skip
        return self.skip != "DEFAULT"

    @property
    def duration(self) -> float:
        """The announced duration, s; 0 if there is none."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        return (self._container.duration or 0) / av.time_base


class FrameMaker:
    """Makes frames of decoded images, over all connections of one stream.

    Args:
        stream: name of the stream.

    Attributes:
        timeline: of the stream.
    """

    def __init__(self, stream: str) -> None:
        self.timeline = FrameTimeline()
        self._stream = stream
        self._size = FixedSize(stream)

    def make(
        self, decoded: DecodedImage, frame_interval: float, *, live: bool = False
    ) -> VideoFrame:
        """The next frame; for `frame_interval` and `live` see FrameTimeline.next."""
        index, time = self.timeline.next(
            decoded.pts, decoded.arrived, frame_interval, lost=decoded.lost, live=live
        )
        return VideoFrame(
            decoded.image,
            index=index,
            time=time,
            captured=decoded.arrived,
            stream=self._stream,
            size=self._size.target(decoded.size),
        )
