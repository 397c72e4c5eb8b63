"""Drawing a head: skull, features, hair, beard. Masks are in masks.py.

Lengths are in half face widths (U metres): x from -1 to 1 is ear to ear, y is -1.58 at the
crown, -0.2 at the eyes, 0.4 under the nose and 1.22 at the chin.
"""

from __future__ import annotations

import numpy as np

from .look import Look
from .masks import put_mask
from .relief import Array, Relief, blob, smoothstep

U = 0.083
"""Half the width of a face, m."""

BOUNDS = (-1.65, -2.05, 1.65, 2.2)
"""Of the drawing, in U: with room for hair and beards."""

FACE = (-1.04, -1.12, 1.04, 1.27)
"""The box of a face, in U: forehead to chin, ear to ear."""

OUTLINE = (-1.60, -1.52, -1.35, -1.1, -0.8, -0.4, 0.0, 0.4, 0.75, 1.0, 1.14, 1.22, 1.25)
"""Heights at which the outline of a head is given."""

DEPTH = (0.0, 0.35, 0.62, 0.84, 0.95, 1.0, 1.0, 1.0, 0.97, 0.92, 0.84, 0.70, 0.6)
"""How far it stands out in the middle at those heights."""


class Face:
    """A head in the making, in units of U.

    Attributes:
        relief: what is drawn on.
        x: (1,W), U.
        y: (H,1), U.
        half: (H,1), half the width of the head at that height, U.
        skin: (H,W) mask of the bare head.
        rng: for all that varies.
        unit: U, m.
    """

    def __init__(self, look: Look, density: float) -> None:
        self.rng = np.random.default_rng(look.seed)
        self.unit = U
        bounds = tuple(U * b for b in BOUNDS)
        self.relief = Relief((bounds[0], bounds[1], bounds[2], bounds[3]), density, self.rng)
        self.x, self.y = self.relief.x / U, self.relief.y / U
        jaw = look.jaw
        widths = (0, 0.42, 0.74, 0.93, 0.99, 1.0, 0.98, 0.95 * jaw**0.15)
        chin = (1.08 * jaw, 0.76 * jaw, 0.5 * jaw, 0.25 * jaw, 0)
        self.half = _smooth_profile(self.y, OUTLINE, (*widths, *chin))
        self.depth = _smooth_profile(self.y, OUTLINE, DEPTH)
        self.skin = self.edge(self.half - np.abs(self.x))

    def edge(self, distance: Array) -> Array:
        """A mask of where `distance`, U, is positive."""
        return self.relief.edge(distance * U)

    def bump(self, at: tuple[float, float], radius: tuple[float, float], by: float) -> None:
        """Raise a Gaussian hill, all in U."""
        self.relief.height += blob(self.x, self.y, at, radius) * (by * U)

    def noise(self, sigma_x: float, sigma_y: float) -> Array:
        """Smooth noise, mean 0 and standard deviation 1, with features of that size, U."""
        return self.relief.noise(sigma_x * U, sigma_y * U)


def draw_head(look: Look, density: float) -> Relief:
    """The head of a person, from the front, its origin between the eyes and the nose."""
    face = Face(look, density)
    _skull(face, look)
    _features(face)
    _eyes(face, look)
    _mouth(face, look)
    if look.kind == "beard":
        _beard(face, look)
    _hair(face, look)
    if look.glasses:
        _glasses(face)
    if look.kind in ("surgical", "cloth", "ffp", "low"):
        put_mask(face, look)
    return face.relief


def _smooth_profile(y: Array, at: tuple[float, ...], values: tuple[float, ...]) -> Array:
    """A smooth curve through points, (H,1); 0 outside."""
    fine = np.linspace(at[0], at[-1], 200)
    curve = np.interp(fine, at, values)
    kernel = np.hanning(13)
    padded = np.pad(curve, 6, mode="edge")
    curve = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return np.asarray(np.interp(y, fine, curve, left=0, right=0), np.float32)


