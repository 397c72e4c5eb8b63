"""The street behind the people: pavement, two rows of houses, trees, and the sky.

Each pixel's ray meets the ground, a wall or the sky; where it does decides its colour and its
distance, by which haze is laid over it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .relief import GAMMA, Array, linear, noise, smoothstep

EYE = 1.86
"""Height of the camera, m."""

WALL = 6.2
"""From the middle of the street to the houses, m."""

END = 72.0
"""Distance of the house that closes the street, m."""

STOREY = 3.4
BAY = 2.7
"""Height of a storey and width of what has one window, m."""

SKY = 400.0
"""Distance of the sky, m, for the haze."""

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


@dataclass(frozen=True, slots=True)
class View:
    """How the camera sees.

    Attributes:
        width: of the picture, px.
        height: of the picture, px.
        focal: focal length, px.
        horizon: y of the horizon, px.
    """

    width: int
    height: int
    focal: float
    horizon: float

    def scale(self, z: float) -> float:
        """Pixels for a metre at distance z, m."""
        return self.focal / z

    def x(self, x: float, z: float) -> float:
        """Where something `x` m right of the middle is at distance z, px."""
        return self.width / 2 + x * self.focal / z

    def ground(self, z: float) -> float:
        """Where the ground is at distance z, px."""
        return self.horizon + EYE * self.focal / z


def draw_street(view: View, seed: int) -> tuple[Array, Array]:
    """The street without people.

    Returns:
        (H,W,3) float32 sRGB in 0..1; (H,W) float32 distance in m.
    """
    rng = np.random.default_rng([seed, 5])
    dx = (np.arange(view.width, dtype=np.float32)[None] + 0.5 - view.width / 2) / view.focal
    dy = (np.arange(view.height, dtype=np.float32)[:, None] + 0.5 - view.horizon) / view.focal
    shape = (view.height, view.width)
    colour = _sky(rng, shape, dy)
    distance = np.full(shape, SKY, np.float32)
    _end(rng, colour, distance, dx, dy)
    for side in (-1, 1):
        _houses(rng, colour, distance, dx, dy, side)
    _ground(rng, colour, distance, dx, dy)
    _trees(rng, colour, distance, view)
    # The lens is focused on the people; what is far is soft.
    soft = 0.0022 * min(view.height, view.width)
    blurred = np.asarray(cv2.GaussianBlur(colour, (0, 0), max(soft, 0.4)), np.float32)
    near = smoothstep(30, 9, distance)[..., None]
    colour = blurred + near * 0.7 * (colour - blurred)
    return np.clip(colour, 0, 1) ** np.float32(1 / GAMMA), distance


def _sky(rng: np.random.Generator, shape: tuple[int, int], dy: Array) -> Array:
    up = np.clip(-dy / 0.08, 0, 1)[..., None]
    sky = linear((226, 230, 232)) + up * (linear((176, 200, 226)) - linear((226, 230, 232)))
    clouds = noise(rng, shape, (shape[1] / 7, shape[0] / 22)) + 0.4 * noise(
        rng, shape, (shape[1] / 25, shape[0] / 60)
    )
    white = smoothstep(-0.2, 1.4, clouds)[..., None]
    return np.asarray(sky + 0.55 * white * (linear((240, 240, 240)) - sky), np.float32)


def _put(colour: Array, mask: Array, paint: Array) -> None:
    colour += mask[..., None] * (paint - colour)


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


def _houses(
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
    _put(colour[:bottom, part], mask, np.asarray(paint, np.float32))
    distance[:bottom, part] = np.where(mask > 0, z, distance[:bottom, part])


def _end(rng: np.random.Generator, colour: Array, distance: Array, dx: Array, dy: Array) -> None:
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
    _put(colour[part], mask, paint)
    distance[part] = np.where(mask > 0, END, distance[part])


def _ground(rng: np.random.Generator, colour: Array, distance: Array, dx: Array, dy: Array) -> None:
    """Paving stones in rows, with worn and damp patches; a gutter along each side."""
    top = int(np.searchsorted(dy[:, 0], EYE / END))
    if top >= len(dy):
        return
    z = EYE / dy[top:]
    x = dx * z
    inside = np.abs(x) < WALL
    row = np.floor(z / 0.62)
    stone = x / 0.95 + 0.5 * (row % 2)
    column = np.floor(stone)
    shade = np.abs(np.sin(row * 12.9898 + column * 78.233) * 43758.5453)
    shade = (shade - np.floor(shade)).astype(np.float32)
    joint = np.minimum(
        np.minimum(stone - column, 1 - (stone - column)) * 0.95,
        np.minimum(z / 0.62 - row, 1 - (z / 0.62 - row)) * 0.62,
    )
    # Joints fade where they are finer than a pixel.
    fine = smoothstep(40, 14, z)
    paint = 0.235 + 0.055 * (shade - 0.5) * fine - 0.085 * smoothstep(0.030, 0.008, joint) * fine
    shape = paint.shape
    patches = noise(rng, (shape[0], shape[1]), (shape[1] / 9, max(2.0, shape[0] / 30)))
    grain = rng.standard_normal(shape, dtype=np.float32)
    paint = paint * (1 + 0.06 * patches + 0.035 * grain)
    gutter = np.abs(np.abs(x) - 3.9) < 0.16
    paint = np.where(gutter, paint * 0.62, paint)
    # Under the houses it is darker, and the sky is mirrored a little far away.
    paint = paint * (0.65 + 0.35 * smoothstep(WALL, WALL - 2.2, np.abs(x)))
    paint = paint + 0.10 * smoothstep(12, 70, z)
    tinted = paint[..., None] * np.array([1.04, 1.0, 0.95], np.float32)
    mask = np.broadcast_to(inside, shape).astype(np.float32)
    _put(colour[top:], mask, np.asarray(tinted, np.float32))
    distance[top:] = np.where(mask > 0, z, distance[top:])


def _trees(rng: np.random.Generator, colour: Array, distance: Array, view: View) -> None:
    """A row of small trees on each side, and lamps between them; the farthest first."""
    for z in (62.0, 50.0, 40.0, 32.0, 26.0):
        for side in (-1, 1):
            _tree(rng, colour, distance, view, side * rng.uniform(4.0, 4.5), z)
    for z in (45.0, 23.0):
        for side in (-1, 1):
            _lamp(colour, distance, view, side * 3.5, z)


def _window(
    view: View, x: float, z: float, box: tuple[float, float, float, float]
) -> tuple[tuple[slice, slice], Array, Array] | None:
    """The pixels of a box (x1, bottom, x2, top), m, at a place, and their coordinates in m."""
    k = view.scale(z)
    middle, ground = view.x(x, z), view.ground(z)
    left, right = max(0, int(middle + box[0] * k)), min(view.width, int(middle + box[2] * k) + 1)
    top, bottom = max(0, int(ground - box[3] * k)), min(view.height, int(ground - box[1] * k) + 1)
    if left >= right or top >= bottom:
        return None
    u = (np.arange(left, right, dtype=np.float32)[None] + 0.5 - middle) / k
    v = (ground - np.arange(top, bottom, dtype=np.float32)[:, None] - 0.5) / k
    return (slice(top, bottom), slice(left, right)), u.astype("f4"), v.astype("f4")


def _tree(
    rng: np.random.Generator, colour: Array, distance: Array, view: View, x: float, z: float
) -> None:
    found = _window(view, x, z, (-2.2, 0, 2.2, 6.6))
    if found is None:
        return
    part, u, v = found
    shape = (v.shape[0], u.shape[1])
    k = view.scale(z)
    trunk = smoothstep(0.13, 0.10, np.abs(u)) * smoothstep(4.2, 4.0, v)
    _put(colour[part], trunk, np.broadcast_to(linear((74, 62, 52)), (*shape, 3)).astype("f4"))
    leaves = (
        noise(rng, shape, (0.16 * k, 0.14 * k)) * 0.5
        + noise(rng, shape, (0.05 * k, 0.05 * k)) * 0.35
    )
    crown = 1 - np.hypot(u / 1.75, (v - 4.5) / 1.75) + 0.16 * leaves
    mask = smoothstep(-0.02, 0.06, np.asarray(crown, "f4"))
    light = np.clip(0.55 + 0.22 * (v - 4.5) / 1.7 - 0.12 * u + 0.22 * leaves, 0.12, 1.2)
    green = np.array(linear((122, 138, 72))) * rng.uniform(0.8, 1.1)
    _put(colour[part], mask, np.asarray(light[..., None] * green, np.float32))
    distance[part] = np.where(np.maximum(mask, trunk) > 0.5, z, distance[part])


def _lamp(colour: Array, distance: Array, view: View, x: float, z: float) -> None:
    found = _window(view, x, z, (-0.6, 0, 0.6, 4.6))
    if found is None:
        return
    part, u, v = found
    shape = (v.shape[0], u.shape[1])
    post = smoothstep(0.065, 0.045, np.abs(u)) * smoothstep(4.0, 3.9, v)
    foot = smoothstep(0.13, 0.11, np.abs(u)) * smoothstep(0.55, 0.5, v)
    pole = np.maximum(post, foot)
    _put(colour[part], pole, np.broadcast_to(linear((44, 48, 48)), (*shape, 3)).astype("f4"))
    globe = smoothstep(0.26, 0.22, np.asarray(np.hypot(u, v - 4.15), "f4"))
    _put(colour[part], globe, np.broadcast_to(linear((244, 238, 214)), (*shape, 3)).astype("f4"))
    distance[part] = np.where(np.maximum(pole, globe) > 0.5, z, distance[part])
