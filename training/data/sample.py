"""A training sample: an image and the boxes in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidan.types import Image

from ..arrays import FloatArray, IntArray
from .image_files import ImageFile

BACKGROUND = -1
"""Class of an anchor without an object."""

IGNORED = -2
"""Class of a box or anchor that counts neither as right nor as wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image with its ground truth.

    Pixels are read on every call of `image`, so that a sample needs no memory for them.

    Attributes:
        path: the image file, or the TFRecord file that contains the image.
        boxes: (M,4) float32 xyxy, px of the image.
        classes: (M,) int32, indices into the labels, or `IGNORED`.
        span: offset and length of the image in a TFRecord file, bytes; None if `path` is the
            image.
        image_name: file name of the image if it differs from that of `path`.
    """

    path: Path
    boxes: FloatArray
    classes: IntArray
    span: tuple[int, int] | None = None
    image_name: str = ""

    @property
    def name(self) -> str:
        """File name of the image."""
        return self.image_name or self.path.name

    def image(self) -> Image:
        """Decode the upright image: (H,W,3) uint8 RGB."""
        return ImageFile(self.path, *(self.span or ())).decode()