def _skull(face: Face, look: Look) -> None:
    relief = face.relief
    across = np.clip(1 - (face.x / np.maximum(face.half, 0.05)) ** 2, 0, 1)
    relief.height = np.asarray(face.depth * across**0.55 * (0.95 * U), np.float32)
    # The ears stand behind the cheeks.
    ears = np.maximum(
        blob(face.x, face.y, (-0.99, -0.02), (0.085, 0.23)),
        blob(face.x, face.y, (0.99, -0.02), (0.085, 0.23)),
    )
    ears = smoothstep(0.25, 0.45, ears)
    relief.paint(np.maximum(face.skin, ears), look.skin)
    relief.cover(np.maximum(face.skin, ears))
    r, g, b = look.skin
    relief.paint(ears * (1 - face.skin), (r * 0.92, g * 0.8, b * 0.76))
    rosy = (min(255.0, r * 1.0), g * 0.84, b * 0.8)
    for at, size in (((-0.52, 0.22), 0.2), ((0.52, 0.22), 0.2), ((0.0, 0.3), 0.15)):
        relief.paint(blob(face.x, face.y, at, (size, size)), rosy, 0.55)
    relief.shade(1 + 0.025 * face.noise(0.12, 0.12) + 0.015 * face.noise(0.02, 0.02))
    relief.gloss += 0.035 * face.skin


def _features(face: Face) -> None:
    """The relief of brows, sockets, nose, cheeks, lips and chin."""
    for side in (-1, 1):
        face.bump((side * 0.38, -0.42), (0.24, 0.10), 0.09)
        face.bump((side * 0.40, -0.17), (0.21, 0.13), -0.15)
        face.bump((side * 0.55, 0.18), (0.22, 0.17), 0.07)
        face.bump((side * 0.62, 0.60), (0.16, 0.22), -0.05)
        face.bump((side * 0.17, 0.34), (0.075, 0.075), 0.10)
    along = smoothstep(-0.45, 0.32, face.y) * smoothstep(0.50, 0.36, face.y)
    ridge = np.exp(-0.5 * (face.x / (0.085 + 0.05 * smoothstep(-0.2, 0.3, face.y))) ** 2)
    face.relief.height += np.asarray(along * ridge, np.float32) * (0.30 * U)
    face.bump((0, 0.30), (0.11, 0.09), 0.08)
    face.bump((0, 0.50), (0.05, 0.08), -0.04)
    face.bump((0, 0.63), (0.22, 0.05), 0.06)
    face.bump((0, 0.79), (0.17, 0.055), 0.07)
    face.bump((0, 0.91), (0.16, 0.05), -0.06)
    face.bump((0, 1.05), (0.17, 0.11), 0.07)
    r = face.relief
    dark = sum(blob(face.x, face.y, (s * 0.10, 0.425), (0.045, 0.025)) for s in (-1, 1))
    r.shade(np.asarray(1 - 0.75 * np.clip(dark, 0, 1), np.float32))
    socket = sum(blob(face.x, face.y, (s * 0.37, -0.19), (0.20, 0.11)) for s in (-1, 1))
    r.shade(np.asarray(1 - 0.30 * np.clip(socket, 0, 1), np.float32))


def _eyes(face: Face, look: Look) -> None:
    r = face.relief
    opening = face.rng.uniform(0.068, 0.085)
    gaze = face.rng.uniform(-0.02, 0.02)
    iris = (52.0, 36.0, 26.0) if sum(look.hair) < 300 else (78.0, 96.0, 104.0)
    for side in (-1, 1):
        x, y = face.x - side * 0.40, face.y + 0.165
        along = np.clip(1 - (x / 0.20) ** 2, 0, 1)
        lid, lower = y + opening * along, opening * 0.8 * along - y
        eye = face.edge(np.minimum(lid, lower)) * (along > 0)
        r.paint(eye, (218, 210, 204))
        r.height += eye * (0.02 * U)
        disc = np.sqrt((x - gaze) ** 2 + (y - 0.0) ** 2)
        r.paint(face.edge(0.088 - disc) * eye, iris)
        r.paint(face.edge(0.04 - disc) * eye, (8, 8, 9))
        r.paint(face.edge(0.018 - np.hypot(x - gaze + 0.03, y + 0.03)) * eye, (250, 250, 250), 0.9)
        # The upper lid throws a shadow and carries the lashes.
        line = np.exp(-0.5 * (lid / 0.026) ** 2) * (along > 0)
        r.paint(np.asarray(line, np.float32), (26, 18, 16), 0.85)
        r.paint(
            np.asarray(np.exp(-0.5 * (lower / 0.02) ** 2) * (along > 0), "f4"), (70, 44, 40), 0.4
        )
        crease = np.exp(-0.5 * ((y + 0.13 - 0.03 * (1 - along)) / 0.018) ** 2) * (along > 0.1)
        r.shade(np.asarray(1 - 0.22 * crease, np.float32))
        _brow(face, look, side)


