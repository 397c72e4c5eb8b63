"""Drawing a torso and its clothes. Lengths are meters from the base of the neck."""

from __future__ import annotations

import numpy as np

from .appearance import Appearance
from .relief import Array, Color, Relief, creases, rounded, smoothstep
from .sprite import Sprite

SHIRT_WHITE: Color = (224, 226, 230)


def draw_torso(appearance: Appearance, density: float, rng: np.random.Generator) -> Sprite:
    """Draw neck and torso in a person's clothes at `density` px/m."""
    b = 0.93 * appearance.build
    hem = {"coat": 0.86, "jacket": 0.60, "puffer": 0.60}.get(appearance.clothes, 0.57)
    r = Relief((-0.31, -0.13, 0.31, hem + 0.04), density, rng)
    puffed = 1.10 if appearance.clothes == "puffer" else 1.0
    right = [
        (0.056, -0.035), (0.085, -0.012), (0.14, 0.012), (0.195 * b, 0.045), (0.222 * b, 0.10),
        (0.212 * b, 0.17), (0.19 * b, 0.22), (0.172 * b, 0.36), (0.178 * b, 0.47), (0.192 * b, hem),
    ]  # fmt: skip
    right = [(x * puffed if y > 0.05 else x, y) for x, y in right]
    outline = rounded([*right, *[(-x, y) for x, y in reversed(right)]])
    cloth = r.polygon(outline)
    _neck(r, appearance)
    r.height *= 1 - cloth
    round_ = np.sqrt(np.clip(1 - (r.x / 0.27) ** 2, 0, 1))
    r.height += (r.inflate(cloth, 0.07, 0.035) + 0.11 * round_) * cloth
    r.paint(cloth, appearance.top)
    r.cover(cloth)
    _folds(r, cloth, 0.006 if appearance.clothes != "puffer" else 0.002)
    {
        "tee": _tee, "shirt": _shirt, "hoodie": _hoodie, "jacket": _jacket, "puffer": _puffer,
        "coat": _coat,
    }[appearance.clothes](r, appearance, cloth)  # fmt: skip
    # The head shades the neck.
    r.shade(1 - 0.45 * smoothstep(0.05, -0.06, r.y) * smoothstep(0.14, 0.05, np.abs(r.x)))
    return r.render(soft=0.004)


def _neck(r: Relief, appearance: Appearance) -> None:
    neck = r.polygon(
        [
            (-0.056, -0.13),
            (0.056, -0.13),
            (0.062, 0.03),
            (0.02, 0.10),
            (-0.02, 0.10),
            (-0.062, 0.03),
        ]
    )
    r.height += neck * np.sqrt(np.clip(1 - (r.x / 0.066) ** 2, 0, 1)) * 0.05
    red, green, blue = appearance.skin
    r.paint(neck, (red * 0.94, green * 0.88, blue * 0.86))
    r.cover(neck)


def _expose_skin(r: Relief, appearance: Appearance, mask: Array) -> None:
    red, green, blue = appearance.skin
    r.paint(mask, (red * 0.96, green * 0.9, blue * 0.88))
    r.height -= mask * 0.004


def _folds(r: Relief, mask: Array, depth: float) -> None:
    """Creases of cloth: long vertical ones, and oblique ones at the waist."""
    hang, slant = creases(r.noise(0.03, 0.16)), creases(r.noise(0.10, 0.026))
    low = smoothstep(0.20, 0.42, r.y) + 0.25
    # Tension folds from the armpits to the chest.
    pulled = creases(r.noise(0.06, 0.022)) * smoothstep(0.06, 0.16, np.abs(r.x))
    high = smoothstep(0.32, 0.14, r.y) * smoothstep(0.02, 0.10, r.y)
    r.height += mask * depth * (0.8 * hang + 1.0 * low * slant + 0.8 * high * pulled)
    r.shade(1 + 0.02 * r.noise(0.003, 0.003))


def _line(r: Relief, points: list[tuple[float, float]], width: float, mask: Array) -> None:
    """A seam: a thin dark groove."""
    groove = r.stroke(points, width) * mask
    r.shade(1 - 0.45 * groove)
    r.height -= groove * 0.0015


def _tee(r: Relief, appearance: Appearance, cloth: Array) -> None:
    distance = np.hypot(r.x / 0.085, (r.y + 0.035) / 0.105)
    _expose_skin(r, appearance, r.edge((1 - distance) * 0.08) * cloth)
    rib = np.exp(-0.5 * ((distance - 1.06) / 0.05) ** 2) * cloth
    r.shade(1 - 0.18 * rib)
    if r.rng.random() < 0.6:
        stripe = smoothstep(0.16, 0.163, r.y) * smoothstep(0.243, 0.24, r.y) * cloth
        r.paint(stripe, appearance.trim, 0.9)


def _collar(r: Relief, color: Color) -> None:
    for side in (-1, 1):
        flap = r.polygon(
            [(side * 0.068, -0.05), (side * 0.1, 0.0), (side * 0.05, 0.085), (0.0, 0.04)]
        )
        r.paint(flap, color)
        r.cover(flap)
        r.height += flap * 0.008


