"""Tracks in frames that the detector skips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..interfaces import Coaster, Tracker
from ..types import Frame, Tracks


def coast(tracker: Tracker, frame: Frame, last: Tracks) -> Tracks:
    """The tracks as of a frame without detections.

    Args:
        tracker: predicts them if it is a `Coaster`.
        frame: a frame after the last update.
        last: the tracks of the last update, which stay where they were otherwise.
    """
    if isinstance(tracker, Coaster):
        return tracker.coast(frame)
    return replace(last, detection=np.full(len(last), -1, np.int32))
