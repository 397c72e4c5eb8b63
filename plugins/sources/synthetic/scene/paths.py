"""Where people are at any time, computed from the time alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

NEAR_M, FAR_M = 3.5, 7.6
"""Distances from the camera between which people walk at size 1, m."""

WALK_S = 7.5
"""Time that a person spends in the scene at size 1 and speed 1, s."""

STEP_LENGTH_M = 0.68


@dataclass(frozen=True, slots=True)
class Walker:
    """Position and pose of a person in the scene.

    Attributes:
        identity: unique, from 1.
        x: distance to the right of the camera, m.
        z: distance from the camera, m.
        heading: direction of the walk, 0 straight toward the camera, positive to the right, rad.
        stride: phase of the gait, rad; a full turn is two steps.
        head_turn: rotation of the head, 0 toward the camera, positive to the right, rad.
    """

    identity: int
    x: float
    z: float
    heading: float
    stride: float
    head_turn: float


class Paths:
    """The walks of all people.

    The scene has as many slots as people; in each, one walk follows another. All walks take the
    same time and approach the camera at the same speed, and the slots are evenly spaced in
    time, so people are never at the same distance and never walk through each other.

    Args:
        people: number of people in the scene at a time.
        duration: of a walk, s.
        near: distance from the camera at which walks end, m.
        far: distance at which they begin, m.
        half_view: half the visible width per distance, m/m.
        seed: of all paths.
    """

    def __init__(
        self,
        people: int,
        duration: float,
        near: float,
        far: float,
        half_view: float,
        seed: int,
    ) -> None:
        self._people = people
        self._duration = duration
        self._near, self._far = near, far
        self._half_view = half_view
        self._seed = seed

    def at(self, seconds: float) -> list[Walker]:
        """The people in the scene at a time, s, the farthest first."""
        walkers = [self._walker(slot, seconds) for slot in range(self._people)]
        return sorted(walkers, key=lambda walker: -walker.z)

    def span(self, identity: int) -> tuple[float, float]:
        """When the walk of an identity begins and ends, s."""
        walk, slot = divmod(identity - 1, self._people)
        begin = (walk - (slot + 0.35) / self._people) * self._duration
        return begin, begin + self._duration

    def walk(self, identity: int, part: float) -> Walker:
        """State of a walk at a part of it, 0 to 1."""
        return self._along(identity, part)

    @property
    def stride_s(self) -> float:
        """Time of two steps, s."""
        return 2 * STEP_LENGTH_M * self._duration / self._length

    @property
    def _length(self) -> float:
        """Length of a walk along which steps are counted, m."""
        return math.hypot(self._far - self._near, self._half_view * (self._far + self._near))

    def _walker(self, slot: int, seconds: float) -> Walker:
        walks = seconds / self._duration + (slot + 0.35) / self._people
        walk = math.floor(walks)
        identity = slot + self._people * walk + 1
        return self._along(identity, walks - walk)

    def _along(self, identity: int, t: float) -> Walker:
        """State of a walk at `t` in [0,1): a quadratic curve with both ends outside the view."""
        rng = np.random.default_rng([self._seed, identity, 3])
        # Alternately from the left and the right, so that people are spread over the image.
        walk, slot = divmod(identity - 1, self._people)
        side = 1 if (walk + slot + self._seed) % 2 else -1
        back = rng.random() < 0.3
        # As fractions of half the view; the whole body is outside at both ends.
        body = 0.45 / self._half_view
        start = side * (1 + body / self._far)
        end = side * (1 if back else -1) * (1 + body / self._near)
        bend = -side * rng.uniform(0.6, 1.2) if back else side * rng.uniform(-0.5, 0.6)
        u = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t * t * end
        du = 2 * (1 - t) * (bend - start) + 2 * t * (end - bend)
        z = self._far + (self._near - self._far) * t
        x = u * self._half_view * z
        dx = du * self._half_view * z + u * self._half_view * (self._near - self._far)
        phase = rng.uniform(0, 2 * math.pi)
        stride = phase + math.pi * t * self._length / STEP_LENGTH_M
        heading = math.atan2(dx, self._far - self._near)
        drift = 0.10 * math.sin(2 * math.pi * t * rng.uniform(1, 2.2) + phase)
        head_turn = max(-0.34, min(0.34, 0.28 * heading + drift))
        return Walker(identity, x, z, heading, stride, head_turn)
