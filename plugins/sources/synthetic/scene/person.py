"""A person: the body parts and their placement in the walk cycle."""

from __future__ import annotations

import math

from .appearance import Appearance
from .body import REFERENCE_STATURE_M, THIGH_M, UPPER_ARM_M, Body, draw_body
from .face import FACE_BOX, HALF_FACE_WIDTH_M
from .head import draw_head
from .paths import Walker
from .sprite import PlacedSprite, Sprite

NECK_HEIGHT_M = 1.475
"""Height of the base of the neck, m; like all lengths here for REFERENCE_STATURE_M."""

HEAD_OFFSET_M = 0.128
"""Height of the origin of the head above the base of the neck, m."""

HIP_HEIGHT_M = 0.93

SHOULDER_X_M, SHOULDER_Y_M = 0.172, 0.098
"""Position of the shoulder joints relative to the base of the neck, m."""

HIP_X_M = 0.088
"""Distance of the hip joints from the center, m."""

KNEE_TO_SOLE_M = HIP_HEIGHT_M - THIGH_M

MIN_SHIN_STRETCH = 0.55
"""A lifted shin is foreshortened to this fraction of its length at most."""


class Person:
    """A person who can be placed in the scene.

    Args:
        appearance: of the person.
        density: resolution of the head, px/m.

    Attributes:
        appearance: as given.
    """

    def __init__(self, appearance: Appearance, density: float) -> None:
        self.appearance = appearance
        self._head: Sprite = draw_head(appearance, density)
        self._body: Body = draw_body(appearance, density * 0.62)

    def place(self, walker: Walker, x: float, ground: float, scale: float) -> list[PlacedSprite]:
        """All body parts, from back to front; the head is the last.

        Args:
            walker: position and pose.
            x: image x of the center, px.
            ground: image y of the ground, px.
            scale: px/m.
        """
        k = scale * self.appearance.stature / REFERENCE_STATURE_M
        hip = ground - _hip_height(walker) * k
        neck = hip - (NECK_HEIGHT_M - HIP_HEIGHT_M) * k
        sway = 0.012 * math.sin(walker.stride) * k
        parts = []
        # The leg that swings forward is in front.
        for side in sorted((-1, 1), key=lambda side: _leg_angles(walker, side)[0]):
            parts += self._leg(walker, side, x + sway * 0.4, hip, k)
        for side in (-1, 1):
            parts += self._arm(walker, side, (x + sway, neck), k)
        parts.append(PlacedSprite(self._body.torso, x + sway, neck, k))
        turn = 0.95 * HALF_FACE_WIDTH_M * math.sin(walker.head_turn)
        head_x, head_y = x + sway + 0.25 * turn * k, neck - HEAD_OFFSET_M * k
        parts.append(PlacedSprite(self._head, head_x, head_y, k, turn=turn))
        return parts

    def face(self, head: PlacedSprite) -> tuple[float, float, float, float]:
        """The box of the face of a placed head, xyxy px."""
        k = HALF_FACE_WIDTH_M * head.scale
        x = head.x + 0.2 * head.turn * head.scale
        x1, y1, x2, y2 = FACE_BOX
        return x + x1 * k, head.y + y1 * k, x + x2 * k, head.y + y2 * k

    def _leg(self, walker: Walker, side: int, x: float, hip: float, k: float) -> list[PlacedSprite]:
        """A leg seen from the front.

        A leg that swings forward or back is foreshortened, or moves sideways if the person
        walks across the view.
        """
        thigh, shin = _leg_angles(walker, side)
        across = 0.5 * math.sin(walker.heading)
        angle, lower = _tilt(thigh, across), _tilt(shin, across)
        top = (x + side * HIP_X_M * k, hip)
        knee = _below(top, THIGH_M * math.cos(thigh) * k, angle)
        return [
            PlacedSprite(self._body.shin, *knee, k, lower, max(MIN_SHIN_STRETCH, math.cos(shin))),
            PlacedSprite(self._body.thigh, *top, k, angle, math.cos(thigh)),
        ]

    def _arm(
        self, walker: Walker, side: int, neck: tuple[float, float], k: float
    ) -> list[PlacedSprite]:
        phase = walker.stride + (math.pi if side > 0 else 0)
        swing = 0.34 * math.sin(phase)
        across = 0.4 * math.sin(walker.heading)
        build = self.appearance.build * (1.06 if self.appearance.clothes == "puffer" else 1.0)
        top = (neck[0] + side * SHOULDER_X_M * build * k, neck[1] + SHOULDER_Y_M * k)
        upper = -side * 0.13 + _tilt(swing, across)
        elbow = _below(top, UPPER_ARM_M * math.cos(swing) * k, upper)
        bent = swing + 0.25 + 0.2 * math.sin(phase)
        lower = side * 0.03 + _tilt(bent, across)
        mirror = side < 0
        return [
            PlacedSprite(self._body.forearm, *elbow, k, lower, math.cos(bent), mirror=mirror),
            PlacedSprite(self._body.upper_arm, *top, k, upper, math.cos(swing), mirror=mirror),
        ]


def _leg_angles(walker: Walker, side: int) -> tuple[float, float]:
    """Forward angles of the thigh and the shin on a side, rad."""
    phase = walker.stride + (0 if side > 0 else math.pi)
    swing = 0.36 * math.sin(phase)
    # The leg that moves forward is lifted at the knee.
    lift = 0.75 * max(0.0, math.cos(phase))
    return swing + 0.25 * lift, swing - 0.75 * lift


def _hip_height(walker: Walker) -> float:
    """Height of the hips, m: the longer leg reaches the ground."""
    reach = []
    for side in (-1, 1):
        thigh, shin = _leg_angles(walker, side)
        stretch = max(MIN_SHIN_STRETCH, math.cos(shin))
        reach.append(THIGH_M * math.cos(thigh) + KNEE_TO_SOLE_M * stretch)
    return max(reach)


def _tilt(swing: float, across: float) -> float:
    """Clockwise angle in the image of a limb that swings forward by an angle, rad."""
    return -math.atan(math.tan(swing) * across)


def _below(top: tuple[float, float], length: float, angle: float) -> tuple[float, float]:
    return top[0] - length * math.sin(angle), top[1] + length * math.cos(angle)
