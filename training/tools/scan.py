"""One pass over the pixels of all images: finds broken ones and near duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidan.cli.terminal import track
from vidan.errors import SourceError

from ..data.formats import AnnotatedImage
from .similar import THUMBNAIL_SIDE, SimilarPair, near_duplicates, thumbnail


@dataclass(frozen=True, slots=True)
class Scan:
    """Result of `scan_images`.

    Attributes:
        broken: an error message for each image that cannot be decoded.
        pairs: near duplicates.
    """

    broken: list[str]
    pairs: list[SimilarPair]


def scan_images(images: Sequence[AnnotatedImage], threshold: float) -> Scan:
    """Decode all images and compare every two of them.

    Args:
        images: the images.
        threshold: correlation from which two images are near duplicates, in [0,1].
    """
    broken, thumbnails = [], np.zeros((len(images), THUMBNAIL_SIDE**2), np.float32)
    for row, image in enumerate(track(images, "scanning images")):
        try:
            thumbnails[row] = thumbnail(image.file.decode())
        except SourceError as error:
            broken.append(str(error))
    return Scan(broken, near_duplicates(thumbnails, threshold))
