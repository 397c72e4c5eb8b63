"""The houses along the street and at its end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .relief import Array, linear, noise, smoothstep
from .view import EYE

WALL = 6.2
"""From the middle of the street to the houses, m."""

END = 72.0
"""Distance of the house that closes the street, m."""

STOREY = 3.4
BAY = 2.7
"""Height of a storey and width of what has one window, m."""

COOL = np.array([0.85, 0.98, 1.12], np.float32).reshape(3, 1, 1)
WARM = np.array([1.25, 0.98, 0.68], np.float32)
LAMP = np.array([0.9, 0.72, 0.42], np.float32)
"""Light mirrored in windows, behind them, and of the lamps there; linear RGB."""

PLASTER = (
    (206, 188, 160),
    (178, 110, 84),
    (196, 190, 180),
    (150, 84, 66),
    (214, 200, 150),
    (150, 156, 160),
)

AWNING = ((138, 62, 56), (66, 92, 80), (62, 74, 100), (186, 158, 104), (196, 190, 178))


def _facade(
    rng: np.random.Generator, along: Array, up: Array, block: npt.NDArray[np.intp], light: float
) -> Array:
    """A row of houses: color (3,h,w), linear, at `along` (1,w) and `up` (h,w) m of its wall.

    `block` (1,w) says which house it is.
    """
    count = int(block.max()) + 1
    plaster = _some(rng, PLASTER, count)
    color = plaster[:, block] * light * (1 + 0.04 * noise(rng, (up.shape[0], up.shape[1]), (3, 3)))
    bay, storey = along / BAY, up / STOREY
    floor = np.floor(storey)
    u, v = bay - np.floor(bay), storey - floor
    middle = np.abs(u - 0.5)
    upper = storey >= 1.15
    cell = np.abs(np.sin(np.floor(bay) * 12.9898 + floor * 78.233 + block) * 43758.5453)
    cell -= np.floor(cell)
    cell = np.asarray(cell, np.float32)
    frame = upper & (middle < 0.27) & (v > 0.20) & (v < 0.84)
    pane = upper & (middle < 0.22) & (middle > 0.018) & (v > 0.25) & (v < 0.80)
    np.copyto(color, linear((224, 220, 212)) * light, where=frame)
    np.copyto(color, (0.05 + 0.16 * cell + 0.10 * v) * COOL, where=pane)
    ledge = (storey > 1.02) & (v < 0.055)
    np.multiply(color, 0.72, out=color, where=ledge)
    # Shops on the ground floor, lit from within, under awnings.
    shop = (storey < 0.80) & (storey > 0.10) & (middle < 0.45)
    _put_goods(rng, color, cell, smoothstep(0.1, 0.75, v), shop)
    cloth = _some(rng, AWNING, count)[:, block] * light * (0.75 + 0.5 * (np.sin(along * 14) > 0))
    under = (storey > 0.74) & (storey < 0.97)
    np.copyto(color, cloth, where=under, casting="same_kind")
    return color


def _some(rng: np.random.Generator, colors: tuple[tuple[int, int, int], ...], count: int) -> Array:
    """So many of some colors at random, (3,count), linear."""
    return np.hstack([linear(colors[i])[:, 0] for i in rng.integers(len(colors), size=count)])


def _put_goods(
    rng: np.random.Generator,
    color: Array,
    cell: Array,
    warm: Array,
    shop: npt.NDArray[np.bool_],
) -> None:
    """What is behind the windows of shops: colored things under warm lamps."""
    size = (color.shape[1], color.shape[2])
    light = noise(rng, size, (size[0] / 30, size[0] / 16))
    tints = [noise(rng, size, (size[0] / 16, size[0] / 16)) for _ in range(3)]
    lamps = smoothstep(2.3, 2.7, noise(rng, size, (size[0] / 90, size[0] / 90)))
    lit = 0.05 + 0.20 * cell * warm
    for plane, tint, tone, lamp in zip(color, tints, WARM, LAMP, strict=True):
        goods = lit * tone * np.clip(1 + 0.40 * light + 0.12 * tint, 0.15, 3) + lamps * lamp
        np.copyto(plane, goods, where=shop)


def ground_top(dy: Array) -> int:
    """The first row of the ground, which begins at the house at the end."""
    return int(np.searchsorted(dy[:, 0], EYE / END))


def put_houses(
    rng: np.random.Generator, color: Array, distance: Array, dx: Array, dy: Array, side: int
) -> None:
    """One side of the street."""
    columns = np.flatnonzero((dx[0] * side > WALL / END) & (dx[0] * side > 0))
    if not columns.size:
        return
    part = slice(int(columns[0]), int(columns[-1]) + 1)
    z = WALL / np.abs(dx[:, part])
    # Only down to where the nearest wall meets the ground.
    bottom = int(np.searchsorted(dy[:, 0], EYE / float(z.min()))) + 1
    up = EYE - dy[:bottom] * z
    edges = np.cumsum(rng.uniform(7, 13, 14))
    block = np.clip(np.searchsorted(edges, z), 0, len(edges) - 1)
    heights = rng.uniform(8, 15, len(edges))
    light = 0.95 if side > 0 else 0.62
    paint = _facade(rng, z, np.clip(up, 0, 60), block, light)
    roof = heights[block]
    cornice = up > roof - 0.5
    np.multiply(paint, 0.6, out=paint, where=cornice)
    np.add(paint, 0.05, out=paint, where=cornice)
    there = (up >= 0) & (up < roof)
    np.copyto(color[:, :bottom, part], paint, where=there)
    np.copyto(distance[:bottom, part], z, where=there)


def put_end(rng: np.random.Generator, color: Array, distance: Array, dx: Array, dy: Array) -> None:
    """The house at the end, with a tower."""
    columns = np.flatnonzero(np.abs(dx[0]) <= WALL / END * 1.02)
    if not columns.size:
        return
    part = (
        slice(0, ground_top(dy)),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )
    x, up = dx[:, part[1]] * END, EYE - dy[part[0]] * END
    gable = np.clip(2.2 - np.abs(x - 1.5) * 1.4, 0, None) * 1.5
    roof = 9.0 + 4.5 * (np.abs(x - 1.5) < 1.6) + gable
    there = up < roof
    up = np.broadcast_to(up, there.shape)
    paint = _facade(rng, x + 40, up, np.zeros(x.shape, np.intp), 0.85)
    np.copyto(color[:, *part], paint, where=there)
    distance[part][there] = END
