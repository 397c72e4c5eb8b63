"""MP4 files after they are written: index in front, cut where writing failed, checked."""

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
from vidan.types import YuvPlanes

from .yuv_frame import array

log = logging.getLogger(__name__)

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
"""Each fragment goes to the system as soon as it is whole: a killed process leaves it there."""

FASTSTART = {"movflags": "faststart"}

Thumbnail = npt.NDArray[np.float32]
THUMBNAIL = (32, 18)

SAMPLES = 16
"""Images that are kept, small, to compare the finished file with."""

LARGEST_DIFFERENCE = 30.0
"""Mean difference of two thumbnails, of 255, that compression cannot explain."""

CONTRAST, LOST_CONTRAST = 2.0, 4.0
"""Standard deviation of a thumbnail that shows something at all, and the factor by which it
may shrink: a black image differs little from a dark one, but has no contrast left."""


class Verifier:
    """What was written, to hold the finished file against: number, size, some images.

    Args:
        width: of the images, px.
        height: of the images, px.
        every: frames between those that can be sampled (they should be key frames).
    """

    def __init__(self, width: int, height: int, every: int) -> None:
        self.count = 0
        self._size = width, height
        self._every = every
        self._samples: list[tuple[int, Thumbnail]] = []
        self._last: tuple[int, YuvPlanes] | None = None

    def add(self, planes: YuvPlanes, stamp: int) -> None:
        """Remember an image and its time stamp in the file."""
        if self.count % self._every == 0:
            self._samples.append((stamp, _thumbnail(*planes[:3])))
            if len(self._samples) > SAMPLES:  # half as many, spread over all that was written
                del self._samples[1::2]
                self._every *= 2
        self._last = stamp, planes
        self.count += 1

    def check(self, path: Path) -> None:
        """Compare the file with what was written.

        Raises:
            SinkError: it cannot be read, or does not hold that.
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
        for stamp, written in samples:
            shown = _decode(container, stream, stamp)
            if shown is None or _differ(written, shown):
                at = float(stamp * (stream.time_base or 0))
                raise SinkError(f"{str(path)!r} does not show what was written to it at {at:.2f} s")


def _decode(container: InputContainer, stream: VideoStream, stamp: int) -> Thumbnail | None:
    """Thumbnail of the image at a time stamp; None if there is none."""
    container.seek(stamp, stream=stream)
    for frame in container.decode(stream):
        if frame.pts is not None and frame.pts >= stamp:
            return _thumbnail(*map(array, frame.planes))
    return None


def _thumbnail(*planes: npt.NDArray[np.uint8]) -> Thumbnail:
    """Y, U and V of an image, small: (3,h,w)."""
    small = [cv2.resize(plane, THUMBNAIL, interpolation=cv2.INTER_AREA) for plane in planes]
    return np.array(small, np.float32)


def _differ(written: Thumbnail, shown: Thumbnail) -> bool:
    before, after = written[0].std(), shown[0].std()
    blank = before >= CONTRAST and after < before / LOST_CONTRAST
    return bool(blank or np.abs(written - shown).mean(axis=(1, 2)).max() > LARGEST_DIFFERENCE)


def put_index_in_front(path: Path) -> None:
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
        log.warning("%s stays a fragmented MP4: %s", path, reason(error))


def cut_to_whole_fragments(path: Path) -> None:
    """Cut off what a failed write left half done: players stumble over it.

    Where not even the first fragment is whole it stays, as some of it can be played; a file
    without any goes.
    """
    try:
        ends = _fragments(path)
        size = path.stat().st_size
        whole = [end for end in ends if end <= size]
        if not ends:
            path.unlink()
            return
        if whole:
            os.truncate(path, whole[-1])
        log.info("%s can be played up to where writing failed", path)
    except OSError as error:
        log.warning("%s may end in a broken picture: %s", path, reason(error))


def _fragments(path: Path) -> list[int]:
    """Where each fragment ends or, cut short, would end, in bytes."""
    ends, position = [], 0
    with path.open("rb") as file:
        while len(header := file.read(8)) == 8:
            # ISO/IEC 14496-12, 4.2: each box begins with its length and its type.
            length, kind = struct.unpack(">I4s", header)
            if length < 8:
                break
            position += length
            if kind == b"mdat":  # of the moof that comes before it
                ends.append(position)
            file.seek(position)
    return ends


def reason(error: Exception) -> str:
    """What the system or FFmpeg says, without number and path."""
    return getattr(error, "strerror", None) or str(error)
