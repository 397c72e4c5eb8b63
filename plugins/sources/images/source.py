"""`source=images`: images in a folder, of a pattern, or of a MOTChallenge sequence."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from typing import Annotated

import cv2
import numpy as np
from msgspec import Meta

from vidan import options
from vidan.errors import SourceError
from vidan.frames import ArrayFrame
from vidan.types import Frame, Image

from ..opencv_log import quiet_opencv
from .listing import find_images

log = logging.getLogger(__name__)

DEFAULT_FRAME_RATE = 25.0
"""If neither the user nor a seqinfo.ini specifies one, frames/s."""


class Images:
    """Image files as frames, in natural order (1, 2, 10).

    EXIF orientation is applied; gray, palette and 16-bit images become 8-bit RGB, transparency
    is ignored, and sizes may differ. An image that cannot be read is named in a warning and
    leaves a gap in the index. `filename` of a frame is the name of its file.

    Frames can be read once: a second `iter()` continues where the first stopped.

    Args:
        path: of a folder of images, a pattern such as `photos/*.jpg` (`**` includes
            subfolders), one image, or a MOTChallenge sequence: a folder that contains `img1/`,
            or that folder. The frame index is then the image's number minus one, as in `det.txt`.
        rate: frames per second, for the stream time; None for the rate in the sequence's
            `seqinfo.ini`, or else 25.
        stream: name of the stream; None for the folder's name.

    Attributes:
        live: False.
        stream: name of the stream.
        rate: frames per second.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: there are no images, or (later) none of them can be read.
    """

    live = False

    def __init__(
        self,
        path: str,
        rate: Annotated[float, Meta(gt=0, le=1000)] | None = None,
        stream: str | None = None,
    ) -> None:
        options.text("path", path)
        if stream is not None:
            options.text("stream", stream)
        self._path = path
        self._listing = find_images(path)
        self.rate = rate or self._listing.rate or DEFAULT_FRAME_RATE
        self.stream = stream or self._listing.name
        self._remaining = deque(self._listing.files)
        self._read_count = self._broken_count = 0

    @property
    def frames(self) -> int | None:
        """Number of images, including those that cannot be read."""
        return len(self._listing.files)

    def __iter__(self) -> Iterator[Frame]:
        while self._remaining:
            index, file = self._remaining.popleft()
            try:
                rgb = read_image(file.read_bytes())
            except (OSError, ValueError) as error:
                self._broken_count += 1
                log.warning("skipping image %r: %s", str(file), error)
                continue
            self._read_count += 1
            yield ArrayFrame(
                rgb,
                index=index,
                time=index / self.rate,
                captured=time.monotonic(),
                stream=self.stream,
                filename=file.name,
            )
        if self._broken_count and not self._read_count:
            raise SourceError(
                f"none of the {self._broken_count} images of {self._path!r} can be read: "
                "the log says why, get them again"
            )

    def close(self) -> None:
        """End the iteration; there is nothing else to release."""
        self._remaining.clear()
        self._broken_count = 0


def read_image(data: bytes) -> Image:
    """Decode an image file: (H,W,3) uint8 RGB, oriented according to its EXIF data.

    Raises:
        ValueError: it is broken, or not an image.
    """
    if not data:
        raise ValueError("it is empty (0 bytes)")
    try:
        with quiet_opencv():
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ValueError(f"OpenCV rejects it: {error.err}") from error
    if bgr is None:
        raise ValueError("it is broken, or not an image that OpenCV can read")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
