"""A single video file, from its first frame until it is finished and verified."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import av.error
from av.container import OutputContainer
from av.video.stream import VideoStream

from vidan.errors import SinkError

from ..errors import write_error
from .encoder import KEY_FRAME_INTERVAL, Encoder, Packet
from .mp4 import FRAGMENTED, Verifier, cut_to_whole_fragments, put_index_in_front
from .yuv_frame import YuvFrame


class Mp4File:
    """A fragmented MP4 while it is written; finished, it has its index in front.

    Args:
        path: of the file.
        template: stream that the packets come from.

    Attributes:
        path: of the file.
        failed: whether it could not be written to its end.

    Raises:
        OSError, FFmpegError: the file cannot be opened.
    """

    def __init__(self, path: Path, template: VideoStream) -> None:
        self.path = path
        self.failed = False
        self._container: OutputContainer = av.open(str(path), "w", format="mp4", options=FRAGMENTED)
        self._stream = self._container.add_stream_from_template(template)

    def write(self, packets: Iterable[Packet]) -> None:
        """Write packets, in order; none after a failure.

        Raises:
            SinkError: the file cannot be written.
        """
        if self.failed:
            return
        try:
            for packet in packets:
                packet.stream = self._stream
                self._container.mux(packet)
        except (OSError, av.error.FFmpegError) as error:
            self.failed = True
            raise write_error(self.path, error) from error

    def finish(self, verifier: Verifier) -> None:
        """Put the index in front, and compare the file with what was written.

        After a failed write, only close the file and cut it to what can be played.

        Raises:
            SinkError: the file cannot be written, or verification fails.
        """
        try:
            self._container.close()
        except (OSError, av.error.FFmpegError) as error:
            cut_to_whole_fragments(self.path)
            if not self.failed:
                self.failed = True
                raise write_error(self.path, error) from error
            return
        if self.failed:
            cut_to_whole_fragments(self.path)
        else:
            put_index_in_front(self.path)
            verifier.check(self.path)


class Mp4Recording:
    """A file with an encoder of its own.

    Args:
        path: of the file.
        encoder: of the frames.

    Raises:
        OSError, FFmpegError: the file cannot be opened.
    """

    def __init__(self, path: Path, encoder: Encoder) -> None:
        self.path = path
        self.colors = encoder.colors
        self._encoder = encoder
        self._file = Mp4File(path, encoder.stream)
        self._verifier = Verifier(*encoder.size, KEY_FRAME_INTERVAL)

    def write(self, image: YuvFrame, time: float) -> None:
        """Encode an image shown at a stream time, s.

        Raises:
            SinkError: the file cannot be written.
        """
        key = self._verifier.count % KEY_FRAME_INTERVAL == 0
        packets = self._encoder.encode(image, time, key=key)
        self._verifier.add(image.planes, image.frame.pts or 0)
        self._file.write(packets)

    def finish(self) -> None:
        """Write the remaining frames and finish the file; see `Mp4File.finish`."""
        try:
            self._file.write(self._encoder.finish())
        finally:
            self._file.finish(self._verifier)


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
