"""Facial features and glasses. Lengths are in half face widths, as in face.py."""

from __future__ import annotations

import numpy as np

from .appearance import Appearance
from .face import Face
from .relief import Color, blob, smoothstep

GLASSES_COLOR: Color = (24, 22, 24)
"""Color of the frames of glasses, sRGB."""


def draw_features(face: Face, appearance: Appearance) -> None:
    """Draw brows, eyes, nose and mouth on the skull."""
    _sculpt(face)
    _eyes(face, appearance)
    _mouth(face, appearance)


def _sculpt(face: Face) -> None:
    """The relief of brows, sockets, nose, cheeks, lips and chin."""
    for side in (-1, 1):
        face.bump((side * 0.38, -0.42), (0.24, 0.10), 0.09)
        face.bump((side * 0.40, -0.17), (0.21, 0.13), -0.15)
        face.bump((side * 0.55, 0.18), (0.22, 0.17), 0.07)
        face.bump((side * 0.62, 0.60), (0.16, 0.22), -0.05)
        face.bump((side * 0.17, 0.34), (0.075, 0.075), 0.10)
    along = smoothstep(-0.45, 0.32, face.y) * smoothstep(0.50, 0.36, face.y)
    ridge = np.exp(-0.5 * (face.x / (0.085 + 0.05 * smoothstep(-0.2, 0.3, face.y))) ** 2)
    face.relief.height += (along * ridge) * (0.30 * face.unit)
    face.bump((0, 0.30), (0.11, 0.09), 0.08)
    face.bump((0, 0.50), (0.05, 0.08), -0.04)
    face.bump((0, 0.63), (0.22, 0.05), 0.06)
    face.bump((0, 0.79), (0.17, 0.055), 0.07)
    face.bump((0, 0.91), (0.16, 0.05), -0.06)
    face.bump((0, 1.05), (0.17, 0.11), 0.07)
    r = face.relief
    dark = sum(blob(face.x, face.y, (s * 0.10, 0.425), (0.045, 0.025)) for s in (-1, 1))
    r.shade(1 - 0.75 * np.clip(dark, 0, 1))
    socket = sum(blob(face.x, face.y, (s * 0.37, -0.19), (0.20, 0.11)) for s in (-1, 1))
    r.shade(1 - 0.30 * np.clip(socket, 0, 1))


def _eyes(face: Face, appearance: Appearance) -> None:
    r = face.relief
    opening = face.rng.uniform(0.068, 0.085)
    gaze = face.rng.uniform(-0.02, 0.02)
    iris = (52.0, 36.0, 26.0) if sum(appearance.hair) < 300 else (78.0, 96.0, 104.0)
    for side in (-1, 1):
        x, y = face.x - side * 0.40, face.y + 0.165
        along = np.clip(1 - (x / 0.20) ** 2, 0, 1)
        lid, lower = y + opening * along, opening * 0.8 * along - y
        eye = face.edge(np.minimum(lid, lower)) * (along > 0)
        r.paint(eye, (218, 210, 204))
        r.height += eye * (0.02 * face.unit)
        disc = np.sqrt((x - gaze) ** 2 + (y - 0.0) ** 2)
        r.paint(face.edge(0.088 - disc) * eye, iris)
        r.paint(face.edge(0.04 - disc) * eye, (8, 8, 9))
        r.paint(face.edge(0.018 - np.hypot(x - gaze + 0.03, y + 0.03)) * eye, (250, 250, 250), 0.9)
        # The upper lid casts a shadow and has the lashes.
        line = np.exp(-0.5 * (lid / 0.026) ** 2) * (along > 0)
        r.paint(line, (26, 18, 16), 0.85)
        r.paint(np.exp(-0.5 * (lower / 0.02) ** 2) * (along > 0), (70, 44, 40), 0.4)
        crease = np.exp(-0.5 * ((y + 0.13 - 0.03 * (1 - along)) / 0.018) ** 2) * (along > 0.1)
        r.shade(1 - 0.22 * crease)
        _brow(face, appearance, side)


def _brow(face: Face, appearance: Appearance, side: int) -> None:
    x = face.x * side
    arch = -0.38 - 0.075 * np.sin(np.clip((x - 0.10) / 0.62, 0, 1) * np.pi * 0.78)
    thick = 0.055 * smoothstep(0.10, 0.2, x) * smoothstep(0.74, 0.35, x) + 0.002
    hairs = 0.75 + 0.35 * face.noise(0.02, 0.012)
    brow = np.exp(-0.5 * ((face.y - arch) / thick) ** 2) * (thick > 0.012)
    face.relief.paint(np.clip(brow * hairs, 0, 1), _scaled(appearance.hair, 0.75), 0.85)


def _mouth(face: Face, appearance: Appearance) -> None:
    r = face.relief
    red, green, blue = appearance.skin
    lips = (red * 0.83, green * 0.60, blue * 0.60)
    along = np.clip(1 - (face.x / 0.37) ** 2, 0, 1)
    bow = 0.02 * np.cos(face.x / 0.09) * np.exp(-((face.x / 0.16) ** 2))
    # The corners are slightly raised: a friendly face.
    y = face.y + face.rng.uniform(0.01, 0.045) * (face.x / 0.37) ** 2
    upper = face.edge(np.minimum(y - 0.70 + 0.085 * along - bow, 0.705 - y)) * (along > 0)
    under = face.edge(np.minimum(0.70 + 0.115 * along - y, y - 0.695)) * (along > 0)
    r.paint(upper, _scaled(lips, 0.86), 0.8)
    r.paint(under, lips, 0.75)
    line = np.exp(-0.5 * ((y - 0.70) / 0.016) ** 2) * along**0.3
    r.paint(line, (60, 26, 26), 0.8)
    r.gloss += under * 0.05


def draw_glasses(face: Face) -> None:
    """Draw glasses on the face."""
    r = face.relief
    for side in (-1, 1):
        x, y = (face.x - side * 0.42) / 0.34, (face.y + 0.12) / 0.25
        ring = (np.abs(x) ** 3 + np.abs(y) ** 3) ** (1 / 3)
        rim = np.exp(-0.5 * ((ring - 1) / 0.075) ** 2)
        r.paint((ring < 1) * 1.0, (200, 208, 214), 0.10)
        r.paint(rim, GLASSES_COLOR, 0.92)
        temple = np.exp(-0.5 * ((face.y + 0.2) / 0.035) ** 2) * (side * face.x > 0.76) * face.skin
        r.paint(temple, GLASSES_COLOR, 0.9)
    bridge = np.exp(-0.5 * ((face.y + 0.2) / 0.03) ** 2) * (np.abs(face.x) < 0.1)
    r.paint(bridge, GLASSES_COLOR, 0.9)


def _scaled(color: Color, factor: float) -> Color:
    return color[0] * factor, color[1] * factor, color[2] * factor
