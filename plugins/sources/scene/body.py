"""Drawing what is below the head: a torso with its clothes, arms, legs and shoes, as cut-outs.

Lengths are metres for a stature of STATURE. Each part hangs from its origin: a torso from the
base of the neck, a limb from its upper joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .look import Look
from .relief import Array, Colour, Relief, smoothstep
from .sprite import Sprite

STATURE = 1.75

UPPER_ARM = 0.29
FOREARM = 0.25
THIGH = 0.42
SHIN = 0.41

SHIRT_WHITE = (224.0, 226.0, 230.0)
SHOE = (38.0, 36.0, 36.0)


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of one person's body."""

    torso: Sprite
    upper_arm: Sprite
    forearm: Sprite
    thigh: Sprite
    shin: Sprite


def draw_body(look: Look, density: float) -> Body:
    """All parts of a person's body, at `density` px/m."""
    rng = np.random.default_rng([look.seed, 7])
    bare = look.clothes == "tee"
    sleeve = {"shirt": look.top, "tee": look.top}.get(look.clothes, look.top)
    return Body(
        torso=_torso(look, density, rng),
        upper_arm=_upper_arm(look, density, rng, sleeve),
        forearm=_forearm(look, density, rng, look.skin if bare else sleeve),
        thigh=_leg(density, rng, look.trousers, THIGH, 0.088, 0.066),
        shin=_shin(density, rng, look.trousers),
    )


def _torso(look: Look, density: float, rng: np.random.Generator) -> Sprite:
    b = 0.93 * look.build
    hem = {"coat": 0.86, "jacket": 0.60, "puffer": 0.60}.get(look.clothes, 0.57)
    r = Relief((-0.31, -0.13, 0.31, hem + 0.04), density, rng)
    puffed = 1.10 if look.clothes == "puffer" else 1.0
    right = [
        (0.056, -0.035), (0.085, -0.012), (0.14, 0.012), (0.195 * b, 0.045), (0.222 * b, 0.10),
        (0.212 * b, 0.17), (0.19 * b, 0.22), (0.172 * b, 0.36), (0.178 * b, 0.47), (0.192 * b, hem),
    ]  # fmt: skip
    right = [(x * puffed if y > 0.05 else x, y) for x, y in right]
    outline = _rounded([*right, *[(-x, y) for x, y in reversed(right)]])
    cloth = r.polygon(outline)
    _neck(r, look)
    r.height *= 1 - cloth
    round_ = np.sqrt(np.clip(1 - (r.x / 0.27) ** 2, 0, 1))
    r.height += (r.inflate(cloth, 0.07, 0.035) + 0.11 * round_) * cloth
    r.paint(cloth, look.top)
    r.cover(cloth)
    _folds(r, cloth, 0.006 if look.clothes != "puffer" else 0.002)
    {
        "tee": _tee, "shirt": _shirt, "hoodie": _hoodie, "jacket": _jacket, "puffer": _puffer,
        "coat": _coat,
    }[look.clothes](r, look, cloth)  # fmt: skip
    # The head keeps light from the neck.
    r.shade(1 - 0.45 * smoothstep(0.05, -0.06, r.y) * smoothstep(0.14, 0.05, np.abs(r.x)))
    return r.render(soft=0.004)


