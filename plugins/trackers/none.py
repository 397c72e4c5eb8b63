"""No tracking: detections go on without identities."""

from __future__ import annotations

from vidan.types import Detections, Frame, Tracks


class NoTracker:
    """Follows nothing: there are never any tracks, and sinks show the detections alone.

    No identities are made up: an id stands for one object over time, and here nobody
    knows which that is.
    """

    def update(self, frame: Frame, detections: Detections) -> Tracks:  # noqa: ARG002
        """No tracks."""
        return Tracks.empty()
