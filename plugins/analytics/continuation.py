"""How likely new tracks are to continue tracks that ended.

A track leads along a straight line: the box that continues it is near this line, and about as
large. How near is learned from people in MOT17: after a gap of 0.1 s, 99 % of them are within 0.3
box sizes of a line fitted to noisy boxes, after 0.5 s within 0.6. Most new tracks near it after
longer gaps are other people, so the tolerance is less than that.

The camera may move too, and shake. Its motion is the median motion of all tracks, and a track is
also extrapolated relative to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

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


NEVER_S = 1e12
"""A time before (negative) or after any stream, s; finite, for JSON."""

KEPT_S = 3.0
"""Time for which boxes are kept, for the motion of the camera, s."""


class _Boxes(NamedTuple):
    """The boxes (N,4) of all tracks of a frame, px."""

    time: float
    ids: npt.NDArray[np.int64]
    boxes: npt.NDArray[Any]


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

    The motion is how far the camera made tracks move since the start, px, and how fast, px/s. It is
    computed only when it is needed, from the boxes of the last `KEPT_S`.
    """

    def __init__(self) -> None:
        self._noted: deque[_Boxes] = deque()  # the first one has been followed
        self._motions = deque([(-NEVER_S, np.zeros(4))])  # since which time, s

    def note(self, time: float, ids: npt.NDArray[np.int64], boxes: npt.NDArray[Any]) -> None:
        """Take over the boxes (N,4) of all tracks of a frame."""
        self._noted.append(_Boxes(time, ids, boxes))
        while abs(time - self._noted[0].time) > KEPT_S:
            self._noted.popleft()

    def motions(self, times: Floats) -> Floats:
        """The motion (K,4) at the times (K,) of frames in the last `KEPT_S`."""
        self._follow()
        known = np.array([time for time, _ in self._motions])
        index = np.searchsorted(known, times, side="right").clip(min=1) - 1
        return np.asarray(np.array([motion for _, motion in self._motions])[index])

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        self._follow()
        return {
            "motions": [[time, *motion.tolist()] for time, motion in self._motions],
            "last": [[b.time, b.ids.tolist(), b.boxes.tolist()] for b in self._noted],
        }

    def restore(self, state: Mapping[str, Any], offset: float) -> None:
        """Continue from a state, whose times are changed by `offset` s."""
        self._motions = deque((time + offset, np.array(rest)) for time, *rest in state["motions"])
        self._noted = deque(
            _Boxes(time + offset, np.array(ids, np.int64), np.array(boxes).reshape(-1, 4))
            for time, ids, boxes in state["last"]
        )

    def _follow(self) -> None:
        """Compute the motion in all frames since the last call."""
        while len(self._noted) > 1:
            last, boxes = self._noted.popleft(), self._noted[0]
            motion = self._motions[-1][1].copy()
            _, old, new = np.intersect1d(last.ids, boxes.ids, return_indices=True)
            _move(
                motion,
                bottoms(boxes.boxes[new].astype(float)) - bottoms(last.boxes[old].astype(float)),
                boxes.time - last.time,
            )
            self._motions.append((boxes.time, motion))
        while abs(self._motions[-1][0] - self._motions[0][0]) > KEPT_S:
            self._motions.popleft()


def _move(motion: Floats, steps: Floats, seconds: float) -> None:
    """Change the motion (4,) by that (N,2), px, of all tracks in some time."""
    if len(steps) < MIN_CAMERA_TRACKS or seconds <= 0:
        return
    ordered, half = np.sort(steps, axis=0), len(steps) // 2
    step = (ordered[half] + ordered[-half - 1]) / 2
    motion[:2] += step
    motion[2:] -= np.expm1(-seconds / CAMERA_SMOOTHING_S) * (step / seconds - motion[2:])


def continuation_costs(ended: Ended, boxes: Floats, camera: Floats) -> Floats:
    """How badly new boxes (M,4) fit to tracks (K,) that ended: (K,M), at most 1 if well enough.

    Of several that fit well enough, one that moved on as before fits better than one that stopped:
    else two objects that meet would turn back.

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
    costs = np.hypot(np.minimum(still, moving) / reach, np.hypot(*change.T).T)
    ahead = offsets - (ended.speeds * ended.gaps[:, None])[:, None]
    surprise = np.hypot(ahead[..., 0], ahead[..., 1]) / reach
    return np.asarray(np.where(costs <= 1, (costs + np.minimum(surprise, 1.0)) / 2, costs))


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
