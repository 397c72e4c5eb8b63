"""A sample: an image and the boxes in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidan.types import Image

from ..arrays import FloatArray, IntArray
from .image_files import ImageFile

BACKGROUND, IGNORED = -1, -2  # in place of a class: nothing there, and neither right nor wrong


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image and what is in it.

    Attributes:
        path: of the image, or of the file of records that it lies in.
        boxes: (M,4) float32 xyxy px of the image.
        classes: (M,) int32, index into the labels; `IGNORED` for what is not to be judged.
        span: where the image lies in a file of records: offset and size, bytes; None: it is
            the file. The pixels are read when they are asked for, so that memory holds none.
        title: name of the image if the path has another.
    """

    path: Path
    boxes: FloatArray
    classes: IntArray
    span: tuple[int, int] | None = None
    title: str = ""

    @property
    def name(self) -> str:
        """File name of the image."""
        return self.title or self.path.name

    def image(self) -> Image:
        """The image turned upright, (H,W,3) uint8 RGB."""
        return ImageFile(self.path, *(self.span or ())).decode()
