"""A tracker that starts over after a long outage of its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..interfaces import Tracker
from ..outages import Outages
from ..types import Detections, Frame, Tracks
from .coasting import coast


class ResettingTracker:
    """A tracker that starts over after a long outage, and never reuses an id.

    The predictions of a Kalman filter are worthless after seconds without frames: an object near
    the position of an earlier one would get its id.

    Args:
        make: returns a new tracker.
        outages: of the source.
        age: length of an outage from which all tracks are reset, s.
    """

    def __init__(self, make: Callable[[], Tracker], outages: Outages, age: float) -> None:
        self._make = make
        self._outages = outages
        self._age = age
        self._tracker = make()
        self._tracks = Tracks.empty()  # of the last update, with the tracker's own ids
        self._offset = self._highest = 0
        self._last = 0.0  # stream time of the previous frame, s

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this frame."""
        if self._long_outage_before(frame):
            self._tracker = self._make()
            self._offset = self._highest
        self._tracks = self._tracker.update(frame, detections)
        return self._renumbered(self._tracks)

    def coast(self, frame: Frame) -> Tracks:
        """See Coaster."""
        return self._renumbered(coast(self._tracker, frame, self._tracks))

    def _renumbered(self, tracks: Tracks) -> Tracks:
        """The tracks with ids that no earlier tracker used."""
        if not len(tracks):
            return tracks
        ids = tracks.ids + np.int64(self._offset)
        self._highest = max(self._highest, int(ids.max()))
        return replace(tracks, ids=ids) if self._offset else tracks

    def _long_outage_before(self, frame: Frame) -> bool:
        """Whether a long outage ended between the previous frame and this one."""
        now = frame.original.time  # that of outages, which a tracker's clock may leave out
        since, self._last = self._last, now
        lengths = [o.length for o in self._outages.since(since) if o.time < now]
        return any(length is not None and length >= self._age for length in lengths)
