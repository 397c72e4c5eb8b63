"""Encoding of images into H.264, in a fragmented MP4."""

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

TICKS = 90_000
"""Units of time in a second: fine enough for any rate, as in MPEG transport streams."""

KEY_FRAMES = 60
"""Frames between key frames: what a killed process loses at most, and how finely one can seek."""

TRANSFER = {1: 1, 5: 6, 6: 6}
"""Transfer characteristics by matrix; primaries have the matrix's number (ITU-T H.273)."""

LIMITED_RANGE, FULL_RANGE = 1, 2
"""AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG: luma from 16 to 235, or from 0 to 255."""

LARGEST = 16384
"""Longest edge that H.264 encoders take, px."""


class Encoder:
    """An open file and its encoder.

    Args:
        path: of the file.
        first: the image whose size and colors all must have; not yet written.
        start: its stream time, s: 0 in the file.
        codec: FFmpeg's encoder.
        options: of that, such as preset and crf.
        threads: that encode; 0 for as many as there are processors.

    Attributes:
        verifier: what was written, to check the file against.
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
        if max(height, width) > LARGEST:
            raise SinkError(
                f"a frame of {width}x{height} px is too large for a video of H.264, which has "
                f"at most {LARGEST} px: write it to sink=jsonl"
            )
        self.verifier = Verifier(width, height, KEY_FRAMES)
        self._container: OutputContainer = av.open(str(path), "w", format="mp4", options=FRAGMENTED)
        # Without B-frames times in the file are what they are, in fragments too.
        options = options | {"g": str(KEY_FRAMES), "bf": "0", "forced-idr": "1"}
        self._stream = cast(VideoStream, self._container.add_stream(codec, 30, options))
        context = self._stream.codec_context
        context.height, context.width = height, width
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TICKS)
        context.thread_count = threads
        matrix, full_range = self.colors
        context.colorspace = context.color_primaries = matrix
        context.color_trc = TRANSFER[matrix]
        context.color_range = FULL_RANGE if full_range else LIMITED_RANGE
        self._clock = _PtsClock(start)

    def write(self, picture: YuvFrame, time: float) -> None:
        """Encode an image of a stream time in s.

        Raises:
            OSError, FFmpegError: the file cannot be written.
        """
        frame = picture.frame
        frame.pts = self._clock.pts(time)
        frame.time_base = Fraction(1, TICKS)
        if self.verifier.count % KEY_FRAMES == 0:
            frame.pict_type = PictureType.I
        self.verifier.add(picture.planes, frame.pts)
        self._mux(frame)

    def close(self) -> None:
        """Write what is still in the encoder, and the end of the file."""
        try:
            self._mux(None)
        finally:
            self._container.close()

    def _mux(self, picture: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(picture):
            packet.duration = self._clock.step  # counts for the last: how long it is shown
            self._container.mux(packet)


class _PtsClock:
    """Turns stream time into time stamps that start at 0 and always rise.

    Attributes:
        step: from the last frame but one to the last, ticks.
    """

    def __init__(self, start: float) -> None:
        self.step = TICKS // 30
        self._start = round(start * TICKS)
        self._last: int | None = None

    def pts(self, time: float) -> int:
        """The time stamp of the next frame, ticks."""
        stamp = round(time * TICKS) - self._start
        if self._last is not None:
            if stamp < self._last - TICKS:  # the source's clock was set back: go on from here
                self._start += stamp - self._last - self.step
                stamp = self._last + self.step
            stamp = max(stamp, self._last + 1)
            self.step = stamp - self._last
        self._last = stamp
        return stamp
