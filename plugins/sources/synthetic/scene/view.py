"""How the camera sees the street."""

from __future__ import annotations

from dataclasses import dataclass

from .relief import Array

EYE = 1.86
"""Height of the camera, m."""


@dataclass(frozen=True, slots=True)
class View:
    """How the camera sees.

    Attributes:
        width: of the image, px.
        height: of the image, px.
        focal: focal length, px.
        horizon: y of the horizon, px.
    """

    width: int
    height: int
    focal: float
    horizon: float

    def scale(self, z: float) -> float:
        """Pixels for a meter at distance z, m."""
        return self.focal / z

    def x(self, x: float, z: float) -> float:
        """Where something `x` m right of the middle is at distance z, px."""
        return self.width / 2 + x * self.focal / z

    def ground(self, z: float) -> float:
        """Where the ground is at distance z, px."""
        return self.horizon + EYE * self.focal / z


def put(color: Array, mask: Array, paint: Array) -> None:
    """Paint (3,H,W) where the mask (H,W) is."""
    for plane, tone in zip(color, paint, strict=True):
        plane += mask * (tone - plane)
