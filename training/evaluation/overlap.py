"""Fraction of one box that lies inside another."""

from __future__ import annotations

import numpy as np

from vidan.boxes import area

from ..arrays import FloatArray


def fraction_inside(a: FloatArray, b: FloatArray) -> FloatArray:
    """Fraction of each box of `a` (N,4) that lies inside each of `b` (M,4): (N,M) in [0,1].

    >>> boxes = np.array([[2.0, 0, 20, 20], [0, 0, 9, 9]])
    >>> fraction_inside(np.array([[0.0, 0, 4, 4]]), boxes).tolist()
    [[0.5, 1.0]]
    """
    width = np.minimum(a[:, 2, None], b[:, 2]) - np.maximum(a[:, 0, None], b[:, 0])
    height = np.minimum(a[:, 3, None], b[:, 3]) - np.maximum(a[:, 1, None], b[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    return np.asarray(shared / np.maximum(area(a), 1e-9)[:, None])
