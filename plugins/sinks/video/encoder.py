"""Encoding of frames into H.264, in a fragmented MP4."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream

from vidan.errors import SinkError

from .mp4 import FRAGMENTED, Verifier
from .yuv_frame import YuvFrame

TICKS_PER_S = 90_000
"""Time base: fine enough for any frame rate, as in MPEG transport streams."""

KEY_FRAME_INTERVAL = 60
"""Frames from one key frame to the next: at most this many are lost when the process is killed,
and players seek in steps of this many."""

TRANSFER = {1: 1, 5: 6, 6: 6}
"""Transfer characteristics by matrix; primaries have the number of the matrix (ITU-T H.273)."""

LIMITED_RANGE, FULL_RANGE = 1, 2
"""AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG: luma from 16 to 235, or from 0 to 255."""

MAX_EDGE_PX = 16384
"""Largest width and height that H.264 encoders support."""


class Encoder:
    """An open file with its encoder.

    Args:
        path: of the file.
        first: the first image, which fixes size and colors; it is not written yet.
        start: its stream time, s, which becomes 0 in the file.
        codec: FFmpeg's name of the encoder.
        options: of the encoder, such as preset and crf.
        threads: for encoding; 0 for one per processor.

    Attributes:
        verifier: knows what was written, and compares the finished file with it.
        colors: of the images.

    Raises:
        SinkError: the images are too large for H.264.
        OSError, FFmpegError: the file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        first: YuvFrame,
        start: float,
        codec: str,
        options: dict[str, str],
        threads: int,
    ) -> None:
        self._path = path
        self.colors = first.planes.colors
        height, width = first.planes.y.shape
        if max(height, width) > MAX_EDGE_PX:
            raise SinkError(
                f"a frame of {width}x{height} px is too large for H.264 video, which is limited "
                f"to {MAX_EDGE_PX} px: use sink=jsonl"
            )
        self.verifier = Verifier(width, height, KEY_FRAME_INTERVAL)
        self._container: OutputContainer = av.open(str(path), "w", format="mp4", options=FRAGMENTED)
        # Without B-frames, timestamps in the file equal those written, also in fragments.
        options = options | {"g": str(KEY_FRAME_INTERVAL), "bf": "0", "forced-idr": "1"}
        self._stream = cast(VideoStream, self._container.add_stream(codec, 30, options))
        context = self._stream.codec_context
        context.height, context.width = height, width
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TICKS_PER_S)
        context.thread_count = threads
        matrix, full_range = self.colors
        context.colorspace = context.color_primaries = matrix
        context.color_trc = TRANSFER[matrix]
        context.color_range = FULL_RANGE if full_range else LIMITED_RANGE
        self._clock = _PtsClock(start)

    def write(self, image: YuvFrame, time: float) -> None:
        """Encode an image shown at a stream time, s.

        Raises:
            OSError, FFmpegError: the file cannot be written.
        """
        frame = image.frame
        frame.pts = self._clock.pts(time)
        frame.time_base = Fraction(1, TICKS_PER_S)
        if self.verifier.count % KEY_FRAME_INTERVAL == 0:
            frame.pict_type = PictureType.I
        self.verifier.add(image.planes, frame.pts)
        self._mux(frame)

    def close(self) -> None:
        """Write the frames that are still in the encoder, and the end of the file."""
        try:
            self._mux(None)
        finally:
            self._container.close()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._clock.frame_interval  # matters for the last frame only
            self._container.mux(packet)


class _PtsClock:
    """Turns stream times into presentation timestamps that start at 0 and always increase.

    Attributes:
        frame_interval: between the last two frames, ticks.
    """

    def __init__(self, start: float) -> None:
        self.frame_interval = TICKS_PER_S // 30
        self._start = round(start * TICKS_PER_S)
        self._last: int | None = None

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
