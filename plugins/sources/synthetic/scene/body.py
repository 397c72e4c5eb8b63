"""Drawing what is below the head, as cut-outs: arms, legs and shoes here, the torso in clothes.py.

Lengths are meters for a stature of STATURE. Each part hangs from its origin: a torso from the
base of the neck, a limb from its upper joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clothes import draw_torso
from .look import Look
from .relief import Array, Color, Relief, creases, rounded, smoothstep
from .sprite import Sprite

STATURE = 1.75

UPPER_ARM = 0.29
FOREARM = 0.25
THIGH = 0.42
SHIN = 0.41

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
        torso=draw_torso(look, density, rng),
        upper_arm=_upper_arm(look, density, rng, sleeve),
        forearm=_forearm(look, density, rng, look.skin if bare else sleeve),
        thigh=_leg(density, rng, look.trousers, THIGH, 0.088, 0.066),
        shin=_shin(density, rng, look.trousers),
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
    r.height += np.sqrt(np.clip(half**2 - r.x**2, 0, None)) * 0.85
    r.paint(mask, color)
    r.cover(mask)
    # Most folds are where it bends, at both ends.
    bent = 0.35 + smoothstep(0.35, 0.9, t) + 0.5 * smoothstep(0.3, 0.0, t)
    across, down = creases(r.noise(0.06, 0.016)), creases(r.noise(0.02, 0.10))
    r.height += mask * folds * (1.3 * bent * across + 0.9 * down)
    r.shade(1 + 0.02 * r.noise(0.003, 0.003))
    return r, mask


def _upper_arm(look: Look, density: float, rng: np.random.Generator, sleeve: Color) -> Sprite:
    thick = 0.066 if look.clothes == "puffer" else 0.054
    r, mask = _limb(density, rng, sleeve, UPPER_ARM, (thick + 0.006, thick - 0.008), 0.003)
    if look.clothes == "tee":
        below = smoothstep(0.17, 0.175, r.y) * mask
        r.paint(below, look.skin)
        r.height -= below * 0.006
    if look.clothes == "puffer":
        r.height += mask * np.abs(np.sin(np.pi * r.y / 0.068)) ** 0.6 * 0.014
    return r.render(soft=0.004)


def _forearm(look: Look, density: float, rng: np.random.Generator, sleeve: Color) -> Sprite:
    bare = sleeve == look.skin
    thick = 0.040 if bare else 0.056 if look.clothes == "puffer" else 0.046
    folds = 0.0 if bare else 0.0028
    end = 0.027 if bare else 0.036
    r, mask = _limb(density, rng, sleeve, FOREARM, (thick, end), folds, room=0.16)
    if look.clothes == "puffer":
        r.height += mask * np.abs(np.sin(np.pi * r.y / 0.068)) ** 0.6 * 0.012
    palm = [(-0.024, 0.225), (0.024, 0.225), (0.034, 0.285), (0.030, 0.35), (0.012, 0.375)]
    palm += [(-0.018, 0.37), (-0.03, 0.345), (-0.044, 0.315), (-0.034, 0.275)]
    hand = r.polygon(rounded(palm))
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
    color: Color,
    length: float,
    top: float,
    bottom: float,
) -> Sprite:
    r, _ = _limb(density, rng, color, length, (top, bottom), 0.004)
    return r.render(soft=0.005)


def _shin(density: float, rng: np.random.Generator, color: Color) -> Sprite:
    r, mask = _limb(density, rng, color, SHIN - 0.03, (0.066, 0.052), 0.004, room=0.13)
    shoe = r.polygon(
        rounded(
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
