"""A tracker whose ids continue after those of an earlier run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..interfaces import Tracker
from ..types import Detections, Frame, Tracks
from .coasting import coast


class ContinuedIds:
    """A tracker whose ids are higher than all ids of the run that it continues.

    Args:
        tracker: whose first id is 1.
        last_id: highest id of the earlier run.
    """

    def __init__(self, tracker: Tracker, last_id: int) -> None:
        self._tracker = tracker
        self._last_id = np.int64(last_id)
        self._tracks = Tracks.empty()  # of the last update, with the tracker's own ids

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this frame."""
        self._tracks = self._tracker.update(frame, detections)
        return self._renumbered(self._tracks)

    def coast(self, frame: Frame) -> Tracks:
        """See Coaster."""
        return self._renumbered(coast(self._tracker, frame, self._tracks))

    def _renumbered(self, tracks: Tracks) -> Tracks:
        return replace(tracks, ids=tracks.ids + self._last_id)