def _rounded(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A polygon with its corners cut twice (Chaikin 1974)."""
    corners = np.array(points)
    for _ in range(2):
        after = np.roll(corners, -1, axis=0)
        corners = np.stack([0.75 * corners + 0.25 * after, 0.25 * corners + 0.75 * after], axis=1)
        corners = corners.reshape(-1, 2)
    return [(float(x), float(y)) for x, y in corners]


def _neck(r: Relief, look: Look) -> None:
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
    red, green, blue = look.skin
    r.paint(neck, (red * 0.94, green * 0.88, blue * 0.86))
    r.cover(neck)


def _skin(r: Relief, look: Look, mask: Array) -> None:
    red, green, blue = look.skin
    r.paint(mask, (red * 0.96, green * 0.9, blue * 0.88))
    r.height -= mask * 0.004


def _folds(r: Relief, mask: Array, depth: float) -> None:
    """Creases of cloth: long ones that hang, oblique ones at the waist."""
    hang, slant = _creases(r.noise(0.03, 0.16)), _creases(r.noise(0.10, 0.026))
    low = smoothstep(0.20, 0.42, r.y) + 0.25
    # From the armpits to the chest it is pulled.
    pulled = _creases(r.noise(0.06, 0.022)) * smoothstep(0.06, 0.16, np.abs(r.x))
    high = smoothstep(0.32, 0.14, r.y) * smoothstep(0.02, 0.10, r.y)
    r.height += mask * depth * (0.8 * hang + 1.0 * low * slant + 0.8 * high * pulled)
    r.shade(1 + 0.02 * r.noise(0.003, 0.003))


def _creases(waves: Array) -> Array:
    """Smooth noise made into folds: broad backs, narrow valleys."""
    return np.asarray(1 - np.exp(-1.6 * np.abs(waves)))


def _line(r: Relief, points: list[tuple[float, float]], width: float, mask: Array) -> None:
    """A seam: a thin dark groove."""
    groove = r.stroke(points, width) * mask
    r.shade(1 - 0.45 * groove)
    r.height -= groove * 0.0015


def _tee(r: Relief, look: Look, cloth: Array) -> None:
    distance = np.hypot(r.x / 0.085, (r.y + 0.035) / 0.105)
    _skin(r, look, r.edge(np.asarray((1 - distance) * 0.08, "f4")) * cloth)
    rib = np.exp(-0.5 * ((distance - 1.06) / 0.05) ** 2) * cloth
    r.shade(np.asarray(1 - 0.18 * rib, np.float32))
    if r.rng.random() < 0.6:
        stripe = smoothstep(0.16, 0.163, r.y) * smoothstep(0.243, 0.24, r.y) * cloth
        r.paint(stripe, look.trim, 0.9)


def _collar(r: Relief, colour: Colour) -> None:
    for side in (-1, 1):
        flap = r.polygon(
            [(side * 0.068, -0.05), (side * 0.1, 0.0), (side * 0.05, 0.085), (0.0, 0.04)]
        )
        r.paint(flap, colour)
        r.cover(flap)
        r.height += flap * 0.008


def _shirt(r: Relief, look: Look, cloth: Array) -> None:
    _skin(r, look, r.polygon([(-0.045, -0.03), (0.045, -0.03), (0.0, 0.07)]) * cloth)
    _collar(r, look.top)
    _line(r, [(-0.016, 0.08), (-0.016, 0.6)], 0.003, cloth)
    _line(r, [(0.016, 0.08), (0.016, 0.6)], 0.003, cloth)
    for y in np.arange(0.1, 0.56, 0.085):
        r.paint(r.edge(np.asarray(0.005 - np.hypot(r.x, r.y - y), "f4")), SHIRT_WHITE, 0.9)
    pocket = [(0.055, 0.17), (0.055, 0.26), (0.125, 0.26), (0.125, 0.17), (0.055, 0.17)]
    _line(r, pocket, 0.003, cloth)


def _hoodie(r: Relief, look: Look, cloth: Array) -> None:
    _skin(r, look, r.edge(np.asarray((1 - np.hypot(r.x / 0.05, (r.y + 0.03) / 0.06)) * 0.05, "f4")))
    ring = np.hypot(r.x / 0.105, (r.y + 0.005) / 0.075)
    hood = np.asarray(np.exp(-0.5 * ((ring - 1) / 0.22) ** 2) * (r.y > -0.07), np.float32)
    solid = smoothstep(0.35, 0.55, hood) * (ring > 0.72)
    r.paint(solid, look.top)
    r.cover(np.asarray(solid, np.float32))
    r.height += hood * 0.030
    for side in (-1, 1):
        r.paint(r.stroke([(side * 0.04, 0.07), (side * 0.047, 0.21)], 0.006), SHIRT_WHITE, 0.85)
    pocket = [(-0.09, 0.37), (-0.125, 0.50), (0.125, 0.50), (0.09, 0.37), (-0.09, 0.37)]
    _line(r, pocket, 0.004, cloth)


def _zip(r: Relief, cloth: Array, top: float) -> None:
    _line(r, [(0.0, top), (0.0, 0.62)], 0.012, cloth)
    r.paint(r.stroke([(0.0, top), (0.0, 0.62)], 0.004) * cloth, (150, 150, 152), 0.6)


def _jacket(r: Relief, look: Look, cloth: Array) -> None:
    opening = r.polygon([(-0.055, -0.02), (0.055, -0.02), (0.018, 0.22), (-0.018, 0.22)]) * cloth
    r.paint(opening, look.trim)
    r.height -= opening * 0.012
    _skin(r, look, r.edge(np.asarray((1 - np.hypot(r.x / 0.05, (r.y + 0.03) / 0.07)) * 0.05, "f4")))
    _collar(r, look.top)
    _zip(r, cloth, 0.2)
    for side in (-1, 1):
        _line(r, [(side * 0.09, 0.38), (side * 0.135, 0.47)], 0.006, cloth)


def _puffer(r: Relief, look: Look, cloth: Array) -> None:
    high = r.polygon(_rounded([(-0.085, -0.055), (0.085, -0.055), (0.10, 0.03), (-0.10, 0.03)]))
    r.paint(high, look.top)
    r.cover(high)
    r.height += high * 0.02
    phase = r.y / 0.072 + 0.10 * r.noise(0.09, 0.05)
    quilt = np.abs(np.sin(np.pi * phase)) ** 0.6
    r.height += np.asarray(cloth * quilt * 0.017, np.float32)
    r.gloss += np.asarray(cloth * 0.02, np.float32)
    _zip(r, np.maximum(cloth, high), -0.05)


def _coat(r: Relief, look: Look, cloth: Array) -> None:
    inner = r.polygon([(-0.07, -0.03), (0.07, -0.03), (0.0, 0.27)]) * cloth
    r.paint(inner, SHIRT_WHITE if r.rng.random() < 0.5 else look.trim)
    r.height -= inner * 0.01
    if r.rng.random() < 0.5:
        scarf = r.polygon(
            _rounded([(-0.095, -0.05), (0.095, -0.05), (0.09, 0.055), (-0.09, 0.055)])
        )
        r.paint(scarf, look.trim)
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
        r.paint(r.edge(np.asarray(0.009 - np.hypot(r.x - 0.03, r.y - y), "f4")), (30, 28, 28), 0.85)


def _limb(
    density: float,
    rng: np.random.Generator,
    colour: Colour,
    length: float,
    radii: tuple[float, float],
    folds: float,
    room: float = 0.0,
) -> tuple[Relief, Array]:
    """A round limb from the origin down, its half widths at both ends, m; and its mask."""
    widest = max(radii) + 0.012
    r = Relief(
        (-widest, -radii[0] - 0.01, widest, length + max(radii[1], room) + 0.01), density, rng
    )
    t = np.clip(r.y / length, 0, 1)
    half = radii[0] + (radii[1] - radii[0]) * t
    half = half * (1 + 0.02 * np.sin(t * 9 + rng.uniform(0, 6)))
    beyond = np.maximum(np.maximum(-r.y, r.y - length), 0)
    mask = r.edge(half - np.hypot(r.x, beyond))
    r.height += np.asarray(np.sqrt(np.clip(half**2 - r.x**2, 0, None)) * 0.85, np.float32)
    r.paint(mask, colour)
    r.cover(mask)
    # Most folds are where it bends, at both ends.
    bent = 0.35 + smoothstep(0.35, 0.9, t) + 0.5 * smoothstep(0.3, 0.0, t)
    across, down = _creases(r.noise(0.06, 0.016)), _creases(r.noise(0.02, 0.10))
    r.height += mask * folds * (1.3 * bent * across + 0.9 * down)
    r.shade(1 + 0.02 * r.noise(0.003, 0.003))
    return r, mask


def _upper_arm(look: Look, density: float, rng: np.random.Generator, sleeve: Colour) -> Sprite:
    thick = 0.066 if look.clothes == "puffer" else 0.054
    r, mask = _limb(density, rng, sleeve, UPPER_ARM, (thick + 0.006, thick - 0.008), 0.003)
    if look.clothes == "tee":
        below = smoothstep(0.17, 0.175, r.y) * mask
        r.paint(below, look.skin)
        r.height -= below * 0.006
    if look.clothes == "puffer":
        r.height += np.asarray(mask * np.abs(np.sin(np.pi * r.y / 0.068)) ** 0.6 * 0.014, "f4")
    return r.render(soft=0.004)


def _forearm(look: Look, density: float, rng: np.random.Generator, sleeve: Colour) -> Sprite:
    bare = sleeve == look.skin
    thick = 0.040 if bare else 0.056 if look.clothes == "puffer" else 0.046
    folds = 0.0 if bare else 0.0028
    end = 0.027 if bare else 0.036
    r, mask = _limb(density, rng, sleeve, FOREARM, (thick, end), folds, room=0.16)
    if look.clothes == "puffer":
        r.height += np.asarray(mask * np.abs(np.sin(np.pi * r.y / 0.068)) ** 0.6 * 0.012, "f4")
    palm = [(-0.024, 0.225), (0.024, 0.225), (0.034, 0.285), (0.030, 0.35), (0.012, 0.375)]
    palm += [(-0.018, 0.37), (-0.03, 0.345), (-0.044, 0.315), (-0.034, 0.275)]
    hand = r.polygon(_rounded(palm))
    visible = hand * (1.0 if bare else 1 - mask)
    r.paint(visible, look.skin)
    r.cover(hand)
    fingers = np.sin(r.x * 380) * smoothstep(0.315, 0.335, r.y)
    raised = r.inflate(hand, 0.02, 0.022) + 0.0012 * fingers * hand
    r.height += visible * np.maximum(raised - r.height * (0 if not bare else 1), 0)
    if not bare:
        r.shade(1 - 0.35 * visible * smoothstep(FOREARM + 0.06, FOREARM + 0.02, r.y))
    return r.render(soft=0.003)


def _leg(
    density: float,
    rng: np.random.Generator,
    colour: Colour,
    length: float,
    top: float,
    bottom: float,
) -> Sprite:
    r, _ = _limb(density, rng, colour, length, (top, bottom), 0.004)
    return r.render(soft=0.005)


def _shin(density: float, rng: np.random.Generator, colour: Colour) -> Sprite:
    r, mask = _limb(density, rng, colour, SHIN - 0.03, (0.066, 0.052), 0.004, room=0.13)
    shoe = r.polygon(
        _rounded(
            [
                (-0.038, SHIN - 0.05),
                (0.038, SHIN - 0.05),
                (0.052, SHIN + 0.07),
                (0.03, SHIN + 0.105),
                (-0.03, SHIN + 0.105),
                (-0.052, SHIN + 0.07),
            ]
        )
    )
    bare = shoe * (1 - mask)
    r.paint(bare, SHOE)
    sole = bare * smoothstep(SHIN + 0.075, SHIN + 0.085, r.y)
    r.paint(sole, (190, 188, 184) if rng.random() < 0.5 else (22, 20, 20))
    r.cover(shoe)
    r.height += r.inflate(shoe, 0.04, 0.03) * (1 - mask)
    r.shade(1 - 0.3 * smoothstep(SHIN - 0.09, SHIN - 0.03, r.y) * mask)
    return r.render(soft=0.004)
