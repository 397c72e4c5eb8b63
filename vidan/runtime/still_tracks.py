"""The tracks of a stream while nothing moves."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from ..boxes import iou
from ..types import Tracks

UPDATES = 8
"""Updates whose tracks are kept: so often is an object that is there hardly missed in turn."""

SAME_IOU = 0.5
"""IoU from which on two tracks are the same object, which has got another id."""


class StillTracks:
    """Keeps what the tracker reported since the last motion.

    An object cannot leave without moving. If the last detection missed it, as a detector does now
    and then, its track is taken from an update before.
    """

    def __init__(self) -> None:
        self._latest: deque[Tracks] = deque(maxlen=UPDATES)
        self._known: Tracks | None = None

    def add(self, tracks: Tracks, *, moves: bool) -> None:
        """Add the tracks of an update; forget those before it if something moves in its frame."""
        if moves:
            self._latest.clear()
        self._latest.append(tracks)
        self._known = None

    def tracks(self) -> Tracks:
        """The tracks of the last update, followed by those that only the updates before it have."""
        if self._known is None:
            self._known = Tracks.empty()
            for updates, tracks in enumerate(reversed(self._latest)):
                self._known = _joined(self._known, tracks, updates)
        return self._known


def _joined(newer: Tracks, older: Tracks, updates: int) -> Tracks:
    """Newer tracks, and those of a number of updates before that are none of them."""
    if not updates:
        return older
    same = np.isin(older.ids, newer.ids)
    if len(newer) and len(older):
        same |= iou(older.boxes, newer.boxes).max(axis=1) >= SAME_IOU
    missed = older[~same]
    none = np.full(len(missed), -1, np.int32)
    missed = replace(missed, misses=missed.misses + np.int32(updates), detection=none)
    names = ("ids", "boxes", "scores", "classes", "misses", "detection")
    pairs = {name: (getattr(newer, name), getattr(missed, name)) for name in names}
    return Tracks(**{name: np.concatenate(pair) for name, pair in pairs.items()})
