"""Plane geometry of lines, polygons and paths, in pure NumPy.

Points are `x, y` in px with y pointing down, so that someone who stands at the first point of a
line and faces the second has larger y to the right if the line points along x.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

Anchor = Literal["bottom", "center", "top"]
"""The point of a box that stands for the object: the middle of its lower edge, its center, or the
middle of its upper edge."""

ANCHOR_HEIGHTS = {"top": 0.0, "center": 0.5, "bottom": 1.0}
"""Where an anchor is, as a fraction of the height of its box from the top."""

EDGE_MARGIN = 0.01
"""How near to an edge of the image a line ends there, in diagonals of the image."""

Floats = npt.NDArray[np.float64]


def anchor_points(boxes: npt.ArrayLike, anchor: Anchor = "bottom") -> Floats:
    """The anchors (N,2) of boxes (N,4) xyxy.

    >>> anchor_points([[0, 0, 10, 20]])
    array([[ 5., 20.]])
    """
    x1, y1, x2, y2 = np.asarray(boxes, np.float64).reshape(-1, 4).T
    return np.stack([(x1 + x2) / 2, y1 + ANCHOR_HEIGHTS[anchor] * (y2 - y1)], axis=1)


def right_normal(start: npt.ArrayLike, end: npt.ArrayLike) -> Floats:
    """The unit vector (2,) to the right of someone who stands at `start` and faces `end`.

    Raises:
        ValueError: the points coincide.

    >>> right_normal([0, 0], [10, 0])
    array([-0.,  1.])
    """
    dx, dy = np.asarray(end, np.float64) - np.asarray(start, np.float64)
    length = float(np.hypot(dx, dy))
    if length == 0:
        raise ValueError("right_normal: expected two different points")
    return np.array([-dy, dx]) / length


def beyond_edges(points: npt.ArrayLike, width: float, height: float) -> Floats:
    """A line (2,2), extended far beyond the edges of the image at which it ends.

    The lower edges of boxes may be outside of the image, where nobody can draw a line. An end is
    at an edge if the line would leave the image within `EDGE_MARGIN` of its diagonal.

    >>> beyond_edges([[50, 0], [50, 60]], 100, 100)
    array([[  50., -200.],
           [  50.,   60.]])
    """
    line = np.array(points, np.float64)
    outward = line - line[::-1]
    outward /= np.hypot(*outward[0])
    near = line + EDGE_MARGIN * np.hypot(width, height) * outward
    leaves = ((near < 0) | (near > (width, height))).any(axis=1, keepdims=True)
    return np.asarray(np.where(leaves, line + (width + height) * outward, line))


def beyond_sides(polygon: npt.ArrayLike, width: float, height: float) -> Floats:
    """A polygon (N,2), extended far beyond the edges of the image along which it lies.

    Only its sides along an edge of the image, within `EDGE_MARGIN`, are moved: (M,2).

    >>> beyond_sides([[20, 100], [20, 50], [60, 50], [60, 100]], 100, 100)
    array([[ 60., 300.],
           [ 20., 300.],
           [ 20., 100.],
           [ 20.,  50.],
           [ 60.,  50.],
           [ 60., 100.]])
    """
    points = np.array(polygon, np.float64)
    margin, far = EDGE_MARGIN * np.hypot(width, height), width + height
    low, high = points <= margin, points >= np.array([width, height]) - margin
    moved = points + far * (high.astype(int) - low)
    edges = np.concatenate([low, high], axis=1)
    along = (edges & np.roll(edges, 1, axis=0)).any(axis=1)  # the side from the point before
    found: list[Floats] = []
    for n in range(len(points)):
        if along[n]:
            found += [moved[n - 1], moved[n]]
        if not (along[n] and along[(n + 1) % len(points)]):
            found.append(points[n])
    return np.array(found)


def signed_distance(points: npt.ArrayLike, start: npt.ArrayLike, end: npt.ArrayLike) -> Floats:
    """Distances (N,), px, of points (N,2) from the infinite line; positive to its right.

    >>> signed_distance([[5, 3], [50, -4]], [0, 0], [10, 0])
    array([ 3., -4.])
    """
    offsets = np.asarray(points, np.float64).reshape(-1, 2) - np.asarray(start, np.float64)
    return np.asarray(offsets @ right_normal(start, end))


def turn(p: Sequence[float], q: Sequence[float], r: Sequence[float]) -> float:
    """Twice the signed area of a triangle, px²: positive if `r` is to the right of `p` to `q`.

    >>> turn((0, 0), (10, 0), (5, 3))
    30
    """
    return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])


def passes_between(
    p: Sequence[float], q: Sequence[float], start: Sequence[float], end: Sequence[float]
) -> bool:
    """Whether the infinite line through `p` and `q` passes between two points.

    A line through a shared end point of two segments passes between the ends of exactly one
    of them, if they lie on a straight line.
    """
    return (turn(p, q, start) >= 0) != (turn(p, q, end) >= 0)


def segments_touch(
    a: Sequence[float], b: Sequence[float], c: Sequence[float], d: Sequence[float]
) -> bool:
    """Whether the segments from `a` to `b` and from `c` to `d` have a point in common."""
    turns = turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(value == 0 and _within(*points) for value, points in zip(turns, ends, strict=True))


def _within(p: Sequence[float], q: Sequence[float], r: Sequence[float]) -> bool:
    """Whether `r`, on the infinite line through `p` and `q`, is on the segment."""
    return all(min(p[k], q[k]) <= r[k] <= max(p[k], q[k]) for k in (0, 1))


def polygon_area(polygon: npt.ArrayLike) -> float:
    """Area of a polygon (N,2), px², by the shoelace formula.

    >>> polygon_area([[0, 0], [10, 0], [10, 5], [0, 5]])
    50.0
    """
    x, y = np.asarray(polygon, np.float64).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def is_simple(polygon: npt.ArrayLike) -> bool:
    """Whether the edges of a polygon (N,2) meet only where they follow each other.

    >>> is_simple([[0, 0], [10, 0], [10, 10], [0, 10]])
    True
    >>> is_simple([[0, 0], [10, 10], [10, 0], [0, 10]])
    False
    """
    points = np.asarray(polygon, np.float64).tolist()
    edges = list(zip(points, points[1:] + points[:1], strict=True))
    for (m, one), (n, other) in combinations(enumerate(edges), 2):
        if n == m + 1 or (m == 0 and n == len(edges) - 1):
            shared, before, after = (one[1], one[0], other[1]) if n == m + 1 else (*one, other[0])
            folded = turn(before, shared, after) == 0 and not _within(before, after, shared)
            if folded or one[0] == one[1]:
                return False
        elif segments_touch(*one, *other):
            return False
    return True


def on_one_line(points: npt.ArrayLike, tolerance: float = 1e-3) -> bool:
    """Whether points (N,2) lie on a straight line, nearly.

    Args:
        points: at least two.
        tolerance: largest spread across the line, as a fraction of the spread along it.
    """
    offsets = np.asarray(points, np.float64)
    spread = np.linalg.svd(offsets - offsets.mean(axis=0), compute_uv=False)
    return bool(spread[1] <= tolerance * spread[0])
