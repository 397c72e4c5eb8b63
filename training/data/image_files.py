"""Image files: where their bytes lie, what their header says, their pixels."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vidan.errors import SourceError
from vidan.types import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
ORIENTATION = 0x0112  # the EXIF tag; 1 upright, 2 to 4 flipped or upside down, 5 to 8 on a side


@dataclass(frozen=True, slots=True)
class Header:
    """What an image says of itself.

    Attributes:
        stored: width, height as the pixels are stored, px.
        orientation: EXIF, 1 to 8.
        kind: format in Pillow's words, such as `JPEG`, `MPO` or `PNG`.
        mode: pixels in Pillow's words, such as `RGB`, `L` or `CMYK`.
    """

    stored: tuple[int, int]
    orientation: int
    kind: str
    mode: str

    @property
    def shown(self) -> tuple[int, int]:
        """Width, height as people see the image, turned upright, px."""
        return self.stored[::-1] if self.orientation >= 5 else self.stored


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An encoded image: a file, or a part of one (a record).

    Attributes:
        path: of the file.
        offset: where the image begins in it, bytes.
        size: of the image, bytes; None: up to the end of the file.
    """

    path: Path
    offset: int = 0
    size: int | None = None

    def __str__(self) -> str:
        inside = "" if self.size is None else f" at byte {self.offset}"
        return f"{str(self.path)!r}{inside}"

    def read(self) -> bytes:
        """The encoded image.

        Raises:
            SourceError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.offset)
                return stream.read(-1 if self.size is None else self.size)
        except OSError as error:
            raise SourceError(f"cannot read picture {self}: {error.strerror}") from error

    def header(self) -> Header:
        """What the image says of itself; its pixels are not decoded.

        Raises:
            SourceError: it is no image.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is none of our business
            try:
                with self._open() as image:
                    orientation = image.getexif().get(ORIENTATION, 1)
                    orientation = orientation if orientation in range(1, 9) else 1
                    return Header(image.size, orientation, image.format or "", image.mode)
            except Exception as error:  # what Pillow raises for broken headers is a wide field
                raise SourceError(
                    f"cannot read picture {self}: {error}: repair or remove it"
                ) from error

    def _open(self) -> Any:
        from PIL import Image as Pillow

        whole = self.offset == 0 and self.size is None
        return Pillow.open(self.path if whole else io.BytesIO(self.read()))

    def decode(self) -> Image:
        """The image turned upright: (H,W,3) uint8 RGB, whatever it is stored as.

        Raises:
            SourceError: it cannot be decoded.
        """
        # Through a buffer: cv2.imread only warns about what it cannot read, and not always.
        data = np.frombuffer(self.read(), np.uint8)
        try:
            image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
        except cv2.error:
            image = None
        if image is None:
            raise SourceError(f"cannot read picture {self}: repair or remove it")
        return np.asarray(image, np.uint8)
