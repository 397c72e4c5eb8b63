"""`source=images`: images in a folder, of a pattern, or of a MOTChallenge sequence."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator

import cv2
import numpy as np

from vidan import options
from vidan.errors import SourceError
from vidan.frames import ArrayFrame
from vidan.types import Frame, Image

from ..opencv_log import quiet_opencv
from .listing import find_images

log = logging.getLogger(__name__)

DEFAULT_RATE = 25.0
"""Where neither the user nor a seqinfo.ini names one, 1/s."""


class Images:
    """Image files as frames, in natural order (1, 2, 10).

    Orientation in EXIF is honored; gray, palette and 16-bit images become 8-bit RGB,
    transparency is left out, sizes may differ. An image that cannot be read is named
    in a warning and leaves a gap in the index. `image` of a frame is its file's name.

    The frames can be had once: a second `iter()` goes on where the first stopped.

    Args:
        path: of a folder of images, a pattern such as `photos/*.jpg` (`**` for folders in
            folders), one image, or a MOTChallenge sequence: a folder with `img1/`, or that.
            There the frame's index is the image's number less one, as in `det.txt`.
        rate: images per second, for the stream time; None for what the sequence's
            `seqinfo.ini` says, or else 25.
        stream: name of the stream; None for the folder's name.

    Attributes:
        live: False.
        stream: name of the stream.
        rate: images per second.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: there are no images, or (later) none of them can be read.
    """

    live = False

    def __init__(self, path: str, rate: float | None = None, stream: str | None = None) -> None:
        options.text("source.path", path)
        if stream is not None:
            options.text("source.stream", stream)
        if rate is not None:
            options.positive("source.rate", rate)
        self._path = path
        self._pictures = find_images(path)
        self.rate = rate or self._pictures.rate or DEFAULT_RATE
        self.stream = stream or self._pictures.name
        self._remaining = deque(self._pictures.files)
        self._read = self._broken = 0

    @property
    def frames(self) -> int | None:
        """How many images there are, those included that cannot be read."""
        return len(self._pictures.files)

    def __iter__(self) -> Iterator[Frame]:
        while self._remaining:
            index, file = self._remaining.popleft()
            try:
                rgb = read_image(file.read_bytes())
            except (OSError, ValueError) as error:
                self._broken += 1
                log.warning("left out picture %r: %s", str(file), error)
                continue
            self._read += 1
            yield ArrayFrame(
                rgb,
                index=index,
                time=index / self.rate,
                captured=time.monotonic(),
                stream=self.stream,
                filename=file.name,
            )
        if self._broken and not self._read:
            raise SourceError(
                f"none of the {self._broken} pictures of {self._path!r} can be read: "
                "the first is named in the log, get them anew"
            )

    def close(self) -> None:
        """The iteration ends; there is nothing else to let go of."""
        self._remaining.clear()
        self._broken = 0


def read_image(data: bytes) -> Image:
    """The image of a file's bytes: (H,W,3) uint8 RGB, turned as its EXIF says.

    Raises:
        ValueError: it is broken, or no image.
    """
    if not data:
        raise ValueError("it is empty (0 bytes)")
    try:
        with quiet_opencv():
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ValueError(f"OpenCV refuses it: {error.err}") from error
    if bgr is None:
        raise ValueError("it is broken, or no picture that OpenCV can read")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
