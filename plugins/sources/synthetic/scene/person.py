"""One person: the parts, and how they are placed while walking."""

from __future__ import annotations

import math

from .body import STATURE, THIGH, UPPER_ARM, Body, draw_body
from .face import FACE, U
from .head import draw_head
from .look import Look
from .paths import Walker
from .sprite import Placed, Sprite

NECK = 1.475
"""Height of the base of the neck, m, as all of these for STATURE."""
HEAD = 0.128
"""From there up to the origin of the head."""
HIP = 0.93
ARM_X, ARM_Y = 0.172, 0.098
"""Of the shoulder joints, from the base of the neck."""
LEG_X = 0.088
TO_SOLE = HIP - THIGH
"""From the knee to the sole."""
SHORTEST = 0.55
"""A lifted shin is drawn no shorter than this."""


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
        self._head: Sprite = draw_head(look, density)
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
        hip = ground - _carried(walker) * k
        neck = hip - (NECK - HIP) * k
        sway = 0.012 * math.sin(walker.stride) * k
        parts = []
        # The leg that swings forth is in front.
        for side in sorted((-1, 1), key=lambda side: _legs(walker, side)[0]):
            parts += self._leg(walker, side, x + sway * 0.4, hip, k)
        for side in (-1, 1):
            parts += self._arm(walker, side, (x + sway, neck), k)
        parts.append(Placed(self._body.torso, x + sway, neck, k))
        turn = 0.95 * U * math.sin(walker.glance)
        parts.append(Placed(self._head, x + sway + 0.25 * turn * k, neck - HEAD * k, k, turn=turn))
        return parts

    def face(self, head: Placed) -> tuple[float, float, float, float]:
        """The box of the face of a placed head, xyxy px."""
        k = U * head.scale
        x = head.x + 0.2 * head.turn * head.scale
        return x + FACE[0] * k, head.y + FACE[1] * k, x + FACE[2] * k, head.y + FACE[3] * k

    def _leg(self, walker: Walker, side: int, x: float, hip: float, k: float) -> list[Placed]:
        """A leg seen from the front.

        What swings back or forth looks shorter, or moves aside where the walk goes across.
        """
        thigh, shin = _legs(walker, side)
        across = 0.5 * math.sin(walker.heading)
        angle, lower = _tilt(thigh, across), _tilt(shin, across)
        top = (x + side * LEG_X * k, hip)
        knee = _below(top, THIGH * math.cos(thigh) * k, angle)
        return [
            Placed(self._body.shin, *knee, k, lower, max(SHORTEST, math.cos(shin))),
            Placed(self._body.thigh, *top, k, angle, math.cos(thigh)),
        ]

    def _arm(self, walker: Walker, side: int, neck: tuple[float, float], k: float) -> list[Placed]:
        phase = walker.stride + (math.pi if side > 0 else 0)
        swing = 0.34 * math.sin(phase)
        across = 0.4 * math.sin(walker.heading)
        build = self.look.build * (1.06 if self.look.clothes == "puffer" else 1.0)
        top = (neck[0] + side * ARM_X * build * k, neck[1] + ARM_Y * k)
        upper = -side * 0.13 + _tilt(swing, across)
        elbow = _below(top, UPPER_ARM * math.cos(swing) * k, upper)
        bent = swing + 0.25 + 0.2 * math.sin(phase)
        lower = side * 0.03 + _tilt(bent, across)
        mirror = side < 0
        return [
            Placed(self._body.forearm, *elbow, k, lower, math.cos(bent), mirror=mirror),
            Placed(self._body.upper_arm, *top, k, upper, math.cos(swing), mirror=mirror),
        ]


def _legs(walker: Walker, side: int) -> tuple[float, float]:
    """How far the thigh and the shin of a side are swung forth, rad."""
    phase = walker.stride + (0 if side > 0 else math.pi)
    swing = 0.36 * math.sin(phase)
    # The leg that comes forth is lifted at the knee.
    lift = 0.75 * max(0.0, math.cos(phase))
    return swing + 0.25 * lift, swing - 0.75 * lift


def _carried(walker: Walker) -> float:
    """Height of the hips, m: the longer leg reaches the ground."""
    reach = []
    for side in (-1, 1):
        thigh, shin = _legs(walker, side)
        reach.append(THIGH * math.cos(thigh) + TO_SOLE * max(SHORTEST, math.cos(shin)))
    return max(reach)


def _tilt(swing: float, across: float) -> float:
    """How a limb that swings forth by an angle looks turned in the image, clockwise."""
    return -math.atan(math.tan(swing) * across)


def _below(top: tuple[float, float], length: float, angle: float) -> tuple[float, float]:
    return top[0] - length * math.sin(angle), top[1] + length * math.cos(angle)
