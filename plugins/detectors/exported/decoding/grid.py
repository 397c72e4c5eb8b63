"""Heads with one box per cell of several grids: where the cells are, and boxes around them."""

from __future__ import annotations

import math
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


def grid_shape(size: Size, stride: int) -> tuple[int, int]:
    """Rows and columns of a grid over an input; the cells at its border may be cut off."""
    height, width = size
    return -(-height // stride), -(-width // stride)


@lru_cache(maxsize=32)
def cells(size: Size, strides: Sequence[int] = STRIDES) -> Cells:
    """The cells over an input of that height and width."""
    corners, sides = [], []
    for stride in strides:
        rows, columns = grid_shape(size, stride)
        y, x = np.mgrid[:rows, :columns].reshape(2, -1) * stride
        corners.append(np.stack([x, y], axis=1))
        sides.append(np.full((len(x), 1), stride))
    return Cells(
        np.concatenate(corners).astype(np.float32), np.concatenate(sides).astype(np.float32)
    )


def count_cells(size: Size, strides: Sequence[int] = STRIDES) -> int:
    """Number of cells over an input of that height and width."""
    return sum(math.prod(grid_shape(size, stride)) for stride in strides)


def rows(head: FloatArray) -> FloatArray:
    """An output [1,F,h,w] as (h*w,F), a row for each cell."""
    return np.asarray(head[0].reshape(head.shape[1], -1).T)


def joined(parts: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Scores (N,C) of all cells, and the numbers of their boxes (N,F).

    Args:
        parts: scores (n,C) of each grid, then numbers (n,F) of each.
    """
    half = len(parts) // 2
    return np.concatenate(parts[:half]), np.concatenate(parts[half:])


def around(centers: FloatArray, distances: FloatArray) -> FloatArray:
    """Boxes (N,4) xyxy from centers (N,2) and distances (N,4) to left, top, right, bottom."""
    return np.concatenate([centers - distances[:, :2], centers + distances[:, 2:]], axis=1)


def expected_distances(logits: FloatArray) -> FloatArray:
    """Distances (N,4) in strides: the means of four distributions, each over `BINS` (N,4*BINS).

    Source: Li et al., "Generalized Focal Loss", arXiv 2006.04388.
    """
    shares = softmax(logits.reshape(len(logits), 4, -1))
    return np.asarray(shares @ np.arange(shares.shape[-1], dtype=np.float32))
