"""Looks at every image once: is it broken, and which others look like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidan.cli.terminal import track
from vidan.errors import SourceError

from ..data.formats import Picture
from .similar import SIDE, Pair, near_duplicates, thumbnail


@dataclass(frozen=True, slots=True)
class Scan:
    """What the pixels say.

    Attributes:
        broken: what is wrong with each image that cannot be decoded.
        pairs: of images that look alike.
    """

    broken: list[str]
    pairs: list[Pair]


def scan(pictures: Sequence[Picture], threshold: float) -> Scan:
    """Decode all images and compare each with each."""
    broken, looks = [], np.zeros((len(pictures), SIDE * SIDE), np.float32)
    for row, picture in enumerate(track(pictures, "looking at pictures")):
        try:
            looks[row] = thumbnail(picture.file.decode())
        except SourceError as error:
            broken.append(str(error))
    return Scan(broken, near_duplicates(looks, threshold))
