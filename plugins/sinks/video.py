"""Results as a video: H.264 in MP4, checked after it is written."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Literal, get_args

import av
import av.error

from vidan import options
from vidan.errors import SinkError
from vidan.types import Frame, Result

from .codec import SOFTWARE, Codec, choose, settings
from .draw import Painter
from .encoder import Encoder
from .mp4 import cut_to_whole_fragments, put_index_in_front, reason
from .picture import Picture

log = logging.getLogger(__name__)

Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]


class VideoFile:
    """Writes what is shown as a video that browsers and phones play.

    H.264, yuv420p, MP4 with its index in front; colours as in the source's YUV, or BT.709 where
    its pictures are RGB. Frames keep their stream times, so a
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
        encoder: of FFmpeg, such as `h264_nvenc`, or `auto` for one in hardware; x264 where that
            does not start. Presets are x264's own.
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
        preset: Preset = "superfast",
        crf: int = 23,
        encoder: Codec | Literal["auto"] = "libx264",
        threads: int = 0,
    ) -> None:
        options.boolean("sink.video.draw", draw)
        options.choice("sink.video.preset", preset, get_args(Preset))
        options.whole("sink.video.crf", crf, 0, 51)
        options.whole("sink.video.threads", threads, 0)
        options.choice("sink.video.encoder", encoder, ("auto", *get_args(Codec)))
        if SOFTWARE not in av.codecs_available:
            raise SinkError(f"FFmpeg has no encoder {SOFTWARE}: pip install --force-reinstall av")
        self._path = Path(options.text("sink.video.path", path))
        self._painter = Painter() if draw else None
        self._encoder, self._preset, self._crf = encoder, preset, crf
        self._threads = threads
        self._size: tuple[int, int] | None = None
        self._writer: Encoder | None = None
        self._closed = self._broken = False
        _check_writable(self._path)

    def write(self, result: Result) -> None:
        """Encode one frame."""
        time = result.frame.time
        if not math.isfinite(time):
            raise SinkError(f"{result.frame!r} has no time at which a video could show it")
        picture = self._picture(result.frame)
        if self._painter is not None:
            self._painter.draw_on(picture.planes, result)
        try:
            if self._writer is None:
                self._writer = self._open(picture, time)
            self._writer.write(picture, time)
        except (OSError, av.error.FFmpegError) as error:
            self._broken = True
            raise _failed(self._path, error) from error

    def _open(self, first: Picture, time: float) -> Encoder:
        height, width = first.planes.y.shape
        codec = choose(self._encoder, width, height)
        chosen = settings(codec, self._preset, self._crf)
        return Encoder(self._path, first, time, codec, chosen, self._threads)

    def _picture(self, frame: Frame) -> Picture:
        """The frame's picture as the file has them.

        Raises:
            SinkError: it has another size than the first.
        """
        size = frame.width, frame.height
        if self._size not in (None, size):
            width, height = self._size
            raise SinkError(
                f"a frame of {frame.width}x{frame.height} px does not fit into "
                f"{str(self._path)!r} of {width}x{height} px: write pictures of several sizes "
                "to sink=jsonl"
            )
        self._size = size
        return Picture(frame, None if self._writer is None else self._writer.colours)

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


def _failed(path: Path, error: Exception) -> SinkError:
    advice = "make room or choose another path"
    return SinkError(f"cannot write {str(path)!r}: {reason(error)}; {advice}")
