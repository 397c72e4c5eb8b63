"""Where tracks are in frames that no detector looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..interfaces import Coaster, Tracker
from ..types import Frame, Tracks


def coast(tracker: Tracker, frame: Frame, last: Tracks) -> Tracks:
    """The tracks as of a frame without a look.

    Args:
        tracker: says where it expects them, if it is a `Coaster`.
        frame: after the last look.
        last: the tracks of the last look; where they were stays the best guess otherwise.
    """
    if isinstance(tracker, Coaster):
        return tracker.coast(frame)
    return replace(last, detection=np.full(len(last), -1, np.int32))
