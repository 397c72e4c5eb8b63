"""Where everybody is at any frame: worked out from the frame's index alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

NEAR, FAR = 3.5, 7.6
"""Distances from the camera between which people walk at size 1, m."""

WALK = 7.5
"""How long somebody is in the scene at size 1 and speed 1, s."""

STEP = 0.68
"""Length of a step, m."""


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody in the scene.

    Attributes:
        identity: from 1; unique.
        x: right of the camera, m.
        z: from the camera, m.
        heading: from straight towards the camera, to the right, rad.
        stride: phase of the walk, rad; a full turn is two steps.
        glance: how far the head is turned from the camera, to the right, rad.
    """

    identity: int
    x: float
    z: float
    heading: float
    stride: float
    glance: float


class Paths:
    """The walks of all people.

    There are as many places as people; in each, one walk follows another. All walks last
    equally long and come equally fast towards the camera, and the places are evenly apart in
    time, so that people never stand at the same distance: none walks through another.

    Args:
        people: how many are in the scene at a time.
        seconds: how long a walk lasts.
        near: where walks end, m from the camera.
        far: where they begin, m.
        half_view: half the width that the camera sees, m for each m of distance.
        seed: of all paths.
    """

    def __init__(
        self,
        people: int,
        seconds: float,
        near: float,
        far: float,
        half_view: float,
        seed: int,
    ) -> None:
        self._people = people
        self._seconds = seconds
        self._near, self._far = near, far
        self._half_view = half_view
        self._seed = seed

    def at(self, seconds: float) -> list[Walker]:
        """Everybody in the scene at a time, s; the farthest first."""
        walkers = [self._walker(place, seconds) for place in range(self._people)]
        return sorted(walkers, key=lambda walker: -walker.z)

    def _walker(self, place: int, seconds: float) -> Walker:
        turns = seconds / self._seconds + (place + 0.35) / self._people
        walk = math.floor(turns)
        identity = place + self._people * walk + 1
        return self._along(identity, turns - walk)

    def _along(self, identity: int, t: float) -> Walker:
        """A walk's state at `t` in [0,1): a quadratic curve from one side to a side."""
        rng = np.random.default_rng([self._seed, identity, 3])
        # From the left and from the right in turn, so that people are spread over the image.
        walk, place = divmod(identity - 1, self._people)
        side = 1 if (walk + place + self._seed) % 2 else -1
        back = rng.random() < 0.3
        # In shares of half the view; the body must be out of sight at both ends.
        body = 0.45 / self._half_view
        start = side * (1 + body / self._far)
        end = side * (1 if back else -1) * (1 + body / self._near)
        bend = -side * rng.uniform(0.6, 1.2) if back else side * rng.uniform(-0.5, 0.6)
        u = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t * t * end
        du = 2 * (1 - t) * (bend - start) + 2 * t * (end - bend)
        z = self._far + (self._near - self._far) * t
        x = u * self._half_view * z
        dx = du * self._half_view * z + u * self._half_view * (self._near - self._far)
        length = math.hypot(
            (self._far - self._near), 2 * self._half_view * (self._far + self._near) / 2
        )
        phase = rng.uniform(0, 2 * math.pi)
        stride = phase + math.pi * t * length / STEP
        heading = math.atan2(dx, self._far - self._near)
        look = 0.10 * math.sin(2 * math.pi * t * rng.uniform(1, 2.2) + phase)
        glance = max(-0.34, min(0.34, 0.28 * heading + look))
        return Walker(identity, x, z, heading, stride, glance)
