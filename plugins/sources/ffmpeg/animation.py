"""Animated WebP, which FFmpeg does not decode: read with OpenCV."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from vidan.errors import SourceError

from ..opencv_log import quiet_opencv
from .decode import DecodedImage

CHUNK = 32
"""Number of images that are decoded at a time, which limits memory."""

DEFAULT_DURATION_MS = 100
"""Of an image without a duration; browsers use the same."""

ANIMATION_FLAG = 0x02
"""In the flags of the chunk VP8X (RFC 9649, 2.7)."""


def is_animated_webp(file: Path) -> bool:
    """Whether a file is a WebP with more than one image."""
    try:
        with file.open("rb") as stream:
            head = stream.read(21)
    except OSError:
        return False
    is_extended = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) == 21
    return is_extended and bool(head[20] & ANIMATION_FLAG)


class AnimationReader:
    """One pass over the images of an animation, as a `VideoReader`.

    Args:
        file: an animated WebP.

    Attributes:
        frames: number of images.
        frame_interval: duration of the first image, s.
        jumps: False.

    Raises:
        SourceError: it cannot be read; from the iteration, no image can be decoded.
    """

    jumps = False

    def __init__(self, file: Path) -> None:
        self._file = file
        with quiet_opencv():
            self.frames: int | None = cv2.imcount(str(file)) or None
        if self.frames is None:
            raise SourceError(f"{str(file)!r} is damaged or cut short: get it again")
        self.frame_interval = DEFAULT_DURATION_MS / 1000
        self._images = self._read()

    def __iter__(self) -> Iterator[DecodedImage]:
        return self._images

    def close(self) -> None:
        """End the iteration."""
        self._images.close()

    def _read(self) -> Generator[DecodedImage]:
        pts = 0  # ms
        for start in range(0, self.frames or 0, CHUNK):
            with quiet_opencv():
                read, animation = cv2.imreadanimation(str(self._file), start, CHUNK)
            if not read:
                break
            for bgr, duration in zip(animation.frames, animation.durations, strict=True):
                code = cv2.COLOR_BGRA2RGB if bgr.shape[2] == 4 else cv2.COLOR_BGR2RGB
                image = av.VideoFrame.from_ndarray(np.asarray(cv2.cvtColor(bgr, code), np.uint8))
                image.pts, image.time_base = pts, Fraction(1, 1000)
                yield DecodedImage(image, pts / 1000, 0, time.monotonic())
                pts += int(duration) or DEFAULT_DURATION_MS
        if not pts:
            raise SourceError(f"no image in {str(self._file)!r} can be decoded: get it again")
