"""The recent positions of tracks, for their motion on the ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from vidan.geometry import Anchor, anchor_points
from vidan.types import Result

from ...formats.ground import GroundPlane
from ..anchors import anchors_visible
from ..columns import Columns
from ..stitching import Rows, TrackMemory
from .motion import Motion, fit_motion
from .track import Moment

MAX_POSITIONS = 64
"""Positions of a track from which its speed is computed."""

BOX_NOISE = 0.02
"""Expected noise of the edges of a box, as a fraction of its size."""

MIN_SPAN = 0.25
"""Time that the positions must span, in windows."""

FAR = 4.0
"""Distance from a place at which an object is not there, in standard deviations of its position."""

TOLERANCE_S = 1e-6
"""Differences of times that are rounding errors, s."""

NEVER_S = -1e9
"""Time of a position that is not known, s; finite, for JSON."""

Floats = npt.NDArray[np.float64]

PLACE = ("x", "y")
CORNERS = ("x1", "y1", "x2", "y2")

COLUMNS = {
    "time": (np.float64, NEVER_S),
    "frame": (np.int64, 0),
    **dict.fromkeys((*PLACE, "noise", *CORNERS), (np.float64, 0.0)),
}
"""The last positions of each track: time, s, frame, place and its noise, m, and box, px."""


class MotionMemory(TrackMemory):
    """What is remembered of tracks, with their positions in the last seconds.

    Args:
        anchor: the point of a box that is on the ground.
        window: how long a position is used, s.
        max_gap: longest time between a track and the one that continues it, s; 0 to join none.
    """

    def __init__(self, anchor: Anchor, window: float, max_gap: float) -> None:
        super().__init__(max_gap)
        self.columns = Columns(COLUMNS, MAX_POSITIONS)
        self._anchor, self._window = anchor, window
        self._slot, self._slot_time = 0, NEVER_S

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {
            "tracks": super().state(),
            "columns": self.columns.state(),
            "slot": self._slot,
            "slot_time": self._slot_time,
        }

    def restore(self, state: Mapping[str, Any], offset: float) -> None:
        """Continue from a state, whose times are changed by `offset` s.

        Raises:
            ValueError: the state is not one of this memory.
        """
        super().restore(state["tracks"], offset)
        self.columns.restore(state["columns"], self)
        self._slot, self._slot_time = int(state["slot"]), float(state["slot_time"]) + offset
        self.columns["time"] += offset

    def update(self, result: Result) -> Rows:
        """Take over a result: see `TrackMemory`."""
        rows = super().update(result)
        self.columns.follow(self)
        return rows

    def remember(self, rows: Rows, result: Result, plane: GroundPlane) -> None:
        """Take over where on the ground tracks (N,) are that were detected in full."""
        now = result.frame.time
        if 0 <= now - self._slot_time < self._window / MAX_POSITIONS - TOLERANCE_S:
            return
        self._slot, self._slot_time = (self._slot + 1) % MAX_POSITIONS, now
        boxes = result.tracks.boxes.astype(np.float64)
        points = anchor_points(boxes, self._anchor)
        places = plane.meters(points)
        noise = plane.noise(points, BOX_NOISE * (boxes[:, 2:] - boxes[:, :2]))
        seen = anchors_visible(result, self._anchor) & (result.tracks.misses == 0)
        seen &= np.isfinite(places[:, 0] * noise)
        values = {"time": np.where(seen, now, NEVER_S), "frame": result.frame.index}
        values |= {"noise": np.where(seen, noise, 0.0)}
        values |= zip(PLACE, np.where(seen, places.T, 0.0), strict=True)
        values |= zip(CORNERS, boxes.T, strict=True)
        for name, value in values.items():
            self.columns[name][self._slot, rows] = value

    def motion(self, rows: Rows, now: float) -> Motion:
        """How tracks (N,) moved on the ground in the window that ends now."""
        return fit_motion(*self._places(rows, now), MIN_SPAN * self._window)

    def moment(self, row: int, time: float) -> Moment:
        """A time, s, with the frame and the box of the nearest position of a track."""
        return self._moment(row, self._nearest(row, time), time)

    def last(self, row: int) -> Moment:
        """When and where a track was last."""
        x1, y1, x2, y2 = self.boxes[row].tolist()
        return Moment(float(self.time[row]), int(self.frame[row]), (x1, y1, x2, y2))

    def stop(self, row: int, now: float) -> Moment:
        """The first position after which a track, which is at rest now, stayed in one place."""
        times, places, noise = (values[0] for values in self._places(np.array([row]), now))
        order = np.argsort(times)[: np.isfinite(times).sum()]
        rest = np.median(places[order[len(order) // 2 :]], axis=0)
        away = np.hypot(*(places[order] - rest).T) > FAR * noise[order]
        slot = order[min(int(np.flatnonzero(away).max(initial=-1)) + 1, len(order) - 1)]
        return self._moment(row, int(slot), float(times[slot]))

    def _moment(self, row: int, slot: int, time: float) -> Moment:
        x1, y1, x2, y2 = (float(self.columns[name][slot, row]) for name in CORNERS)
        return Moment(time, int(self.columns["frame"][slot, row]), (x1, y1, x2, y2))

    def _nearest(self, row: int, time: float) -> int:
        return int(np.argmin(np.abs(self.columns["time"][:, row] - time)))

    def _places(self, rows: Rows, now: float) -> tuple[Floats, Floats, Floats]:
        """Times (N,K), positions (N,K,2), m, and their noise (N,K), m, in the window."""
        times, x, y, noise = (self.columns[name][:, rows].T for name in ("time", *PLACE, "noise"))
        used = (times >= now - self._window - TOLERANCE_S) & (times <= now)
        return np.where(used, times, np.nan), np.stack([x, y], axis=2), noise
