"""One video file, from its first image until it is finished and checked."""

from __future__ import annotations

import logging
from pathlib import Path

import av.error

from vidan.errors import SinkError

from .encoder import Encoder
from .mp4 import cut_to_whole_fragments, put_index_in_front, reason
from .yuv_frame import YuvFrame

log = logging.getLogger(__name__)


class Mp4Recording:
    """A fragmented MP4 while it is written to, and one with its index in front at the end.

    Args:
        path: of the file.
        encoder: that writes to it.
    """

    def __init__(self, path: Path, encoder: Encoder) -> None:
        self.path = path
        self._encoder = encoder
        self._broken = False
        self.colors = encoder.colors

    def write(self, picture: YuvFrame, time: float) -> None:
        """Encode an image of a stream time in s.

        Raises:
            SinkError: the file cannot be written.
        """
        try:
            self._encoder.write(picture, time)
        except (OSError, av.error.FFmpegError) as error:
            self._broken = True
            raise failed(self.path, error) from error

    def finish(self) -> None:
        """Write the rest, put the index in front and check it; after a failure only let go.

        Raises:
            SinkError: the file cannot be written, or is not right.
        """
        try:
            self._encoder.close()
        except (OSError, av.error.FFmpegError) as error:
            cut_to_whole_fragments(self.path)
            if not self._broken:
                raise failed(self.path, error) from error
            return
        if self._broken:
            cut_to_whole_fragments(self.path)
        else:
            put_index_in_front(self.path)
            self._encoder.verifier.check(self.path)


def failed(path: Path, error: Exception) -> SinkError:
    """The error of a file that cannot be written."""
    advice = "make room or choose another path"
    return SinkError(f"cannot write {str(path)!r}: {reason(error)}; {advice}")


def check_writable(path: Path) -> None:
    """Make the folder and try the file, without harming one that is there.

    Raises:
        SinkError: it cannot be written.
    """
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
        raise failed(path, error) from error
