"""Results as a video: H.264 in MP4, checked after it is written."""

from __future__ import annotations

import contextlib
import logging
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from vidan import options
from vidan.errors import SinkError
from vidan.types import Image, Result

from .draw import Painter

log = logging.getLogger(__name__)

CODEC = "libx264"
TICKS = 90_000
"""Units of time in a second: fine enough for any rate, as in MPEG transport streams."""

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
FASTSTART = {"movflags": "faststart"}

KEY_FRAMES = 60
"""Frames between key frames: what a killed process loses at most, and how finely one can seek."""

BT709 = 1
LIMITED_RANGE = 1
"""Of ITU-T H.273: matrix, primaries and transfer of HD video; values from 16 to 235."""

Thumbnail = npt.NDArray[np.float32]
THUMBNAIL = (32, 18)
LARGEST_DIFFERENCE = 30.0
"""Mean difference of two thumbnails, of 255, that compression cannot explain."""

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
        options.whole("sink.video.crf", crf, 0, 51)
        options.whole("sink.video.threads", threads, 0)
        if CODEC not in av.codecs_available:
            raise SinkError(f"FFmpeg has no encoder {CODEC}: pip install --force-reinstall av")
        self._path = Path(path)
        self._painter = Painter() if draw else None
        # Without B-frames times in the file are what they are, in fragments too.
        self._options = {"preset": preset, "crf": str(crf), "g": str(KEY_FRAMES), "bf": "0"}
        self._threads = threads
        self._writer: _Writer | None = None
        self._closed = self._broken = False
        _check_writable(self._path)

    def write(self, result: Result) -> None:
        """Encode one frame."""
        time = result.frame.time
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
        if self._broken:
            with contextlib.suppress(OSError, av.error.FFmpegError):
                self._writer.close()
            log.info("%s can be played up to where writing failed", self._path)
            return
        try:
            self._writer.close()
        except (OSError, av.error.FFmpegError) as error:
            raise _failed(self._path, error) from error
        _put_index_in_front(self._path)
        self._writer.seen.check(self._path)


class _Seen:
    """What was written, to hold the finished file against: count, size, first and last picture."""

    def __init__(self, first: Image) -> None:
        self.count = 0
        self.size = first.shape[1], first.shape[0]
        self._first = _thumbnail(first)
        self._last = first

    def add(self, rgb: Image) -> None:
        self.count += 1
        self._last = rgb

    def check(self, path: Path) -> None:
        """Raise a SinkError if the file does not hold what was written."""
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                size = stream.codec_context.width, stream.codec_context.height
                stamps = [p.pts for p in container.demux(stream) if p.size and p.pts is not None]
            found = [] if not stamps else [_decode(path, 0), _decode(path, max(stamps))]
        except (OSError, IndexError, av.error.FFmpegError) as error:
            raise SinkError(f"{str(path)!r} cannot be read back: {_reason(error)}") from error
        if len(stamps) != self.count:
            raise SinkError(f"{str(path)!r} has {len(stamps)} frames, {self.count} were written")
        if size != self.size:
            raise SinkError(f"{str(path)!r} is {size} px, {self.size} were written")
        for picture, written in zip(found, (self._first, _thumbnail(self._last)), strict=True):
            if picture is None or np.abs(picture - written).mean() > LARGEST_DIFFERENCE:
                raise SinkError(f"{str(path)!r} does not show what was written to it")


class _Writer:
    """An open file and its encoder."""

    def __init__(
        self, path: Path, first: Image, start: float, options: dict[str, str], threads: int
    ) -> None:
        self._path = path
        self._size = first.shape
        even = _even(first)
        self.seen = _Seen(even)
        self._container: OutputContainer = av.open(str(path), "w", format="mp4", options=FRAGMENTED)
        self._stream: VideoStream = self._container.add_stream("libx264", 30, options)
        context = self._stream.codec_context
        context.height, context.width = even.shape[:2]
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TICKS)
        context.thread_count = threads
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        self._start, self._pts, self._step = start, 0, TICKS // 30

    def write(self, rgb: Image, time: float) -> None:
        if rgb.shape != self._size:
            height, width = self._size[:2]
            raise SinkError(
                f"a frame of {rgb.shape[1]}x{rgb.shape[0]} px does not fit into {str(self._path)!r}"
                f" of {width}x{height} px: write pictures of several sizes to sink=jsonl"
            )
        even = _even(rgb)
        self.seen.add(even)
        picture = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        pts = round((time - self._start) * TICKS)
        if self.seen.count > 1:
            pts = max(pts, self._pts + 1)
            self._step = pts - self._pts
        self._pts = pts
        picture.pts = pts
        picture.time_base = Fraction(1, TICKS)
        self._mux(picture)

    def close(self) -> None:
        try:
            self._mux(None)
        finally:
            self._container.close()

    def _mux(self, picture: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(picture):
            packet.duration = self._step  # counts for the last: how long it is shown
            self._container.mux(packet)


def _check_writable(path: Path) -> None:
    """Make the folder and try the file, without harming one that is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        existed = path.exists()
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise _failed(path, error) from error


def _put_index_in_front(path: Path) -> None:
    """Copy the packets into a file with the index in front; without room, all stays as it is."""
    finished = path.with_name(path.name + ".part")
    try:
        with (
            av.open(str(path)) as source,
            av.open(str(finished), "w", format="mp4", options=FASTSTART) as target,
        ):
            stream = source.streams.video[0]
            copy = target.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.size:
                    packet.stream = copy
                    target.mux(packet)
        finished.replace(path)
    except (OSError, av.error.FFmpegError) as error:
        finished.unlink(missing_ok=True)
        log.warning("%s stays a fragmented MP4: %s", path, _reason(error))


def _decode(path: Path, stamp: int) -> Thumbnail | None:
    """Thumbnail of the picture at a time stamp; None if there is none."""
    with av.open(str(path)) as container:
        container.seek(stamp, stream=container.streams.video[0])
        for frame in container.decode(video=0):
            if frame.pts is not None and frame.pts >= stamp:
                return _thumbnail(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    return None


def _thumbnail(rgb: Image) -> Thumbnail:
    return cv2.resize(rgb, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)


def _even(rgb: Image) -> Image:
    """The picture with its last row and column repeated where their number is odd."""
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _failed(path: Path, error: Exception) -> SinkError:
    advice = "make room or choose another path"
    return SinkError(f"cannot write {str(path)!r}: {_reason(error)}; {advice}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
