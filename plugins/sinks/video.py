"""Results as a video: H.264 in MP4, checked after it is written."""

from __future__ import annotations

import logging
import math
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

import av
import av.error
import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from vidan import options
from vidan.errors import SinkError
from vidan.types import Image, Result

from .draw import Painter
from .mp4 import FRAGMENTED, Seen, cut_to_whole_fragments, put_index_in_front, reason

log = logging.getLogger(__name__)

CODEC = "libx264"
TICKS = 90_000
"""Units of time in a second: fine enough for any rate, as in MPEG transport streams."""

KEY_FRAMES = 60
"""Frames between key frames: what a killed process loses at most, and how finely one can seek."""

BT709 = 1
LIMITED_RANGE = 1
"""Of ITU-T H.273: matrix, primaries and transfer of HD video; values from 16 to 235."""

LARGEST = 16384
"""Longest edge that H.264 encoders take, px."""

Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]


class VideoFile:
    """Writes what is shown as a video that browsers and phones play.

    H.264, yuv420p, BT.709, MP4 with its index in front. Frames keep their stream times, so a
    variable rate and dropped frames keep the video's pace. An odd width or height is made
    even by repeating the last column or row, as H.264 demands.

    While the run lasts the file is a fragmented MP4, which can be played up to the last
    fragment whatever happens; at the end it is rewritten with its index in front, opened
    again and checked: number of frames, size, and that it shows what was written.

    Args:
        path: of the file; its folder is made if it is not there, and a file is replaced.
        draw: whether boxes, identities and labels are drawn.
        preset: of x264: how much time to spend on a smaller file.
        crf: quality from 0 (lossless) to 51; 23 is good, 18 can hardly be told from the source.
        threads: that encode; 0 for as many as there are processors.

    Raises:
        ConfigError: an option has a bad value.
        SinkError: the file cannot be written, a frame has another size than the first,
            or the finished file is not right.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        draw: bool = True,
        preset: Preset = "veryfast",
        crf: int = 23,
        threads: int = 0,
    ) -> None:
        options.boolean("sink.video.draw", draw)
        options.choice("sink.video.preset", preset, get_args(Preset))
        options.whole("sink.video.crf", crf, 0, 51)
        options.whole("sink.video.threads", threads, 0)
        if CODEC not in av.codecs_available:
            raise SinkError(f"FFmpeg has no encoder {CODEC}: pip install --force-reinstall av")
        self._path = Path(options.text("sink.video.path", path))
        self._painter = Painter() if draw else None
        # Without B-frames times in the file are what they are, in fragments too.
        self._options = {
            "preset": preset,
            "crf": str(crf),
            "g": str(KEY_FRAMES),
            "bf": "0",
            "forced-idr": "1",
        }
        self._threads = threads
        self._writer: _Writer | None = None
        self._closed = self._broken = False
        _check_writable(self._path)

    def write(self, result: Result) -> None:
        """Encode one frame."""
        time = result.frame.time
        if not math.isfinite(time):
            raise SinkError(f"{result.frame!r} has no time at which a video could show it")
        rgb = result.frame.rgb() if self._painter is None else self._painter.annotate(result)
        try:
            if self._writer is None:
                self._writer = _Writer(self._path, rgb, time, self._options, self._threads)
            self._writer.write(rgb, time)
        except (OSError, av.error.FFmpegError) as error:
            self._broken = True
            raise _failed(self._path, error) from error

    def close(self) -> None:
        """Finish the file and check it; after a failure only let go of it."""
        if self._closed:
            return
        self._closed = True
        if self._writer is None:
            log.info("no frames: %s was not written", self._path)
            return
        try:
            self._writer.close()
        except (OSError, av.error.FFmpegError) as error:
            cut_to_whole_fragments(self._path)
            if not self._broken:
                raise _failed(self._path, error) from error
        else:
            if self._broken:
                cut_to_whole_fragments(self._path)
            else:
                put_index_in_front(self._path)
                self._writer.seen.check(self._path)


class _Writer:
    """An open file and its encoder."""

    def __init__(
        self, path: Path, first: Image, start: float, options: dict[str, str], threads: int
    ) -> None:
        self._path = path
        self._size = first.shape
        even = _even(first)
        height, width = even.shape[:2]
        if max(height, width) > LARGEST:
            raise SinkError(
                f"a frame of {width}x{height} px is too large for a video of H.264, which has "
                f"at most {LARGEST} px: write it to sink=jsonl"
            )
        self.seen = Seen(width, height, KEY_FRAMES)
        self._container: OutputContainer = av.open(str(path), "w", format="mp4", options=FRAGMENTED)
        self._stream: VideoStream = self._container.add_stream("libx264", 30, options)
        context = self._stream.codec_context
        context.height, context.width = height, width
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TICKS)
        context.thread_count = threads
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        self._clock = _Clock(start)

    def write(self, rgb: Image, time: float) -> None:
        if rgb.shape != self._size:
            height, width = self._size[:2]
            raise SinkError(
                f"a frame of {rgb.shape[1]}x{rgb.shape[0]} px does not fit into {str(self._path)!r}"
                f" of {width}x{height} px: write pictures of several sizes to sink=jsonl"
            )
        even = _even(rgb)
        picture = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        picture.pts = self._clock.stamp(time)
        picture.time_base = Fraction(1, TICKS)
        if self.seen.count % KEY_FRAMES == 0:
            picture.pict_type = PictureType.I
        self.seen.add(even, picture.pts)
        self._mux(picture)

    def close(self) -> None:
        try:
            self._mux(None)
        finally:
            self._container.close()

    def _mux(self, picture: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(picture):
            packet.duration = self._clock.step  # counts for the last: how long it is shown
            self._container.mux(packet)


class _Clock:
    """Turns stream time into time stamps that start at 0 and always rise.

    Attributes:
        step: from the last frame but one to the last, ticks.
    """

    def __init__(self, start: float) -> None:
        self.step = TICKS // 30
        self._start = round(start * TICKS)
        self._last: int | None = None

    def stamp(self, time: float) -> int:
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


def _check_writable(path: Path) -> None:
    """Make the folder and try the file, without harming one that is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        existed = path.exists()
        if existed and not path.is_file() and not path.is_dir():  # a pipe, a device
            raise SinkError(f"cannot write {str(path)!r}: not a regular file; choose another path")
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise _failed(path, error) from error


def _even(rgb: Image) -> Image:
    """The picture with its last row and column repeated where their number is odd."""
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _failed(path: Path, error: Exception) -> SinkError:
    advice = "make room or choose another path"
    return SinkError(f"cannot write {str(path)!r}: {reason(error)}; {advice}")