def _shirt(r: Relief, appearance: Appearance, cloth: Array) -> None:
    _expose_skin(r, appearance, r.polygon([(-0.045, -0.03), (0.045, -0.03), (0.0, 0.07)]) * cloth)
    _collar(r, appearance.top)
    _line(r, [(-0.016, 0.08), (-0.016, 0.6)], 0.003, cloth)
    _line(r, [(0.016, 0.08), (0.016, 0.6)], 0.003, cloth)
    for y in np.arange(0.1, 0.56, 0.085):
        r.paint(r.edge(0.005 - np.hypot(r.x, r.y - y)), SHIRT_WHITE, 0.9)
    pocket = [(0.055, 0.17), (0.055, 0.26), (0.125, 0.26), (0.125, 0.17), (0.055, 0.17)]
    _line(r, pocket, 0.003, cloth)


def _hoodie(r: Relief, appearance: Appearance, cloth: Array) -> None:
    _expose_skin(r, appearance, r.edge((1 - np.hypot(r.x / 0.05, (r.y + 0.03) / 0.06)) * 0.05))
    ring = np.hypot(r.x / 0.105, (r.y + 0.005) / 0.075)
    hood = np.exp(-0.5 * ((ring - 1) / 0.22) ** 2) * (r.y > -0.07)
    solid = smoothstep(0.35, 0.55, hood) * (ring > 0.72)
    r.paint(solid, appearance.top)
    r.cover(solid)
    r.height += hood * 0.030
    for side in (-1, 1):
        r.paint(r.stroke([(side * 0.04, 0.07), (side * 0.047, 0.21)], 0.006), SHIRT_WHITE, 0.85)
    pocket = [(-0.09, 0.37), (-0.125, 0.50), (0.125, 0.50), (0.09, 0.37), (-0.09, 0.37)]
    _line(r, pocket, 0.004, cloth)


def _zip(r: Relief, cloth: Array, top: float) -> None:
    _line(r, [(0.0, top), (0.0, 0.62)], 0.012, cloth)
    r.paint(r.stroke([(0.0, top), (0.0, 0.62)], 0.004) * cloth, (150, 150, 152), 0.6)


def _jacket(r: Relief, appearance: Appearance, cloth: Array) -> None:
    opening = r.polygon([(-0.055, -0.02), (0.055, -0.02), (0.018, 0.22), (-0.018, 0.22)]) * cloth
    r.paint(opening, appearance.trim)
    r.height -= opening * 0.012
    _expose_skin(r, appearance, r.edge((1 - np.hypot(r.x / 0.05, (r.y + 0.03) / 0.07)) * 0.05))
    _collar(r, appearance.top)
    _zip(r, cloth, 0.2)
    for side in (-1, 1):
        _line(r, [(side * 0.09, 0.38), (side * 0.135, 0.47)], 0.006, cloth)


def _puffer(r: Relief, appearance: Appearance, cloth: Array) -> None:
    high = r.polygon(rounded([(-0.085, -0.055), (0.085, -0.055), (0.10, 0.03), (-0.10, 0.03)]))
    r.paint(high, appearance.top)
    r.cover(high)
    r.height += high * 0.02
    phase = r.y / 0.072 + 0.10 * r.noise(0.09, 0.05)
    quilt = np.abs(np.sin(np.pi * phase)) ** 0.6
    r.height += cloth * quilt * 0.017
    r.gloss += cloth * 0.02
    _zip(r, np.maximum(cloth, high), -0.05)


def _coat(r: Relief, appearance: Appearance, cloth: Array) -> None:
    inner = r.polygon([(-0.07, -0.03), (0.07, -0.03), (0.0, 0.27)]) * cloth
    r.paint(inner, SHIRT_WHITE if r.rng.random() < 0.5 else appearance.trim)
    r.height -= inner * 0.01
    if r.rng.random() < 0.5:
        scarf = r.polygon(rounded([(-0.095, -0.05), (0.095, -0.05), (0.09, 0.055), (-0.09, 0.055)]))
        r.paint(scarf, appearance.trim)
        r.cover(scarf)
        r.height += scarf * (0.03 + 0.003 * r.noise(0.06, 0.012))
    for side in (-1, 1):
        lapel = [
            (side * 0.075, -0.02),
            (side * 0.125, 0.05),
            (side * 0.105, 0.10),
            (side * 0.11, 0.12),
            (0.006 * side, 0.29),
        ]
        flap = r.polygon(lapel) * cloth
        r.height += flap * 0.006
        r.shade(1 - 0.10 * flap)
        _line(r, lapel, 0.003, cloth)
    _line(r, [(0.0, 0.28), (0.0, 0.9)], 0.004, cloth)
    for y in (0.34, 0.44, 0.54):
        r.paint(r.edge(0.009 - np.hypot(r.x - 0.03, r.y - y)), (30, 28, 28), 0.85)
