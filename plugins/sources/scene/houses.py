"""The houses along the street and at its end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .relief import Array, linear, noise, smoothstep
from .view import EYE, put

WALL = 6.2
"""From the middle of the street to the houses, m."""

END = 72.0
"""Distance of the house that closes the street, m."""

STOREY = 3.4
BAY = 2.7
"""Height of a storey and width of what has one window, m."""

COOL = np.array([0.85, 0.98, 1.12], np.float32)
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
    """A row of houses: colour (h,w,3), linear, at `along` and `up` m of its wall."""
    count = int(block.max()) + 1
    plaster = np.array([linear(PLASTER[i]) for i in rng.integers(len(PLASTER), size=count)])
    colour = plaster[block] * light
    grain = noise(rng, (up.shape[0], up.shape[1]), (3, 3))[..., None]
    colour = colour * (1 + 0.04 * grain)
    bay, storey = along / BAY, up / STOREY
    u, v = bay - np.floor(bay), storey - np.floor(storey)
    upper = storey >= 1.15
    cell = np.abs(np.sin(np.floor(bay) * 12.9898 + np.floor(storey) * 78.233 + block) * 43758.5453)
    cell -= np.floor(cell)
    frame = upper & (np.abs(u - 0.5) < 0.27) & (v > 0.20) & (v < 0.84)
    pane = upper & (np.abs(u - 0.5) < 0.22) & (v > 0.25) & (v < 0.80)
    pane &= np.abs(u - 0.5) > 0.018
    colour = np.where(frame[..., None], linear((224, 220, 212)) * light, colour)
    glass = (0.05 + 0.16 * cell + 0.10 * v)[..., None] * COOL
    colour = np.where(pane[..., None], glass, colour)
    ledge = (storey > 1.02) & (v < 0.055)
    colour = np.where(ledge[..., None], colour * 0.72, colour)
    # Shops on the ground floor, lit from within, under awnings.
    shop = (storey < 0.80) & (storey > 0.10) & (np.abs(u - 0.5) < 0.45)
    warm = smoothstep(0.1, 0.75, v.astype("f4"))
    colour = np.where(shop[..., None], _goods(rng, colour.shape, cell, warm), colour)
    awnings = np.array([linear(AWNING[i]) for i in rng.integers(len(AWNING), size=count)])
    cloth = awnings[block] * light * (0.75 + 0.5 * (np.sin(along * 14) > 0))[..., None]
    under = (storey > 0.74) & (storey < 0.97)
    return np.asarray(np.where(under[..., None], cloth, colour), np.float32)


def _goods(rng: np.random.Generator, shape: tuple[int, ...], cell: Array, warm: Array) -> Array:
    """What is behind a shop's window: coloured things under warm lamps, (h,w,3)."""
    size = (shape[0], shape[1])
    light = noise(rng, size, (size[0] / 30, size[0] / 16))[..., None]
    tints = np.stack([noise(rng, size, (size[0] / 16, size[0] / 16)) for _ in range(3)], axis=2)
    lamps = smoothstep(2.3, 2.7, noise(rng, size, (size[0] / 90, size[0] / 90)))
    lit = (0.05 + 0.20 * cell * warm)[..., None] * WARM
    colours = lit * np.clip(1 + 0.40 * light + 0.12 * tints, 0.15, 3)
    return np.asarray(colours + lamps[..., None] * LAMP)


def put_houses(
    rng: np.random.Generator, colour: Array, distance: Array, dx: Array, dy: Array, side: int
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
    block_all = np.broadcast_to(block, up.shape)
    light = 0.95 if side > 0 else 0.62
    along = np.broadcast_to(z, up.shape)
    paint = _facade(rng, along, np.clip(up, 0, 60), block_all, light)
    roof = heights[block]
    cornice = (up > roof - 0.5)[..., None]
    paint = np.where(cornice, paint * 0.6 + 0.05, paint)
    mask = ((up >= 0) & (up < roof)).astype(np.float32)
    put(colour[:bottom, part], mask, np.asarray(paint, np.float32))
    distance[:bottom, part] = np.where(mask > 0, z, distance[:bottom, part])


def put_end(rng: np.random.Generator, colour: Array, distance: Array, dx: Array, dy: Array) -> None:
    """The house at the end, with a tower."""
    columns = np.flatnonzero(np.abs(dx[0]) <= WALL / END * 1.02)
    if not columns.size:
        return
    part = (
        slice(0, int(np.searchsorted(dy[:, 0], EYE / END))),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )
    x, up = dx[:, part[1]] * END, EYE - dy[part[0]] * END
    gable = np.clip(2.2 - np.abs(x - 1.5) * 1.4, 0, None) * 1.5
    roof = 9.0 + 4.5 * (np.abs(x - 1.5) < 1.6) + gable
    mask = (up < roof).astype(np.float32)
    along, up = np.broadcast_to(x + 40, mask.shape), np.broadcast_to(up, mask.shape)
    paint = _facade(rng, along, up, np.zeros(mask.shape, np.intp), 0.85)
    put(colour[part], mask, paint)
    distance[part] = np.where(mask > 0, END, distance[part])
