"""The camera's view of the street: a pinhole camera facing along it."""

from __future__ import annotations

from dataclasses import dataclass

from .relief import Array

CAMERA_HEIGHT_M = 1.86
"""Height of the camera above the ground, m."""


@dataclass(frozen=True, slots=True)
class View:
    """Projection of the scene: x to the right and z away from the camera, m, to pixels.

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
        """Pixels per meter at distance z, m."""
        return self.focal / z

    def x(self, x: float, z: float) -> float:
        """Image x, px, of a point `x` m right of the center at distance z, m."""
        return self.width / 2 + x * self.focal / z

    def ground(self, z: float) -> float:
        """Image y, px, of the ground at distance z, m."""
        return self.horizon + CAMERA_HEIGHT_M * self.focal / z


def blend(color: Array, mask: Array, paint: Array) -> None:
    """Blend paint (3,H,W) or (3,1,1) over `color` (3,H,W) in place, with opacity `mask` (H,W)."""
    for plane, tone in zip(color, paint, strict=True):
        plane += mask * (tone - plane)
