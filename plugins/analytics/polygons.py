"""Polygons and tracks: which points are inside, how far from the border, and where paths cross it.

Everything that is computed in each frame covers all polygons and all points at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vidan.geometry import polygon_area

Floats = npt.NDArray[np.float64]
Point = tuple[float, float]
"""x and y, px."""

Bools = npt.NDArray[np.bool_]


class Polygons:
    """Simple polygons, concave ones included, in parallel arrays.

    Args:
        polygons: (V,2) each, px; at least one.

    Attributes:
        points: (V,2) each, px.
        widths: (Z,) area divided by perimeter, px: at most the radius of the largest circle inside,
            and close to it for a long and narrow polygon.
        bounds: the box around each, xyxy, px.
    """

    def __init__(self, polygons: Sequence[Floats]) -> None:
        self.points = list(polygons)
        self.bounds = [(*p.min(axis=0).tolist(), *p.max(axis=0).tolist()) for p in polygons]
        most = max(map(len, polygons)) + 1
        # Repeating the first corner adds edges without length, which no path crosses.
        corners = np.array([p[np.r_[: len(p), [0] * (most - len(p))]] for p in polygons], float)
        edges = np.diff(corners, axis=1)
        x, y, dx, dy = corners[:, :-1, 0], corners[:, :-1, 1], edges[..., 0], edges[..., 1]
        squares = dx**2 + dy**2
        inverse = np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0)
        all_edges = np.stack([x, y, dx, dy, dx * inverse, dy * inverse], axis=2)  # (Z,V,6)
        self._edges = [
            edges[length > 0].tolist() for edges, length in zip(all_edges, squares, strict=True)
        ]
        slopes = np.divide(dx, dy, out=np.zeros_like(dx), where=dy != 0)
        sides = np.stack([y, corners[:, 1:, 1], slopes, x - slopes * y], axis=2)
        self._sides = sides[..., None]  # (Z,V,4,1): y of the ends, slope and offset of x
        self._lists = [one[one[:, 0] != one[:, 1]].tolist() for one in sides]
        self.widths = np.array([polygon_area(p) for p in polygons]) / np.sqrt(squares).sum(axis=1)

    def contain(self, x: Floats, y: Floats) -> Bools:
        """Which points are inside which polygon (Z,N), as `contains` has it.

        Args:
            x: (N,) px.
            y: (Z,N) px; it may differ between polygons.
        """
        start, end, slope, offset = self._sides.transpose(2, 0, 1, 3)
        y = y[:, None]
        crossed = (start > y) != (end > y)
        crossed &= slope * y + offset > x
        return np.asarray(np.logical_xor.reduce(crossed, axis=1))

    def contains(self, which: int, x: float, y: float) -> bool:
        """Whether a point is inside a polygon, by the even-odd rule.

        A point on an edge that two polygons share is in one of them.
        """
        inside = False
        for start, end, slope, offset in self._lists[which]:
            if (start > y) != (end > y) and slope * y + offset > x:
                inside = not inside
        return inside

    def border(self, which: int, x: float, y: float) -> tuple[float, float, float]:
        """How far a point is from the border of a polygon, px.

        Returns:
            the distance, and the offset from the nearest point of the border in x and in y.
        """
        least, nearest_x, nearest_y = math.inf, 0.0, 0.0
        for start_x, start_y, edge_x, edge_y, part_x, part_y in self._edges[which]:
            dx, dy = x - start_x, y - start_y
            part = dx * part_x + dy * part_y
            if part > 0:
                part = part if part < 1 else 1.0
                dx -= part * edge_x
                dy -= part * edge_y
            square = dx * dx + dy * dy
            if square < least:
                least, nearest_x, nearest_y = square, dx, dy
        return math.sqrt(least), nearest_x, nearest_y

    def crossings(self, zone: int, start: Point, end: Point) -> list[float]:
        """Where a step crosses the border of a polygon, as fractions of the step, in order."""
        step = np.subtract(end, start)
        offsets = np.concatenate([self.points[zone], self.points[zone][:1]]) - start
        turns = step[0] * offsets[:, 1] - step[1] * offsets[:, 0]
        right = turns >= 0
        which = np.flatnonzero(right[1:] != right[:-1])
        if not len(which):
            return []
        share = turns[which] / (turns[which] - turns[which + 1])
        places = offsets[which] + share[:, None] * (offsets[which + 1] - offsets[which])
        found = (places * step).sum(axis=1) / (step * step).sum()
        return sorted(found[(found >= 0) & (found <= 1)].tolist())

    def length_inside(self, zone: int, start: Point, end: Point) -> float:
        """Length, px, of the part of a step inside a polygon; the step begins outside."""
        found = self.crossings(zone, start, end)
        inside = sum(b - a for a, b in zip(found[::2], found[1::2], strict=False))
        return inside * math.dist(start, end)
