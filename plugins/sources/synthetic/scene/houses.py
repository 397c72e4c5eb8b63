"""The houses along the street and at its end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .relief import Array, linear, noise, smoothstep
from .view import CAMERA_HEIGHT_M

WALL_DISTANCE_M = 6.2
"""Distance of the houses from the center of the street, m."""

STREET_LENGTH_M = 72.0
"""Distance of the house at the end of the street, m."""

FLOOR_HEIGHT_M = 3.4
"""Height of one floor of a house, m."""

BAY_WIDTH_M = 2.7
"""Width of the part of a facade with one window, m."""

SKY_REFLECTION = np.array([0.85, 0.98, 1.12], np.float32).reshape(3, 1, 1)
"""Light reflected by windows, linear RGB."""

SHOP_LIGHT = np.array([1.25, 0.98, 0.68], np.float32)
"""Light inside shops, linear RGB."""

LAMP_LIGHT = np.array([0.9, 0.72, 0.42], np.float32)
"""Light of the lamps in shops, linear RGB."""

PLASTER_COLORS = (
    (206, 188, 160),
    (178, 110, 84),
    (196, 190, 180),
    (150, 84, 66),
    (214, 200, 150),
    (150, 156, 160),
)

AWNING_COLORS = ((138, 62, 56), (66, 92, 80), (62, 74, 100), (186, 158, 104), (196, 190, 178))


def _facade(
    rng: np.random.Generator, along: Array, up: Array, block: npt.NDArray[np.intp], light: float
) -> Array:
    """The facades of a row of houses.

    Args:
        rng: for colors and textures.
        along: (1,W) horizontal position on the wall, m.
        up: (H,W) height above the ground, m.
        block: (1,W) index of the house.
        light: brightness.

    Returns:
        (3,H,W) linear color.
    """
    count = int(block.max()) + 1
    plaster = _choose(rng, PLASTER_COLORS, count)
    color = plaster[:, block] * light * (1 + 0.04 * noise(rng, (up.shape[0], up.shape[1]), (3, 3)))
    bay, level = along / BAY_WIDTH_M, up / FLOOR_HEIGHT_M
    floor = np.floor(level)
    u, v = bay - np.floor(bay), level - floor
    middle = np.abs(u - 0.5)
    upper = level >= 1.15
    cell = np.abs(np.sin(np.floor(bay) * 12.9898 + floor * 78.233 + block) * 43758.5453)
    cell -= np.floor(cell)
    cell = np.asarray(cell, np.float32)
    frame = upper & (middle < 0.27) & (v > 0.20) & (v < 0.84)
    pane = upper & (middle < 0.22) & (middle > 0.018) & (v > 0.25) & (v < 0.80)
    np.copyto(color, linear((224, 220, 212)) * light, where=frame)
    np.copyto(color, (0.05 + 0.16 * cell + 0.10 * v) * SKY_REFLECTION, where=pane)
    ledge = (level > 1.02) & (v < 0.055)
    np.multiply(color, 0.72, out=color, where=ledge)
    # Shops with lit windows on the ground floor, under awnings.
    shop = (level < 0.80) & (level > 0.10) & (middle < 0.45)
    _draw_goods(rng, color, cell, smoothstep(0.1, 0.75, v), shop)
    stripes = 0.75 + 0.5 * (np.sin(along * 14) > 0)
    cloth = _choose(rng, AWNING_COLORS, count)[:, block] * light * stripes
    under = (level > 0.74) & (level < 0.97)
    np.copyto(color, cloth, where=under, casting="same_kind")
    return color


def _choose(
    rng: np.random.Generator, colors: tuple[tuple[int, int, int], ...], count: int
) -> Array:
    """`count` random elements of `colors` as linear light, (3,count)."""
    return np.hstack([linear(colors[i])[:, 0] for i in rng.integers(len(colors), size=count)])


def _draw_goods(
    rng: np.random.Generator,
    color: Array,
    cell: Array,
    warm: Array,
    shop: npt.NDArray[np.bool_],
) -> None:
    """Fill the windows of shops with goods under warm lamps."""
    size = (color.shape[1], color.shape[2])
    light = noise(rng, size, (size[0] / 30, size[0] / 16))
    tints = [noise(rng, size, (size[0] / 16, size[0] / 16)) for _ in range(3)]
    lamps = smoothstep(2.3, 2.7, noise(rng, size, (size[0] / 90, size[0] / 90)))
    lit = 0.05 + 0.20 * cell * warm
    for plane, tint, tone, lamp in zip(color, tints, SHOP_LIGHT, LAMP_LIGHT, strict=True):
        goods = lit * tone * np.clip(1 + 0.40 * light + 0.12 * tint, 0.15, 3) + lamps * lamp
        np.copyto(plane, goods, where=shop)


def ground_top(dy: Array) -> int:
    """The first image row of the ground, which ends at the house at the end."""
    return int(np.searchsorted(dy[:, 0], CAMERA_HEIGHT_M / STREET_LENGTH_M))


def draw_houses(
    rng: np.random.Generator, color: Array, distance: Array, dx: Array, dy: Array, side: int
) -> None:
    """Draw the houses on one side of the street: -1 is left, 1 is right."""
    slope = dx[0] * side
    columns = np.flatnonzero((slope > WALL_DISTANCE_M / STREET_LENGTH_M) & (slope > 0))
    if not columns.size:
        return
    part = slice(int(columns[0]), int(columns[-1]) + 1)
    z = WALL_DISTANCE_M / np.abs(dx[:, part])
    # Rows below the foot of the nearest wall are not needed.
    bottom = int(np.searchsorted(dy[:, 0], CAMERA_HEIGHT_M / float(z.min()))) + 1
    up = CAMERA_HEIGHT_M - dy[:bottom] * z
    edges = np.cumsum(rng.uniform(7, 13, 14))
    block = np.clip(np.searchsorted(edges, z), 0, len(edges) - 1)
    heights = rng.uniform(8, 15, len(edges))
    light = 0.95 if side > 0 else 0.62
    paint = _facade(rng, z, np.clip(up, 0, 60), block, light)
    roof = heights[block]
    cornice = up > roof - 0.5
    np.multiply(paint, 0.6, out=paint, where=cornice)
    np.add(paint, 0.05, out=paint, where=cornice)
    visible = (up >= 0) & (up < roof)
    np.copyto(color[:, :bottom, part], paint, where=visible)
    np.copyto(distance[:bottom, part], z, where=visible)


def draw_end_house(
    rng: np.random.Generator, color: Array, distance: Array, dx: Array, dy: Array
) -> None:
    """Draw the house at the end of the street, with a tower."""
    columns = np.flatnonzero(np.abs(dx[0]) <= WALL_DISTANCE_M / STREET_LENGTH_M * 1.02)
    if not columns.size:
        return
    part = (
        slice(0, ground_top(dy)),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )
    x, up = dx[:, part[1]] * STREET_LENGTH_M, CAMERA_HEIGHT_M - dy[part[0]] * STREET_LENGTH_M
    gable = np.clip(2.2 - np.abs(x - 1.5) * 1.4, 0, None) * 1.5
    roof = 9.0 + 4.5 * (np.abs(x - 1.5) < 1.6) + gable
    visible = up < roof
    up = np.broadcast_to(up, visible.shape)
    paint = _facade(rng, x + 40, up, np.zeros(x.shape, np.intp), 0.85)
    np.copyto(color[:, *part], paint, where=visible)
    distance[part][visible] = STREET_LENGTH_M
