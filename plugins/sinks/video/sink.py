"""`sink=video`: results as H.264 in MP4, verified after writing."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import av.error
from msgspec import Meta

from vidan import options
from vidan.errors import SinkError
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.types import Frame, Result

from ..drawing.options import ALL, Values
from ..drawing.painter import Painter
from ..errors import check_time, write_error
from ..rotation import Names, Retention
from .codec import Codec, Preset, check_available
from .encoder import open_encoder
from .recording import Mp4Recording, check_writable
from .segments import Segments
from .yuv_frame import YuvFrame

log = logging.getLogger(__name__)

MAX_PAUSE_S = 6 * 3600.0
"""A longer pause starts a new file, s: at 90 kHz, FFmpeg writes durations up to 6.6 h into MP4."""

MAX_UNFINISHED = 4
"""Files that may wait to be finished; each holds memory and a file descriptor."""


class VideoSink:
    """Writes the annotated video in a format that browsers and phones play.

    H.264, yuv420p, MP4 with its index in front; colors as in the YUV frames of the source, or
    BT.709 where it has RGB. Frames keep their stream times, so the video plays at the right speed
    at a variable frame rate and with dropped frames. An odd width or height is made even by
    repeating the last column or row, as H.264 requires.

    During the run the file is a fragmented MP4, which can be played up to the last fragment even
    if the process is killed. At the end it is rewritten with its index in front, opened again,
    and compared with what was written: number of frames, size, and contents.

    A pause of more than 6 hours, as of a camera that is off overnight, starts a new file, which is
    named `video-2.mp4` and so on. With `segment`, the video is split by the clock into several
    files. Each frame is in exactly one of them, each file starts with a key frame, and a file is
    finished in the background while the next one is written.

    Args:
        path: output file; its folder is created, and an existing file is replaced. With `segment`
            or `keep`, a pattern of file names: see `Names`.
        drawing: options of the config group `drawing`; None to draw nothing.
        preset: x264 preset; slower presets make smaller files.
        crf: quality, from 0 (lossless) to 51; 23 is good, 18 is hard to tell from the source.
        encoder: encoder of FFmpeg, such as `h264_nvenc`, or `auto` for any hardware encoder; x264
            where that is not available. Presets apply to x264 only.
        threads: number of encoder threads; 0 for one per processor.
        segment: length of each file, such as `10min`, or in s; files start when the clock shows
            a multiple of it. None for a single file.
        keep: the most to keep: a total size such as `20GB`, an age such as `30d`, a number of
            files, or several: `{size: 20GB, age: 30d}`; None for all. The oldest files are
            deleted, including those of earlier runs.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: the file cannot be written, the frame size changes, or verification fails.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        drawing: Values = ALL,
        preset: Preset = "superfast",
        crf: Annotated[int, Meta(ge=0, le=51)] = 23,
        encoder: Codec | Literal["auto"] = "libx264",
        threads: Annotated[int, Meta(ge=0)] = 0,
        segment: str | float | None = None,
        keep: Keep = None,
    ) -> None:
        check_available()
        self._path = Path(options.text("path", path))
        self._segment_length = None if segment is None else options.duration("segment", segment)
        self._segments = Segments(self._segment_length)
        self._retention = Retention("keep", keep)
        several = segment is not None or keep is not None
        self._names = Names("path", path, "time") if several else None
        self._painter = Painter.of(drawing)
        self._open_encoder = partial(
            open_encoder, codec=encoder, preset=preset, crf=crf, threads=threads
        )
        self._size: tuple[int, int] | None = None
        self._last_time = 0.0  # stream time of the previous frame, s
        self._parts: list[Path] = []  # without names by the clock: the files of this run
        self._current: Mp4Recording | None = None
        self._finisher = ThreadPoolExecutor(1, "vidan-finish-video")
        self._finishing: list[Future[None]] = []
        self._unfinished: set[Path] = set()
        self._closed = False
        check_writable(self._path if self._names is None else self._names.new(time.time()))

    def resume_from(self, job: RunJournal) -> None:
        """See Resumable."""
        if self._names is not None:
            self._segments = Segments(self._segment_length, job.began)
            self._names.resume_from(job)

    def write(self, result: Result) -> None:
        """Encode one frame."""
        frame = result.frame
        check_time(frame)
        self._check_size(frame)
        starts = self._segments.starts(frame.time, frame.captured)
        pauses = frame.time - self._last_time > MAX_PAUSE_S
        self._last_time = frame.time
        if (starts or pauses) and self._current is not None:
            finished, self._current = self._current, None
            self._finishing.append(self._finisher.submit(self._finish, finished))
            if len(self._finishing) > MAX_UNFINISHED:
                self._finishing.pop(0).result()  # limits open files and memory
        image = YuvFrame(frame, None if self._current is None else self._current.colors)
        self._painter.draw_on(image.planes, result)
        if self._current is None:
            self._current = self._open(image, frame.time)
        self._current.write(image, frame.time)
        self._raise_background_errors()

    @property
    def outputs(self) -> list[str]:
        """The files, or the pattern of the file names, if anything was written."""
        if self._names is not None:
            return [str(self._names)] if self._names.files() else []
        return [str(path) for path in self._parts or [self._path] if path.exists()]

    def close(self) -> None:
        """Finish and verify the last file; after an error, only close it."""
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
        self._raise_background_errors()

    def _open(self, first: YuvFrame, start: float) -> Mp4Recording:
        path = self._next_path(self._segments.when)
        self._unfinished.add(path)
        try:
            return Mp4Recording(path, self._open_encoder(first, start))
        except (OSError, av.error.FFmpegError) as error:
            raise write_error(path, error) from error

    def _next_path(self, when: float) -> Path:
        if self._names is not None:
            return self._names.new(when)
        number = len(self._parts) + 1
        stem = self._path.stem if number == 1 else f"{self._path.stem}-{number}"
        self._parts.append(self._path.with_name(f"{stem}{self._path.suffix}"))
        return self._parts[-1]

    def _finish(self, recording: Mp4Recording) -> None:
        try:
            recording.finish()
        finally:
            self._unfinished.discard(recording.path)
            if self._names is not None:
                self._retention.prune(self._names, self._unfinished.copy())

    def _raise_background_errors(self) -> None:
        """Raise the error of an earlier file that could not be finished."""
        while self._finishing and self._finishing[0].done():
            self._finishing.pop(0).result()

    def _check_size(self, frame: Frame) -> None:
        size = frame.width, frame.height
        if self._size not in (None, size):
            width, height = self._size
            raise SinkError(
                f"the frame size changed from {width}x{height} to {frame.width}x{frame.height} px, "
                f"which {str(self._path)!r} cannot hold: use sink=jsonl"
            )
        self._size = size
