"""Polygons and tracks: which points are inside, how far from the border, and where paths cross it.

Everything that is computed in each frame covers all polygons and all points at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vidan.geometry import polygon_area

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


class Polygons:
    """Simple polygons, concave ones included, in parallel arrays.

    Args:
        polygons: (V,2) each, px; at least one.

    Attributes:
        points: (V,2) each, px.
        widths: (Z,) area divided by perimeter, px: at most the radius of the largest circle inside,
            and close to it for a long and narrow polygon.
    """

    def __init__(self, polygons: Sequence[Floats]) -> None:
        self.points = list(polygons)
        most = max(map(len, polygons)) + 1
        # Repeating the first corner adds edges without length, which no path crosses.
        corners = np.array([p[np.r_[: len(p), [0] * (most - len(p))]] for p in polygons], float)
        self._starts, self._edges = corners[:, :-1], np.diff(corners, axis=1)
        self._y = corners[..., 1]
        dx, dy = self._edges[..., 0], self._edges[..., 1]
        self._slopes = np.divide(dx, dy, out=np.zeros_like(dx), where=dy != 0)
        self._offsets = corners[:, :-1, 0] - self._slopes * self._y[:, :-1]
        lengths = np.hypot(dx, dy)
        self.widths = np.array([polygon_area(p) for p in polygons]) / lengths.sum(axis=1)
        self._squares = np.where(lengths > 0, lengths**2, 1.0)

    def contain(self, which: Indices, points: Floats) -> Bools:
        """Whether points are inside polygons, by the even-odd rule.

        A point on an edge that two polygons share is in one of them.

        Args:
            which: (K,) the polygon for each point.
            points: (K,2) px.

        Returns:
            (K,) bool.
        """
        x, y = points[:, :1], points[:, 1:]
        above = self._y[which] > y
        crossed = above[:, 1:] != above[:, :-1]
        crossed &= self._slopes[which] * y + self._offsets[which] > x
        return np.asarray(np.logical_xor.reduce(crossed, axis=1))

    def border(self, which: Indices, points: Floats) -> tuple[Floats, Floats]:
        """How far points are from the borders of polygons.

        Args:
            which: (K,) the polygon for each point.
            points: (K,2) px.

        Returns:
            distances (K,), px, and unit vectors (K,2) toward the nearest points of the borders.
        """
        edges = self._edges[which]
        offsets = points[:, None] - self._starts[which]
        dx, dy = offsets[..., 0], offsets[..., 1]
        part = (dx * edges[..., 0] + dy * edges[..., 1]) / self._squares[which]
        offsets -= part.clip(0.0, 1.0)[..., None] * edges
        squares = dx * dx + dy * dy  # of what is left of the offsets
        each, nearest = np.arange(len(which)), squares.argmin(axis=1)
        distance = np.sqrt(squares[each, nearest])
        return distance, offsets[each, nearest] / np.maximum(distance, 1e-9)[:, None]

    def crossings(self, zone: int, start: Floats, end: Floats) -> list[float]:
        """Where a step crosses the border of a polygon, as fractions of the step, in order."""
        step = end - start
        offsets = np.concatenate([self.points[zone], self.points[zone][:1]]) - start
        turns = step[0] * offsets[:, 1] - step[1] * offsets[:, 0]
        right = turns >= 0
        which = np.flatnonzero(right[1:] != right[:-1])
        if not len(which):
            return []
        share = turns[which] / (turns[which] - turns[which + 1])
        places = offsets[which] + share[:, None] * (offsets[which + 1] - offsets[which])
        found = places @ step / (step @ step)
        return sorted(found[(found >= 0) & (found <= 1)].tolist())

    def length_inside(self, zone: int, start: Floats, end: Floats) -> float:
        """Length, px, of the part of a step inside a polygon; the step begins outside."""
        found = self.crossings(zone, start, end)
        inside = sum(b - a for a, b in zip(found[::2], found[1::2], strict=False))
        return inside * float(np.hypot(*(end - start)))
