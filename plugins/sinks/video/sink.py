"""Results as a video: H.264 in MP4, checked after it is written."""

from __future__ import annotations

import logging
import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, get_args

import av
import av.error

from vidan import options
from vidan.errors import SinkError
from vidan.journal import RunJournal
from vidan.types import Frame, Result

from ..drawing.painter import Painter
from ..rotation import Names, Retention
from .codec import SOFTWARE, Codec, choose, settings
from .encoder import Encoder
from .recording import Mp4Recording, check_writable, failed
from .segments import Segments
from .yuv_frame import YuvFrame

log = logging.getLogger(__name__)

Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]

UNFINISHED = 4
"""Files that may be waiting to be finished: more would hold memory and descriptors."""


class VideoSink:
    """Writes what is shown as a video that browsers and phones play.

    H.264, yuv420p, MP4 with its index in front; colors as in the source's YUV, or BT.709 where
    its images are RGB. Frames keep their stream times, so a
    variable rate and dropped frames keep the video's pace. An odd width or height is made
    even by repeating the last column or row, as H.264 demands.

    While the run lasts the file is a fragmented MP4, which can be played up to the last
    fragment whatever happens; at the end it is rewritten with its index in front, opened
    again and checked: number of frames, size, and that it shows what was written.

    With `segment` there is a file for each stretch of the clock. Each frame is in one of them,
    each of them begins with a key frame, and the one before is finished while the next is
    written.

    Args:
        path: of the file; its folder is made if it is not there, and a file is replaced. With
            `segment` or `keep`, the pattern of the files' names: see `Names`.
        draw: whether boxes, identities and labels are drawn.
        preset: of x264: how much time to spend on a smaller file.
        crf: quality from 0 (lossless) to 51; 23 is good, 18 can hardly be told from the source.
        encoder: of FFmpeg, such as `h264_nvenc`, or `auto` for one in hardware; x264 where that
            does not start. Presets are x264's own.
        threads: that encode; 0 for as many as there are processors.
        segment: how long each file is, such as `10min`, or in s; begun when the clock shows a
            multiple of it. None for one file.
        keep: how much of the finished files, such as `50GB` or `7d`, or how many; the oldest
            of the same names are deleted, also those of runs before. None for all.

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
        preset: Preset = "superfast",
        crf: int = 23,
        encoder: Codec | Literal["auto"] = "libx264",
        threads: int = 0,
        segment: str | float | None = None,
        keep: str | int | None = None,
    ) -> None:
        options.boolean("sink.video.draw", draw)
        options.choice("sink.video.preset", preset, get_args(Preset))
        options.whole("sink.video.crf", crf, 0, 51)
        options.whole("sink.video.threads", threads, 0)
        options.choice("sink.video.encoder", encoder, ("auto", *get_args(Codec)))
        if SOFTWARE not in av.codecs_available:
            raise SinkError(f"FFmpeg has no encoder {SOFTWARE}: pip install --force-reinstall av")
        self._path = Path(options.text("sink.video.path", path))
        self._length = None if segment is None else options.duration("sink.video.segment", segment)
        self._segments = Segments(self._length)
        self._keep = Retention("sink.video.keep", keep)
        several = segment is not None or keep is not None
        self._names = Names("sink.video.path", path, "time") if several else None
        self._painter = Painter() if draw else None
        self._encoder, self._preset, self._crf = encoder, preset, crf
        self._threads = threads
        self._size: tuple[int, int] | None = None
        self._current: Mp4Recording | None = None
        self._finisher = ThreadPoolExecutor(1, "vidan-finish-video")
        self._finishing: list[Future[None]] = []
        self._unfinished: set[Path] = set()
        self._closed = False
        check_writable(self._next_path(time.time()))

    def resume_from(self, job: RunJournal) -> None:
        """See Resumable."""
        if self._names is not None:
            self._segments = Segments(self._length, job.began)
            self._names.resume_from(job)

    def write(self, result: Result) -> None:
        """Encode one frame."""
        frame = result.frame
        if not math.isfinite(frame.time):
            raise SinkError(f"{frame!r} has no time at which a video could show it")
        self._check_size(frame)
        if self._segments.starts(frame.time, frame.captured) and self._current is not None:
            finished, self._current = self._current, None
            self._finishing.append(self._finisher.submit(self._finish, finished))
            if len(self._finishing) > UNFINISHED:
                self._finishing.pop(0).result()  # nor files nor memory may pile up
        picture = YuvFrame(frame, None if self._current is None else self._current.colors)
        if self._painter is not None:
            self._painter.draw_on(picture.planes, result)
        if self._current is None:
            self._current = self._open(picture, frame.time)
        self._current.write(picture, frame.time)
        self._raise_what_failed()

    @property
    def outputs(self) -> list[str]:
        """What there is to see: the file, or the pattern of the files' names."""
        if self._names is not None:
            return [str(self._names)] if self._names.files() else []
        return [str(self._path)] if self._path.exists() else []

    def close(self) -> None:
        """Finish the last file and check it; after a failure only let go of it."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._current is not None:
                self._finishing.append(self._finisher.submit(self._finish, self._current))
            elif not self._finishing:
                log.info("no frames: %s was not written", self._path)
        finally:
            self._finisher.shutdown()
        self._raise_what_failed()

    def _open(self, first: YuvFrame, start: float) -> Mp4Recording:
        height, width = first.planes.y.shape
        codec = choose(self._encoder, width, height)
        chosen = settings(codec, self._preset, self._crf)
        path = self._next_path(self._segments.when)
        self._unfinished.add(path)
        try:
            return Mp4Recording(path, Encoder(path, first, start, codec, chosen, self._threads))
        except (OSError, av.error.FFmpegError) as error:
            raise failed(path, error) from error

    def _next_path(self, when: float) -> Path:
        return self._path if self._names is None else self._names.new(when)

    def _finish(self, recording: Mp4Recording) -> None:
        try:
            recording.finish()
        finally:
            self._unfinished.discard(recording.path)
            if self._names is not None:
                self._keep.prune(self._names, self._unfinished.copy())

    def _raise_what_failed(self) -> None:
        """Raise what finishing an earlier file raised."""
        while self._finishing and self._finishing[0].done():
            self._finishing.pop(0).result()

    def _check_size(self, frame: Frame) -> None:
        size = frame.width, frame.height
        if self._size not in (None, size):
            width, height = self._size
            raise SinkError(
                f"a frame of {frame.width}x{frame.height} px does not fit into "
                f"{str(self._path)!r} of {width}x{height} px: write pictures of several sizes "
                "to sink=jsonl"
            )
        self._size = size