def _brow(face: Face, look: Look, side: int) -> None:
    x = face.x * side
    arch = -0.38 - 0.075 * np.sin(np.clip((x - 0.10) / 0.62, 0, 1) * np.pi * 0.78)
    thick = 0.055 * smoothstep(0.10, 0.2, x) * smoothstep(0.74, 0.35, x) + 0.002
    hairs = 0.75 + 0.35 * face.noise(0.02, 0.012)
    brow = np.exp(-0.5 * ((face.y - arch) / thick) ** 2) * (x > 0.08) * (x < 0.78)
    face.relief.paint(np.asarray(np.clip(brow * hairs, 0, 1), "f4"), _darker(look.hair, 0.75), 0.85)


def _mouth(face: Face, look: Look) -> None:
    r = face.relief
    red, green, blue = look.skin
    lips = (red * 0.83, green * 0.60, blue * 0.60)
    along = np.clip(1 - (face.x / 0.37) ** 2, 0, 1)
    bow = 0.02 * np.cos(face.x / 0.09) * np.exp(-((face.x / 0.16) ** 2))
    # The corners a little up: friendly.
    y = face.y + face.rng.uniform(0.01, 0.045) * (face.x / 0.37) ** 2
    upper = face.edge(np.minimum(y - 0.70 + 0.085 * along - bow, 0.705 - y)) * (along > 0)
    under = face.edge(np.minimum(0.70 + 0.115 * along - y, y - 0.695)) * (along > 0)
    r.paint(upper, _darker(lips, 0.86), 0.8)
    r.paint(under, lips, 0.75)
    line = np.exp(-0.5 * ((y - 0.70) / 0.016) ** 2) * along**0.3
    r.paint(line, (60, 26, 26), 0.8)
    r.gloss += under * 0.05


def _beard(face: Face, look: Look) -> None:
    """Moustache and full beard, with strands; the lips stay free."""
    r = face.relief
    length = face.rng.uniform(0.06, 0.32)
    ragged = 0.035 * face.noise(0.03, 0.03)
    ax = np.abs(face.x)
    # Its upper edge falls from the sideburns to the corners of the mouth.
    top = 0.02 + 0.62 * smoothstep(0.98, 0.50, ax) - 0.16 * smoothstep(0.42, 0.25, ax)
    # Below the cheeks it hangs as half an ellipse.
    level = 0.50
    broad = float(np.interp(level, face.y[:, 0], face.half[:, 0])) + 0.03
    drop = 1.22 + length - level
    hanging = (1 - np.hypot(face.x / broad, (face.y - level) / drop)) * broad
    inside = np.where(face.y > level, hanging, face.half + 0.02 - ax)
    inside = np.minimum(inside, face.y - top)
    beard = smoothstep(-0.06, 0.07, inside + ragged)
    lips = smoothstep(1.15, 0.85, np.asarray(np.hypot(face.x / 0.35, (face.y - 0.71) / 0.10), "f4"))
    cover = np.asarray(beard * (1 - lips), np.float32)
    strands = face.noise(0.014, 0.07)
    colour = _hair_colour(look, strands + 0.5 * face.noise(0.1, 0.1))
    r.paint(cover, colour, 0.93)
    r.cover(np.asarray(beard, np.float32))
    r.height += cover * (0.05 * U + strands * 0.007 * U)
    r.gloss *= 1 - cover


def _hair(face: Face, look: Look) -> None:
    from .hair import put_hair

    put_hair(face, look)


def _hair_colour(look: Look, strands: Array) -> Array:
    from .hair import hair_colour

    return hair_colour(look, strands)


def _glasses(face: Face) -> None:
    r = face.relief
    for side in (-1, 1):
        x, y = (face.x - side * 0.42) / 0.34, (face.y + 0.12) / 0.25
        ring = (np.abs(x) ** 3 + np.abs(y) ** 3) ** (1 / 3)
        rim = np.exp(-0.5 * ((ring - 1) / 0.075) ** 2)
        r.paint(np.asarray((ring < 1) * 1.0, np.float32), (200, 208, 214), 0.10)
        r.paint(np.asarray(rim, np.float32), (24, 22, 24), 0.92)
        temple = np.exp(-0.5 * ((face.y + 0.2) / 0.035) ** 2) * (side * face.x > 0.76) * face.skin
        r.paint(np.asarray(temple, np.float32), (24, 22, 24), 0.9)
    bridge = np.exp(-0.5 * ((face.y + 0.2) / 0.03) ** 2) * (np.abs(face.x) < 0.1)
    r.paint(np.asarray(bridge, np.float32), (24, 22, 24), 0.9)


def _darker(colour: tuple[float, float, float], by: float) -> tuple[float, float, float]:
    return colour[0] * by, colour[1] * by, colour[2] * by
