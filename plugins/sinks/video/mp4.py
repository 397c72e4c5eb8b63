"""Finished MP4 files: moving the index to the front, truncating after errors, verifying."""

from __future__ import annotations

import logging
import os
import struct
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream

from vidan.errors import SinkError
from vidan.support.replace import replaced
from vidan.types import YuvPlanes

from ..errors import reason
from .yuv_frame import plane_array

log = logging.getLogger(__name__)

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
"""Each fragment is written to the disk as soon as it is complete, and survives a kill."""

FASTSTART = {"movflags": "faststart"}

Thumbnail = npt.NDArray[np.float32]
THUMBNAIL_SIZE = (32, 18)

MAX_SAMPLES = 16
"""Number of thumbnails that are kept to compare the finished file with."""

MAX_MEAN_DIFFERENCE = 30.0
"""Mean difference of two thumbnails, of 255, up to which compression can explain it."""

MIN_CONTRAST = 2.0
"""Standard deviation of luma, of 255, from which on a thumbnail is compared by contrast."""

MAX_CONTRAST_LOSS = 4.0
"""Factor by which contrast may shrink. A black image differs little from a dark one, but it has
no contrast left."""


class Verifier:
    """Remembers what was written, and compares the finished file with it.

    Compared are the number of frames, their size, and the contents of some of them.

    Args:
        width: of the images, px.
        height: of the images, px.
        every: every nth frame may be sampled; these should be the key frames.

    Attributes:
        count: number of frames written.
    """

    def __init__(self, width: int, height: int, every: int) -> None:
        self.count = 0
        self._size = width, height
        self._every = every
        self._samples: list[tuple[int, Thumbnail]] = []
        self._last: tuple[int, YuvPlanes] | None = None

    def add(self, planes: YuvPlanes, pts: int) -> None:
        """Note an image and its presentation timestamp in the file."""
        if self.count % self._every == 0:
            self._samples.append((pts, _thumbnail(*planes[:3])))
            if len(self._samples) > MAX_SAMPLES:  # keep half, spread evenly over the file
                del self._samples[1::2]
                self._every *= 2
        self._last = pts, planes
        self.count += 1

    def check(self, path: Path) -> None:
        """Compare the file with what was written.

        Raises:
            SinkError: it cannot be read, or differs.
        """
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                size = stream.codec_context.width, stream.codec_context.height
                count = sum(packet.size > 0 for packet in container.demux(stream))
                if count != self.count:
                    raise SinkError(f"{str(path)!r} has {count} frames, {self.count} were written")
                if size != self._size:
                    raise SinkError(f"{str(path)!r} is {size} px, {self._size} were written")
                self._compare(path, container, stream)
        except (OSError, IndexError, av.error.FFmpegError) as error:
            raise SinkError(f"{str(path)!r} cannot be read back: {reason(error)}") from error

    def _compare(self, path: Path, container: InputContainer, stream: VideoStream) -> None:
        samples = list(self._samples)
        if self._last is not None:
            samples.append((self._last[0], _thumbnail(*self._last[1][:3])))
        for pts, written in samples:
            read = _decode(container, stream, pts)
            if read is None or _differ(written, read):
                at = float(pts * (stream.time_base or 0))
                raise SinkError(f"{str(path)!r} does not show what was written to it at {at:.2f} s")


def _decode(container: InputContainer, stream: VideoStream, pts: int) -> Thumbnail | None:
    """Thumbnail of the image at a presentation timestamp; None if there is none."""
    container.seek(pts, stream=stream)
    for frame in container.decode(stream):
        if frame.pts is not None and frame.pts >= pts:
            return _thumbnail(*map(plane_array, frame.planes))
    return None


def _thumbnail(*planes: npt.NDArray[np.uint8]) -> Thumbnail:
    """Y, U and V of an image, scaled down: (3,18,32)."""
    small = [cv2.resize(p, THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA) for p in planes]
    return np.array(small, np.float32)


def _differ(written: Thumbnail, read: Thumbnail) -> bool:
    before, after = written[0].std(), read[0].std()
    blank = before >= MIN_CONTRAST and after < before / MAX_CONTRAST_LOSS
    return bool(blank or np.abs(written - read).mean(axis=(1, 2)).max() > MAX_MEAN_DIFFERENCE)


def put_index_in_front(path: Path) -> None:
    """Rewrite the file with its index in front; if the disk is full, leave it as it is."""
    try:
        with (
            replaced(path) as finished,
            av.open(str(path)) as source,
            av.open(str(finished), "w", format="mp4", options=FASTSTART) as target,
        ):
            stream = source.streams.video[0]
            copy = target.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.size:
                    packet.stream = copy
                    target.mux(packet)
    except (OSError, av.error.FFmpegError) as error:
        log.warning("%s remains a fragmented MP4: %s", path, reason(error))


def cut_to_whole_fragments(path: Path) -> None:
    """Truncate a file to its last complete fragment; players fail on an incomplete one.

    A file whose first fragment is incomplete is kept, as part of it can be played; a file
    without any fragment is deleted.
    """
    try:
        ends = _fragment_ends(path)
        size = path.stat().st_size
        complete = [end for end in ends if end <= size]
        if not ends:
            path.unlink()
            return
        if complete:
            os.truncate(path, complete[-1])
        log.info("%s can be played up to the point where writing failed", path)
    except OSError as error:
        log.warning("%s may end in a damaged frame: %s", path, reason(error))


def _fragment_ends(path: Path) -> list[int]:
    """Offset of the end of each fragment, in bytes; that of an incomplete one is past the file."""
    ends, position = [], 0
    with path.open("rb") as file:
        while len(header := file.read(8)) == 8:
            # ISO/IEC 14496-12, 4.2: each box starts with its length and its type.
            length, kind = struct.unpack(">I4s", header)
            if length < 8:
                break
            position += length
            if kind == b"mdat":  # follows its moof, and ends the fragment
                ends.append(position)
            file.seek(position)
    return ends
