"""Heads with one box per cell of several grids: where the cells are, and boxes around them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from vidan.boxes import FloatArray

from .base import Size, softmax

STRIDES = (8, 16, 32)
"""px between the cells of each grid, finest first, as most detectors have them."""

STRIDES_4 = (8, 16, 32, 64)

BINS = 8
"""Numbers that describe a distance as a distribution over 0 to 7 strides."""


class Cells(NamedTuple):
    """All cells of some grids, row by row, the finest grid first.

    Attributes:
        corners: (N,2) x and y of the top left corner of each, px of the input.
        strides: (N,1) its width and height, px.
    """

    corners: FloatArray
    strides: FloatArray


@lru_cache(maxsize=32)
def cells(size: Size, strides: Sequence[int] = STRIDES) -> Cells:
    """The cells over an input of that height and width; those at its border may be cut off."""
    corners, sides = [], []
    for stride in strides:
        rows, columns = (-(-side // stride) for side in size)
        y, x = np.mgrid[:rows, :columns].reshape(2, -1) * stride
        corners.append(np.stack([x, y], axis=1))
        sides.append(np.full((len(x), 1), stride))
    return Cells(
        np.concatenate(corners).astype(np.float32), np.concatenate(sides).astype(np.float32)
    )


def count_cells(size: Size, strides: Sequence[int] = STRIDES) -> int:
    """Number of cells over an input of that height and width."""
    return sum(-(-size[0] // stride) * -(-size[1] // stride) for stride in strides)


def around(centers: FloatArray, distances: FloatArray) -> FloatArray:
    """Boxes (N,4) xyxy from centers (N,2) and distances (N,4) to left, top, right, bottom."""
    return np.concatenate([centers - distances[:, :2], centers + distances[:, 2:]], axis=1)


def expected_distances(logits: FloatArray) -> FloatArray:
    """Distances (N,4) in strides: the means of four distributions, each over `BINS` (N,4*BINS).

    Source: Li et al., "Generalized Focal Loss", arXiv 2006.04388.
    """
    shares = softmax(logits.reshape(len(logits), 4, -1))
    return np.asarray(shares @ np.arange(shares.shape[-1], dtype=np.float32))
