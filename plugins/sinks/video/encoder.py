"""Encoding of frames into H.264."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import av
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream

from vidan.errors import SinkError

from .codec import Codec, Preset, choose, settings
from .mp4 import FRAGMENTED
from .yuv_frame import YuvFrame

if TYPE_CHECKING:
    Packet: TypeAlias = av.Packet[VideoStream]
else:  # not generic when it runs
    Packet = av.Packet

TICKS_PER_S = 90_000
"""Time base: fine enough for any frame rate, as in MPEG transport streams."""

KEY_FRAME_INTERVAL = 60
"""Frames from one key frame to the next: at most this many are lost when the process is killed,
and players seek in steps of this many."""

TRANSFER = {1: 1, 5: 6, 6: 6}
"""Transfer characteristics by matrix; primaries have the number of the matrix (ITU-T H.273)."""

MAX_LAST_FRAME_S = 10.0
"""The last frame of a file is shown as long as the one before it, but no longer than this, s."""

LIMITED_RANGE, FULL_RANGE = 1, 2
"""AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG: luma from 16 to 235, or from 0 to 255."""

MAX_EDGE_PX = 16384
"""Largest width and height that H.264 encoders support."""


class Encoder:
    """Encodes images of one size into packets, which can be written to any number of files.

    Args:
        first: the first image, which fixes size and colors; it is not encoded yet.
        start: its stream time, s, which becomes timestamp 0.
        codec: FFmpeg's name of the encoder.
        options: of the encoder, such as preset and crf.
        threads: for encoding; 0 for one per processor.

    Attributes:
        stream: what a file copies the parameters of its stream from.
        colors: of the images.
        size: width and height of the images, px.

    Raises:
        SinkError: the images are too large for H.264.
        OSError, FFmpegError: the encoder cannot be opened.
    """

    def __init__(
        self, first: YuvFrame, start: float, codec: str, options: dict[str, str], threads: int
    ) -> None:
        self.colors = first.planes.colors
        height, width = first.planes.y.shape
        if max(height, width) > MAX_EDGE_PX:
            raise SinkError(
                f"a frame of {width}x{height} px is too large for H.264 video, which is limited "
                f"to {MAX_EDGE_PX} px: use sink=jsonl"
            )
        self.size = width, height
        # Only a container has what a file copies its stream from; nothing is written to this one.
        self._container: OutputContainer = av.open(BytesIO(), "w", format="mp4", options=FRAGMENTED)
        # Without B-frames, timestamps in the file equal those written, also in fragments.
        options = options | {"g": str(KEY_FRAME_INTERVAL), "bf": "0", "forced-idr": "1"}
        self.stream = cast(VideoStream, self._container.add_stream(codec, 30, options))
        context = self.stream.codec_context
        context.height, context.width = height, width
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TICKS_PER_S)
        context.thread_count = threads
        matrix, full_range = self.colors
        context.colorspace = context.color_primaries = matrix
        context.color_trc = TRANSFER[matrix]
        context.color_range = FULL_RANGE if full_range else LIMITED_RANGE
        self._container.start_encoding()
        self._clock = _PtsClock(start)
        self._finished = False

    def encode(self, image: YuvFrame, time: float, *, key: bool) -> list[Packet]:
        """The packets, one for each frame and in order, that are ready after another image.

        Args:
            image: to encode; its timestamp is set.
            time: stream time at which it is shown, s.
            key: whether to make a key frame of it.

        Raises:
            OSError, FFmpegError: it cannot be encoded.
        """
        frame = image.frame
        frame.pts = self._clock.pts(time)
        frame.time_base = Fraction(1, TICKS_PER_S)
        if key:
            frame.pict_type = PictureType.I
        return self._packets(frame)

    def finish(self) -> list[Packet]:
        """The remaining packets; a second call returns none."""
        if self._finished:
            return []
        self._finished = True
        try:
            return self._packets(None)
        finally:
            self._container.close()

    def _packets(self, frame: av.VideoFrame | None) -> list[Packet]:
        packets = self.stream.encode(frame)
        for packet in packets:
            packet.duration = self._clock.last_duration
        return packets


def open_encoder(
    first: YuvFrame,
    start: float,
    *,
    codec: Codec | Literal["auto"],
    preset: Preset,
    crf: int,
    threads: int,
) -> Encoder:
    """An encoder with the options of a sink: see `VideoSink`, and `Encoder`."""
    height, width = first.planes.y.shape
    chosen = choose(codec, width, height)
    return Encoder(first, start, chosen, settings(chosen, preset, crf), threads)


class _PtsClock:
    """Turns stream times into presentation timestamps that start at 0 and always increase.

    Attributes:
        frame_interval: between the last two frames, ticks.
    """

    def __init__(self, start: float) -> None:
        self.frame_interval = TICKS_PER_S // 30
        self._start = round(start * TICKS_PER_S)
        self._last: int | None = None

    @property
    def last_duration(self) -> int:
        """How long to show a frame that no other one follows, ticks."""
        return min(self.frame_interval, round(MAX_LAST_FRAME_S * TICKS_PER_S))

    def pts(self, time: float) -> int:
        """The timestamp of the next frame, ticks."""
        pts = round(time * TICKS_PER_S) - self._start
        if self._last is not None:
            if pts < self._last - TICKS_PER_S:  # the source's clock was set back: continue
                self._start += pts - self._last - self.frame_interval
                pts = self._last + self.frame_interval
            pts = max(pts, self._last + 1)
            self.frame_interval = pts - self._last
        self._last = pts
        return pts
