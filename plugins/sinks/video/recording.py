"""A single video file, from its first frame until it is finished and verified."""

from __future__ import annotations

import logging
from pathlib import Path

import av.error

from vidan.errors import SinkError

from ..errors import write_error
from .encoder import Encoder
from .mp4 import cut_to_whole_fragments, put_index_in_front
from .yuv_frame import YuvFrame

log = logging.getLogger(__name__)


class Mp4Recording:
    """Writes a fragmented MP4, and rewrites it with the index in front when it is finished.

    Args:
        path: of the file.
        encoder: writes the frames to that file.
    """

    def __init__(self, path: Path, encoder: Encoder) -> None:
        self.path = path
        self._encoder = encoder
        self._failed = False
        self.colors = encoder.colors

    def write(self, image: YuvFrame, time: float) -> None:
        """Encode an image shown at a stream time, s.

        Raises:
            SinkError: the file cannot be written.
        """
        try:
            self._encoder.write(image, time)
        except (OSError, av.error.FFmpegError) as error:
            self._failed = True
            raise write_error(self.path, error) from error

    def finish(self) -> None:
        """Write the remaining frames, put the index in front and verify the file.

        After a failed write, only close the file and cut it to what can be played.

        Raises:
            SinkError: the file cannot be written, or verification fails.
        """
        try:
            self._encoder.close()
        except (OSError, av.error.FFmpegError) as error:
            cut_to_whole_fragments(self.path)
            if not self._failed:
                raise write_error(self.path, error) from error
            return
        if self._failed:
            cut_to_whole_fragments(self.path)
        else:
            put_index_in_front(self.path)
            self._encoder.verifier.check(self.path)


def check_writable(path: Path) -> None:
    """Create the folder and open the file for writing; an existing file keeps its contents.

    Raises:
        SinkError: the file cannot be written.
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
        raise write_error(path, error) from error
