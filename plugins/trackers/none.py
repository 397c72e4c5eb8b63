"""No tracking: detections pass without identities."""

from __future__ import annotations

from vidan.types import Detections, Frame, Tracks


class NoTracker:
    """Returns no tracks; sinks show the detections alone.

    It does not assign ids: an id stands for one object over time, and nothing here
    establishes that.
    """

    def update(self, frame: Frame, detections: Detections) -> Tracks:  # noqa: ARG002
        """No tracks."""
        return Tracks.empty()
