"""A part of a video file, without decoding what comes before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from vidan.types import Frame

from .decode import FrameMaker, VideoReader
from .url import Address

WARM_UP_S = 3.0
"""Decoding begins at a key frame at least this long before the part, since images after a key frame
may refer to ones before it."""

TIMEOUT_S = 10.0
"""Not used for local files."""


def duration(path: str) -> float:
    """Duration of a local file that can be read in parts, s; 0 if it cannot, or is not known.

    Timestamps that may jump would have to be followed from the beginning.

    Raises:
        SourceError: it cannot be opened, or contains no video.
    """
    address = Address(path)
    if not address.local:
        return 0.0
    with closing(VideoReader(address, threads=1, timeout=TIMEOUT_S)) as reader:
        return 0.0 if reader.jumps or not reader.can_seek else reader.duration


def section(path: str, start: float, end: float, *, stream: str, threads: int) -> Iterator[Frame]:
    """The frames with a stream time from `start` up to `end`, s, as `source=file` reads them.

    Only their index differs: it counts what has been decoded.

    Args:
        path: of a local file whose `duration` is known.
        start: stream time of the part, s.
        end: stream time of the part that follows, s.
        stream: name of the stream.
        threads: number of decoder threads; 0 for one per CPU core.

    Raises:
        SourceError: it cannot be opened or read.
    """
    frames = FrameMaker(stream)
    with closing(VideoReader(Address(path), threads=threads, timeout=TIMEOUT_S)) as reader:
        images = iter(reader)
        first = next(images)  # stream time begins with it
        frame = frames.make(first, reader.frame_interval)
        if start <= 0:
            yield frame
        elif start > WARM_UP_S:
            reader.seek((first.pts or 0.0) + start - WARM_UP_S)
        for decoded in images:
            frame = frames.make(decoded, reader.frame_interval)
            if frame.time >= end:
                return
            if frame.time >= start:
                yield frame
