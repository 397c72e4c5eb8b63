"""A training sample: an image and the boxes in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vidan.types import Image

from ..arrays import FloatArray, IntArray
from .image_files import ImageFile

BACKGROUND = -1
"""Class of an anchor without an object."""

IGNORED = -2
"""Class of a box or anchor that counts neither as right nor as wrong."""


class Objects(NamedTuple):
    """The labeled boxes of an image or a view.

    Attributes:
        boxes: (M,4) float32 xyxy, px.
        classes: (M,) int32, indices into the labels, or `IGNORED`.
        weights: (M,) float32, how much each box counts in training, above 0.
    """

    boxes: FloatArray
    classes: IntArray
    weights: FloatArray


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
        weights: (M,) float32, how much each box counts in training, above 0; None for 1.
    """

    path: Path
    boxes: FloatArray
    classes: IntArray
    span: tuple[int, int] | None = None
    image_name: str = ""
    weights: FloatArray | None = None

    @property
    def name(self) -> str:
        """File name of the image."""
        return self.image_name or self.path.name

    @property
    def objects(self) -> Objects:
        """The boxes with their classes and weights."""
        weights = self.weights
        if weights is None:
            weights = np.ones(len(self.boxes), np.float32)
        return Objects(self.boxes, self.classes, weights)

    def image(self) -> Image:
        """Decode the upright image: (H,W,3) uint8 RGB."""
        return ImageFile(self.path, *(self.span or ())).decode()
