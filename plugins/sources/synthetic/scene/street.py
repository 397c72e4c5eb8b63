"""The street behind the people: pavement, two rows of houses, trees, and the sky.

Each pixel's ray hits the ground, a wall or the sky; the point that it hits determines its color
and its distance, on which haze depends.
"""

from __future__ import annotations

import cv2
import numpy as np

from .houses import WALL_DISTANCE_M, draw_end_house, draw_houses, ground_top
from .relief import GAMMA, Array, linear, noise, smoothstep
from .trees import draw_trees_and_lamps
from .view import CAMERA_HEIGHT_M, View, blend

SKY_DISTANCE_M = 400.0
"""Distance at which the sky is covered by haze, m."""


def draw_street(view: View, seed: int) -> tuple[Array, Array]:
    """Draw the street without people.

    Returns:
        (3,H,W) float32 sRGB in 0..1, and (H,W) float32 distance, m.
    """
    rng = np.random.default_rng([seed, 5])
    dx = (np.arange(view.width, dtype=np.float32)[None] + 0.5 - view.width / 2) / view.focal
    dy = (np.arange(view.height, dtype=np.float32)[:, None] + 0.5 - view.horizon) / view.focal
    color = np.zeros((3, view.height, view.width), np.float32)
    distance = np.full((view.height, view.width), SKY_DISTANCE_M, np.float32)
    _sky(rng, color, dy)
    draw_end_house(rng, color, distance, dx, dy)
    for side in (-1, 1):
        draw_houses(rng, color, distance, dx, dy, side)
    _ground(rng, color, distance, dx, dy)
    draw_trees_and_lamps(rng, color, distance, view)
    # The lens is focused on the people; the background is blurred.
    soft = 0.0022 * min(view.height, view.width)
    near = 0.7 * smoothstep(30, 9, distance)
    for plane in color:
        blurred = cv2.GaussianBlur(plane, (0, 0), max(soft, 0.4))
        np.clip(blurred + near * (plane - blurred), 0, 1, out=plane)
        np.power(plane, np.float32(1 / GAMMA), out=plane)
    return color, distance


def _sky(rng: np.random.Generator, color: Array, dy: Array) -> None:
    """Draw the sky with clouds, down to the ground."""
    _, height, width = color.shape
    clouds = noise(rng, (height, width), (width / 7, height / 22)) + 0.4 * noise(
        rng, (height, width), (width / 25, height / 60)
    )
    low = ground_top(dy)
    up = np.clip(-dy[:low] / 0.08, 0, 1)
    white = 0.55 * smoothstep(-0.2, 1.4, clouds[:low])
    blue, hazy = linear((176, 200, 226)), linear((226, 230, 232))
    color[:, :low] = hazy + up * (blue - hazy)
    blend(color[:, :low], white, linear((240, 240, 240)))


def _ground(rng: np.random.Generator, color: Array, distance: Array, dx: Array, dy: Array) -> None:
    """Draw rows of paving stones with worn and damp patches, and a gutter along each side."""
    top = ground_top(dy)
    if top >= len(dy):
        return
    z = CAMERA_HEIGHT_M / dy[top:]
    x = dx * z
    inside = np.abs(x) < WALL_DISTANCE_M
    row = np.floor(z / 0.62)
    stone = x / 0.95 + 0.5 * (row % 2)
    column = np.floor(stone)
    shade = np.abs(np.sin(row * 12.9898 + column * 78.233) * 43758.5453)
    shade = (shade - np.floor(shade)).astype(np.float32)
    joint = np.minimum(
        np.minimum(stone - column, 1 - (stone - column)) * 0.95,
        np.minimum(z / 0.62 - row, 1 - (z / 0.62 - row)) * 0.62,
    )
    # Joints fade where they are thinner than a pixel.
    fine = smoothstep(40, 14, z)
    paint = 0.235 + 0.055 * (shade - 0.5) * fine - 0.085 * smoothstep(0.030, 0.008, joint) * fine
    shape = paint.shape
    patches = noise(rng, (shape[0], shape[1]), (shape[1] / 9, max(2.0, shape[0] / 30)))
    grain = rng.standard_normal(shape, dtype=np.float32)
    paint = paint * (1 + 0.06 * patches + 0.035 * grain)
    gutter = np.abs(np.abs(x) - 3.9) < 0.16
    paint = np.where(gutter, paint * 0.62, paint)
    # Darker along the houses; far away it slightly reflects the sky.
    paint = paint * (0.65 + 0.35 * smoothstep(WALL_DISTANCE_M, WALL_DISTANCE_M - 2.2, np.abs(x)))
    paint = paint + 0.10 * smoothstep(12, 70, z)
    tinted = paint * np.array([1.04, 1.0, 0.95], np.float32).reshape(3, 1, 1)
    np.copyto(color[:, top:], tinted, where=inside)
    np.copyto(distance[top:], z, where=inside)
