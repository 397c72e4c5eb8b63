"""Image files: reading their bytes, header and pixels."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vidan.errors import SourceError
from vidan.support.extras import import_extra
from vidan.types import Image

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".gif"),
    *(".jp2", ".avif", ".pbm", ".pgm", ".ppm", ".pnm"),
)
"""Suffixes of image files, in lower case."""

FORMAT_SUFFIXES = {
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "TIFF": ".tif",
    "JPEG2000": ".jp2",
}
"""Suffixes by Pillow's name of the format, where they are not that name in lower case."""

EXIF_ORIENTATION = 0x0112  # tag number
SIDEWAYS = 5  # EXIF orientations from here on swap width and height


def _pillow() -> Any:
    return import_extra("PIL.Image", "train", "images of a data set")


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Metadata of an image file, read without decoding its pixels.

    Attributes:
        stored_size: width and height of the pixels as stored, px.
        orientation: EXIF orientation, 1 to 8; 1 is upright.
        format: Pillow's name of the format, such as `JPEG`, `MPO` or `PNG`.
        mode: Pillow's pixel mode, such as `RGB`, `L` or `CMYK`.
    """

    stored_size: tuple[int, int]
    orientation: int
    format: str
    mode: str

    @property
    def suffix(self) -> str:
        """The usual suffix of a file of this format, such as `.jpg`."""
        return FORMAT_SUFFIXES.get(self.format, f".{self.format.lower()}")

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height after the EXIF rotation is applied, px."""
        return self.stored_size[::-1] if self.orientation >= SIDEWAYS else self.stored_size


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An encoded image: a whole file, or a byte range of one (a TFRecord).

    Attributes:
        path: the file.
        offset: position of the image in the file, bytes.
        length: length of the image, bytes; None for the rest of the file.
    """

    path: Path
    offset: int = 0
    length: int | None = None

    def __str__(self) -> str:
        position = "" if self.length is None else f" at byte {self.offset}"
        return f"{str(self.path)!r}{position}"

    def read(self) -> bytes:
        """Return the encoded image.

        Raises:
            SourceError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.offset)
                return stream.read(-1 if self.length is None else self.length)
        except OSError as error:
            raise SourceError(f"cannot read image {self}: {error.strerror}") from error

    def header(self) -> ImageHeader:
        """Return the metadata of the image without decoding its pixels.

        Raises:
            SourceError: this is not an image.
        """
        library = _pillow()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unusual metadata does not matter here
            try:
                with self._open(library) as image:
                    orientation = image.getexif().get(EXIF_ORIENTATION, 1)
                    orientation = orientation if orientation in range(1, 9) else 1
                    return ImageHeader(image.size, orientation, image.format or "", image.mode)
            except Exception as error:  # Pillow raises many types for broken headers
                raise SourceError(
                    f"cannot read image {self}: {error}: repair or remove it"
                ) from error

    def _open(self, library: Any) -> Any:
        is_whole_file = self.offset == 0 and self.length is None
        return library.open(self.path if is_whole_file else io.BytesIO(self.read()))

    def decode(self) -> Image:
        """Decode the pixels of the upright image: (H,W,3) uint8 RGB, whatever the file stores.

        Raises:
            SourceError: the image cannot be decoded.
        """
        # From a buffer, because cv2.imread at most warns about files that it cannot read.
        data = np.frombuffer(self.read(), np.uint8)
        try:
            image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
        except cv2.error:
            image = None
        if image is None:
            raise SourceError(f"cannot read image {self}: repair or remove it")
        return np.asarray(image, np.uint8)
