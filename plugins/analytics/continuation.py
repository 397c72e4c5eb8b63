"""How likely new tracks are to continue tracks that ended.

A track leads along a straight line: the box that continues it is near this line, and about as
large. How near is learned from people in MOT17: after a gap of 0.1 s, 99 % of them are within 0.3
box sizes of a line fitted to noisy boxes, after 0.5 s within 0.6. Most new tracks near it after
longer gaps are other people, so the tolerance is less than that.

The camera may move too, and shake. Its motion is the median motion of all tracks, and a track is
also extrapolated relative to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAX_OFFSET = 0.3
"""Largest distance of a new box from the path of the track that it continues, in box sizes."""

MAX_OFFSET_PER_S = 0.3
"""How much larger that distance may be after a gap of one second."""

MAX_OVERSHOOT = 1.5
"""How far along its path an object may be, as a multiple of the distance at constant speed."""

MAX_SHAPE_CHANGE = np.log([1.8, 1.5])
"""Largest change of the width and of the height of a box, as logarithms of their ratios."""

MIN_CAMERA_TRACKS = 3
"""Smallest number of tracks whose median motion is that of the camera."""

CAMERA_SMOOTHING_S = 0.3
"""Time over which the speed of the camera is averaged, s."""


class Ended(NamedTuple):
    """Tracks that ended.

    Attributes:
        boxes: (K,4) the last boxes, px.
        speeds: (K,2) of the bottom centers, px/s.
        gaps: (K,) time since then, s.
        camera: (K,4) where the camera was then, px, and its speed, px/s.
    """

    boxes: Floats
    speeds: Floats
    gaps: Floats
    camera: Floats


class Camera:
    """Follows the motion of the camera by that of all tracks.

    Attributes:
        motion: (4,) how far it made tracks move since the start, px, and how fast, px/s.
    """

    def __init__(self) -> None:
        self.motion = np.zeros(4)

    def follow(self, steps: Floats, seconds: float) -> None:
        """Take over the motion (N,2), px, of all tracks in some time."""
        if len(steps) < MIN_CAMERA_TRACKS or seconds <= 0:
            return
        ordered, half = np.sort(steps, axis=0), len(steps) // 2
        step = (ordered[half] + ordered[-half - 1]) / 2
        self.motion[:2] += step
        self.motion[2:] -= np.expm1(-seconds / CAMERA_SMOOTHING_S) * (
            step / seconds - self.motion[2:]
        )


def continuation_costs(ended: Ended, boxes: Floats, camera: Floats) -> Floats:
    """How badly new boxes (M,4) fit to tracks (K,) that ended: (K,M), at most 1 if well enough.

    Args:
        ended: the tracks.
        boxes: (M,4) first boxes of new tracks.
        camera: (4,) where the camera is now.
    """
    sizes, new_sizes = (np.maximum(b[:, 2:] - b[:, :2], 1.0) for b in (ended.boxes, boxes))
    change = np.log(new_sizes / sizes[:, None]) / MAX_SHAPE_CHANGE
    size = (sizes.sum(axis=1)[:, None] + new_sizes.sum(axis=1)) / 4
    reach = size * (MAX_OFFSET + MAX_OFFSET_PER_S * ended.gaps[:, None])
    offsets = bottoms(boxes) - bottoms(ended.boxes)[:, None]
    moved = camera[:2] - ended.camera[:, :2]
    still = _distances(offsets, ended.speeds * ended.gaps[:, None])
    speeds = ended.speeds - ended.camera[:, 2:]
    moving = _distances(offsets - moved[:, None], speeds * ended.gaps[:, None])
    return np.asarray(np.hypot(np.minimum(still, moving) / reach, np.hypot(*change.T).T))


def bottoms(boxes: Floats) -> Floats:
    """The bottom centers (N,2) of boxes (N,4)."""
    points = boxes[:, 2:].copy()
    points[:, 0] += boxes[:, 0]
    points[:, 0] /= 2
    return points


def _distances(offsets: Floats, steps: Floats) -> Floats:
    """Distances (K,M) of offsets (K,M,2) from the paths that begin with steps (K,2)."""
    length = np.maximum((steps**2).sum(axis=1), 1e-9)[:, None]
    along = np.clip((offsets * steps[:, None]).sum(axis=2) / length, 0.0, MAX_OVERSHOOT)
    rest = offsets - along[..., None] * steps[:, None]
    return np.asarray(np.hypot(rest[..., 0], rest[..., 1]))
