"""`source=images`: images in a folder, of a pattern, or of a MOTChallenge sequence."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from msgspec import Meta

from vidan import options
from vidan.errors import SourceError
from vidan.frames import ArrayFrame
from vidan.support.image_limit import VARIABLE
from vidan.types import Frame, Image

from ..opencv_log import quiet_opencv
from .listing import find_images

log = logging.getLogger(__name__)

MULTIPLE_SUFFIXES = (".tif", ".tiff", ".gif", ".webp", ".avif")
"""Suffixes of files that may contain several images."""

DEFAULT_FRAME_RATE = 25.0
"""If neither the user nor a seqinfo.ini specifies one, frames/s."""


class Images:
    """Image files as frames, in natural order (1, 2, 10).

    EXIF orientation is applied; gray, palette and 16-bit images become 8-bit RGB, transparency
    is ignored, and sizes may differ. Of a file with several images (pages of a TIFF, an animation)
    the first is read, and a warning says so once. An image that cannot be read, or has more than
    200 million pixels, is named in a warning and leaves a gap in the index; so are kinds of images
    that OpenCV does not read (HEIC, raw photos). `filename` of a frame is the name of its file.

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
        self._warned_of_pages = False

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
            self._check_pages(file)
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

    def _check_pages(self, file: Path) -> None:
        if self._warned_of_pages or file.suffix.lower() not in MULTIPLE_SUFFIXES:
            return
        with quiet_opencv():
            count = cv2.imcount(str(file))
        if count > 1:
            self._warned_of_pages = True
            log.warning(
                "%r contains %d images: of such files only the first is read; source=file reads "
                "animations",
                str(file),
                count,
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
        if "MAX_IMAGE_PIXELS" in error.err:
            raise ValueError(f"it has too many pixels: set {VARIABLE} to allow more") from error
        raise ValueError(f"OpenCV rejects it: {error.err}") from error
    if bgr is None:
        raise ValueError("it is broken, or not an image that OpenCV can read")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
