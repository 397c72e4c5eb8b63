"""Drawing the body as sprites: arms, legs and shoes here, the torso in clothes.py.

Lengths are meters for a stature of REFERENCE_STATURE_M. Each part hangs from its origin: the torso
from the base of the neck, a limb from its upper joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .appearance import Appearance
from .clothes import draw_torso
from .relief import Array, Color, Relief, creases, rounded, smoothstep
from .sprite import Sprite

REFERENCE_STATURE_M = 1.75
"""Body height for which lengths are given, m."""

UPPER_ARM_M = 0.29
FOREARM_M = 0.25
THIGH_M = 0.42
SHIN_M = 0.41

SHOE_COLOR = (38.0, 36.0, 36.0)


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of one person's body."""

    torso: Sprite
    upper_arm: Sprite
    forearm: Sprite
    thigh: Sprite
    shin: Sprite


def draw_body(appearance: Appearance, density: float) -> Body:
    """Draw all parts of a person's body at `density` px/m."""
    rng = np.random.default_rng([appearance.seed, 7])
    bare = appearance.clothes == "tee"
    return Body(
        torso=draw_torso(appearance, density, rng),
        upper_arm=_upper_arm(appearance, density, rng),
        forearm=_forearm(appearance, density, rng, bare),
        thigh=_leg(density, rng, appearance.trousers, THIGH_M, 0.088, 0.066),
        shin=_shin(density, rng, appearance.trousers),
    )


def _limb(
    density: float,
    rng: np.random.Generator,
    color: Color,
    length: float,
    radii: tuple[float, float],
    folds: float,
    room: float = 0.0,
) -> tuple[Relief, Array]:
    """A round limb below the origin, and its mask.

    Args:
        density: px/m.
        rng: for its texture.
        color: sRGB.
        length: m.
        radii: at the upper and the lower end, m.
        folds: depth of the folds, m.
        room: extra space below, m.
    """
    widest = max(radii) + 0.012
    r = Relief(
        (-widest, -radii[0] - 0.01, widest, length + max(radii[1], room) + 0.01), density, rng
    )
    t = np.clip(r.y / length, 0, 1)
    half = radii[0] + (radii[1] - radii[0]) * t
    half = half * (1 + 0.02 * np.sin(t * 9 + rng.uniform(0, 6)))
    outside = np.maximum(np.maximum(-r.y, r.y - length), 0)
    mask = r.edge(half - np.hypot(r.x, outside))
    r.height += np.sqrt(np.clip(half**2 - r.x**2, 0, None)) * 0.85
    r.paint(mask, color)
    r.cover(mask)
    # Most folds are at the joints.
    bent = 0.35 + smoothstep(0.35, 0.9, t) + 0.5 * smoothstep(0.3, 0.0, t)
    across, down = creases(r.noise(0.06, 0.016)), creases(r.noise(0.02, 0.10))
    r.height += mask * folds * (1.3 * bent * across + 0.9 * down)
    r.shade(1 + 0.02 * r.noise(0.003, 0.003))
    return r, mask


def _upper_arm(appearance: Appearance, density: float, rng: np.random.Generator) -> Sprite:
    thick = 0.066 if appearance.clothes == "puffer" else 0.054
    r, mask = _limb(
        density, rng, appearance.top, UPPER_ARM_M, (thick + 0.006, thick - 0.008), 0.003
    )
    if appearance.clothes == "tee":
        below = smoothstep(0.17, 0.175, r.y) * mask
        r.paint(below, appearance.skin)
        r.height -= below * 0.006
    if appearance.clothes == "puffer":
        r.height += mask * np.abs(np.sin(np.pi * r.y / 0.068)) ** 0.6 * 0.014
    return r.render(soft=0.004)


def _forearm(
    appearance: Appearance, density: float, rng: np.random.Generator, bare: bool
) -> Sprite:
    color = appearance.skin if bare else appearance.top
    thick = 0.040 if bare else 0.056 if appearance.clothes == "puffer" else 0.046
    folds = 0.0 if bare else 0.0028
    end = 0.027 if bare else 0.036
    r, mask = _limb(density, rng, color, FOREARM_M, (thick, end), folds, room=0.16)
    if appearance.clothes == "puffer":
        r.height += mask * np.abs(np.sin(np.pi * r.y / 0.068)) ** 0.6 * 0.012
    palm = [(-0.024, 0.225), (0.024, 0.225), (0.034, 0.285), (0.030, 0.35), (0.012, 0.375)]
    palm += [(-0.018, 0.37), (-0.03, 0.345), (-0.044, 0.315), (-0.034, 0.275)]
    hand = r.polygon(rounded(palm))
    visible = hand * (1.0 if bare else 1 - mask)
    r.paint(visible, appearance.skin)
    r.cover(hand)
    fingers = np.sin(r.x * 380) * smoothstep(0.315, 0.335, r.y)
    raised = r.inflate(hand, 0.02, 0.022) + 0.0012 * fingers * hand
    r.height += visible * np.maximum(raised - r.height * (0 if not bare else 1), 0)
    if not bare:
        r.shade(1 - 0.35 * visible * smoothstep(FOREARM_M + 0.06, FOREARM_M + 0.02, r.y))
    return r.render(soft=0.003)


def _leg(
    density: float,
    rng: np.random.Generator,
    color: Color,
    length: float,
    top: float,
    bottom: float,
) -> Sprite:
    r, _ = _limb(density, rng, color, length, (top, bottom), 0.004)
    return r.render(soft=0.005)


def _shin(density: float, rng: np.random.Generator, color: Color) -> Sprite:
    r, mask = _limb(density, rng, color, SHIN_M - 0.03, (0.066, 0.052), 0.004, room=0.13)
    shoe = r.polygon(
        rounded(
            [
                (-0.038, SHIN_M - 0.05),
                (0.038, SHIN_M - 0.05),
                (0.052, SHIN_M + 0.07),
                (0.03, SHIN_M + 0.105),
                (-0.03, SHIN_M + 0.105),
                (-0.052, SHIN_M + 0.07),
            ]
        )
    )
    bare = shoe * (1 - mask)
    r.paint(bare, SHOE_COLOR)
    sole = bare * smoothstep(SHIN_M + 0.075, SHIN_M + 0.085, r.y)
    r.paint(sole, (190, 188, 184) if rng.random() < 0.5 else (22, 20, 20))
    r.cover(shoe)
    r.height += r.inflate(shoe, 0.04, 0.03) * (1 - mask)
    r.shade(1 - 0.3 * smoothstep(SHIN_M - 0.09, SHIN_M - 0.03, r.y) * mask)
    return r.render(soft=0.004)
