"""Trees and lamps in the street."""

from __future__ import annotations

import numpy as np

from .relief import Array, linear, noise, smoothstep
from .view import View, blend


def draw_trees_and_lamps(
    rng: np.random.Generator, color: Array, distance: Array, view: View
) -> None:
    """Draw a row of small trees and of lamps on each side, the farthest first."""
    for z in (62.0, 50.0, 40.0, 32.0, 26.0):
        for side in (-1, 1):
            _tree(rng, color, distance, view, side * rng.uniform(4.0, 4.5), z)
    for z in (45.0, 23.0):
        for side in (-1, 1):
            _lamp(color, distance, view, side * 3.5, z)


def _window(
    view: View, x: float, z: float, box: tuple[float, float, float, float]
) -> tuple[tuple[slice, slice], Array, Array] | None:
    """The pixels of a box (x1, bottom, x2, top), m, around a point of the ground.

    Returns:
        Slices of the image, and the coordinates of its columns and rows relative to the point, m;
        None if the box is outside the image.
    """
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
    rng: np.random.Generator, color: Array, distance: Array, view: View, x: float, z: float
) -> None:
    found = _window(view, x, z, (-2.2, 0, 2.2, 6.6))
    if found is None:
        return
    part, u, v = found
    shape = (v.shape[0], u.shape[1])
    k = view.scale(z)
    trunk = smoothstep(0.13, 0.10, np.abs(u)) * smoothstep(4.2, 4.0, v)
    blend(color[:, *part], trunk, linear((74, 62, 52)))
    leaves = (
        noise(rng, shape, (0.16 * k, 0.14 * k)) * 0.5
        + noise(rng, shape, (0.05 * k, 0.05 * k)) * 0.35
    )
    crown = 1 - np.hypot(u / 1.75, (v - 4.5) / 1.75) + 0.16 * leaves
    mask = smoothstep(-0.02, 0.06, np.asarray(crown, "f4"))
    light = np.clip(0.55 + 0.22 * (v - 4.5) / 1.7 - 0.12 * u + 0.22 * leaves, 0.12, 1.2)
    green = linear((122, 138, 72)) * rng.uniform(0.8, 1.1)
    blend(color[:, *part], mask, np.asarray(light * green, np.float32))
    distance[part] = np.where(np.maximum(mask, trunk) > 0.5, z, distance[part])


def _lamp(color: Array, distance: Array, view: View, x: float, z: float) -> None:
    found = _window(view, x, z, (-0.6, 0, 0.6, 4.6))
    if found is None:
        return
    part, u, v = found
    post = smoothstep(0.065, 0.045, np.abs(u)) * smoothstep(4.0, 3.9, v)
    foot = smoothstep(0.13, 0.11, np.abs(u)) * smoothstep(0.55, 0.5, v)
    pole = np.maximum(post, foot)
    blend(color[:, *part], pole, linear((44, 48, 48)))
    globe = smoothstep(0.26, 0.22, np.asarray(np.hypot(u, v - 4.15), "f4"))
    blend(color[:, *part], globe, linear((244, 238, 214)))
    distance[part] = np.where(np.maximum(pole, globe) > 0.5, z, distance[part])
