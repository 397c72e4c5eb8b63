"""One person: the parts, and how they are placed while walking."""

from __future__ import annotations

import math

from .body import STATURE, THIGH, UPPER_ARM, Body, draw_body
from .head import FACE, U, draw_head
from .look import Look
from .paths import Walker
from .sprite import Placed, Sprite

NECK = 1.475
"""Height of the base of the neck, m, as all of these for STATURE."""
HEAD = 0.128
"""From there up to the origin of the head."""
HIP = 0.93
ARM_X, ARM_Y = 0.176, 0.092
"""Of the shoulder joints, from the base of the neck."""
LEG_X = 0.088


class Person:
    """Somebody who can be placed in the scene.

    Args:
        look: the looks.
        density: of the drawing of the head, px/m.

    Attributes:
        look: the looks.
    """

    def __init__(self, look: Look, density: float) -> None:
        self.look = look
        self._head: Sprite = draw_head(look, density).render()
        self._body: Body = draw_body(look, density * 0.62)

    def place(self, walker: Walker, x: float, ground: float, scale: float) -> list[Placed]:
        """All parts, the hindmost first.

        Args:
            walker: where the person is in the walk.
            x: of the middle, px.
            ground: y of the ground, px.
            scale: px/m.
        """
        k = scale * self.look.stature / STATURE
        swing = math.sin(walker.stride)
        bob = 0.016 * abs(math.cos(walker.stride)) * k
        sway = 0.012 * math.sin(walker.stride) * k
        neck = (x + sway, ground - NECK * k - bob)
        hip = ground - HIP * k - bob
        parts = []
        for side in sorted((-1, 1), key=lambda s: s * swing):
            parts += self._leg(walker, side, x + sway * 0.4, hip, k)
        for side in (-1, 1):
            parts += self._arm(walker, side, neck, k)
        parts.append(Placed(self._body.torso, *neck, k))
        parts.append(self.head(walker, x, ground, scale))
        return parts

    def head(self, walker: Walker, x: float, ground: float, scale: float) -> Placed:
        """The head alone."""
        k = scale * self.look.stature / STATURE
        bob = 0.016 * abs(math.cos(walker.stride)) * k
        sway = 0.014 * math.sin(walker.stride) * k
        turn = 0.95 * U * math.sin(walker.glance)
        y = ground - (NECK + HEAD) * k - bob
        return Placed(self._head, x + sway + 0.25 * turn * k, y, k, turn=turn)

    def face(self, head: Placed) -> tuple[float, float, float, float]:
        """The box of the face of a placed head, xyxy px."""
        k = U * head.scale
        x = head.x + 0.2 * head.turn * head.scale
        return x + FACE[0] * k, head.y + FACE[1] * k, x + FACE[2] * k, head.y + FACE[3] * k

    def _leg(self, walker: Walker, side: int, x: float, hip: float, k: float) -> list[Placed]:
        """A leg seen from the front.

        What swings back or forth looks shorter, or moves aside where the walk goes across.
        """
        phase = walker.stride + (0 if side > 0 else math.pi)
        swing = 0.42 * math.sin(phase)
        lift = max(0.0, math.cos(phase)) * (0.75 if math.cos(phase) > 0 else 0)
        across = 0.5 * math.sin(walker.heading)
        thigh = swing + 0.25 * lift
        shin = swing - 0.75 * lift
        top = (x + side * LEG_X * k, hip)
        angle = _tilt(thigh, across)
        knee = _below(top, THIGH * math.cos(thigh) * k, angle)
        lower = _tilt(shin, across)
        return [
            Placed(self._body.shin, *knee, k, angle=lower, stretch=max(0.55, math.cos(shin))),
            Placed(self._body.thigh, *top, k, angle=angle, stretch=math.cos(thigh)),
        ]

    def _arm(self, walker: Walker, side: int, neck: tuple[float, float], k: float) -> list[Placed]:
        phase = walker.stride + (math.pi if side > 0 else 0)
        swing = 0.34 * math.sin(phase)
        across = 0.7 * math.sin(walker.heading)
        build = self.look.build * (1.06 if self.look.clothes == "puffer" else 1.0)
        top = (neck[0] + side * ARM_X * build * k, neck[1] + ARM_Y * k)
        upper = -side * 0.10 + _tilt(swing, across)
        elbow = _below(top, UPPER_ARM * math.cos(swing) * k, upper)
        bent = swing + 0.25 + 0.2 * math.sin(phase)
        lower = side * 0.03 + _tilt(bent, across)
        mirror = side < 0
        return [
            Placed(self._body.forearm, *elbow, k, lower, math.cos(bent), mirror=mirror),
            Placed(self._body.upper_arm, *top, k, upper, math.cos(swing), mirror=mirror),
        ]


def _tilt(swing: float, across: float) -> float:
    """How a limb that swings forth by an angle looks turned in the picture, clockwise."""
    return -math.atan(math.tan(swing) * across)


def _below(top: tuple[float, float], length: float, angle: float) -> tuple[float, float]:
    return top[0] - length * math.sin(angle), top[1] + length * math.cos(angle)
