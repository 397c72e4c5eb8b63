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
    """A tracker that knows nobody again after a long outage, and uses no identity twice.

    What a Kalman filter expects is worth little after seconds of darkness: whoever stands
    where somebody was would be taken for them.

    Args:
        make: makes a tracker, each time a new one is needed.
        outages: of the source.
        age: the shortest outage after which all are new, s.
    """

    def __init__(self, make: Callable[[], Tracker], outages: Outages, age: float) -> None:
        self._make = make
        self._outages = outages
        self._age = age
        self._tracker = make()
        self._tracks = Tracks.empty()  # of the last look, as the tracker numbers them
        self._offset = self._highest = 0
        self._last = 0.0  # stream time of the frame before, s

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
        """With ids that no tracker before used."""
        if not len(tracks):
            return tracks
        ids = tracks.ids + np.int64(self._offset)
        self._highest = max(self._highest, int(ids.max()))
        return replace(tracks, ids=ids) if self._offset else tracks

    def _long_outage_before(self, frame: Frame) -> bool:
        """Whether one came to its end between the frame before and this one."""
        since, self._last = self._last, frame.time
        lengths = [o.length for o in self._outages.since(since) if o.time < frame.time]
        return any(length is not None and length >= self._age for length in lengths)
