"""The street behind the people: pavement, two rows of houses, trees, and the sky.

Each pixel's ray meets the ground, a wall or the sky; where it does decides its colour and its
distance, by which haze is laid over it.
"""

from __future__ import annotations

import cv2
import numpy as np

from .houses import END, WALL, put_end, put_houses
from .relief import GAMMA, Array, linear, noise, smoothstep
from .trees import put_trees
from .view import EYE, View, put

SKY = 400.0
"""Distance of the sky, m, for the haze."""


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
    put_end(rng, colour, distance, dx, dy)
    for side in (-1, 1):
        put_houses(rng, colour, distance, dx, dy, side)
    _ground(rng, colour, distance, dx, dy)
    put_trees(rng, colour, distance, view)
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
    put(colour[top:], mask, np.asarray(tinted, np.float32))
    distance[top:] = np.where(mask > 0, z, distance[top:])
