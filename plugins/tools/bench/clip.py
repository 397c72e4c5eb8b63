"""The default video of a benchmark: the synthetic street, encoded as H.264."""

from __future__ import annotations

import logging
from pathlib import Path

from vidan.errors import ConfigError
from vidan.types import Detections, Result, Tracks

from ...sinks.video.sink import VideoSink
from ...sources.synthetic.source import Synthetic

log = logging.getLogger(__name__)


def make_clip(folder: Path, size: str = "1920x1080", people: int = 6, frames: int = 300) -> Path:
    """Encode the video at 30 frames/s, unless the folder contains it already.

    Args:
        folder: where to store it; the file name contains the other arguments.
        size: width and height, such as `1920x1080`.
        people: number of people in the scene at a time.
        frames: number of frames.

    Raises:
        ConfigError: the size cannot be parsed, or a number is out of range.
        SinkError: the file cannot be written.
    """
    width, height = _size(size)
    path = folder / f"street_{width}x{height}_{people}_people_{frames}_frames.mp4"
    if path.is_file():
        return path
    log.info("encoding %s", path)
    source = Synthetic(width=width, height=height, people=people, frames=frames)
    part = path.with_suffix(".part.mp4")
    sink = VideoSink(str(part), drawing=None)
    for frame in source:
        sink.write(Result(frame, Detections.empty(), Tracks.empty()))
    sink.close()
    return part.rename(path)


def _size(size: str) -> tuple[int, int]:
    width, times, height = str(size).partition("x")
    if not (times and width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"size={size!r}: expected width and height, such as 1920x1080")
    return int(width), int(height)
