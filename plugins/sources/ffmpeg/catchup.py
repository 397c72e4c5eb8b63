"""Dropping images of a live stream that arrive late while newer ones are already waiting.

Images queue up in sockets, servers and demuxers, out of sight. What can be observed is when each
arrived and its timestamp: the difference is its transit time, and the shortest recent transit
time is the best that this network does. An image that took longer is late. It is held back until
it is known whether the next one was already waiting: if so, only the newer one is useful; if not,
the network has become slower, and the late image is the newest there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

from .decode import DecodedImage, Skip

LATE_AFTER_INTERVALS = 1.0
"""An image is late if it is behind by more than this many frame intervals ..."""

MIN_LATENESS_S = 0.02
"""... and by more than this, s: less is scheduling jitter."""

QUEUED_BELOW_INTERVALS = 0.25
"""An image that took less than this many frame intervals to read was already waiting."""

STABLE_AFTER = 5
"""After this many consecutive late images that were not queued, their transit time is normal."""

STABLE_AFTER_CONNECTING = 2
"""The same at the start of a connection, where old images arrive as fast as a server sends."""

MAX_FRAME_INTERVAL_S = 1.0
"""Longer gaps between timestamps are not used to learn the frame interval, s."""

FRAME_INTERVAL_GAIN = 0.1
"""Weight of a new frame interval in the running average."""

TRANSIT_WINDOW_S = 15.0
"""The minimum transit time is taken over the last one to two windows of this length, s."""

MAX_HELD_S = 1.0
"""At least one image passes in this time, however late, s."""

SKIP_NONREF_AFTER_S = 0.25
"""After being late for this long, the decoder skips images that no other refers to, s."""

SKIP_NONKEY_AFTER_S = 2.0
"""After being late for this long, the decoder skips everything but key frames, s."""


class TransitTime:
    """How much longer than recently an image took to arrive."""

    def __init__(self) -> None:
        self._window_start = -math.inf
        self._previous_min = self._current_min = math.inf  # of the windows, s

    def lateness(self, pts: float, arrived: float) -> float:
        """Transit time of an image above the recent minimum, s."""
        if arrived - self._window_start > TRANSIT_WINDOW_S:
            self._window_start = arrived
            self._previous_min, self._current_min = self._current_min, math.inf
        self._current_min = min(self._current_min, arrived - pts)
        return arrived - pts - min(self._previous_min, self._current_min)

    def accept(self, pts: float, arrived: float) -> None:
        """Take the transit time of this image as the new minimum."""
        self._window_start = arrived
        self._previous_min, self._current_min = math.inf, arrived - pts


class SkippingReader(Protocol):
    """A reader whose decoder can skip images, such as VideoReader."""

    skip: Skip

    def __iter__(self) -> Iterator[DecodedImage]:
        """The images."""
        ...


class LateFrameFilter:
    """Passes the newest images of a live stream.

    Args:
        reader: of the images; told to skip some when they have been late for long.
        frame_interval: usual time from one image to the next, s, until timestamps tell.
    """

    def __init__(self, reader: SkippingReader, frame_interval: float) -> None:
        self._reader = reader
        self._frame_interval = frame_interval
        self._pts: float | None = None  # of the previous image, s
        self._transit = TransitTime()
        self._caught_up = False  # until images have to be waited for, all of them are old
        self._stable_count = 0
        self._late_since: float | None = None
        self._held_since: float | None = None  # since when no image has passed, s

    def __iter__(self) -> Iterator[DecodedImage]:
        """The images that pass; those that were dropped count as lost."""
        held: DecodedImage | None = None
        for decoded in self._reader:
            queued = decoded.waited < QUEUED_BELOW_INTERVALS * self._frame_interval
            late = self._is_late(decoded, queued)
            self._set_skip(late, decoded.arrived)
            if held is not None:
                if queued and not self._held_too_long(decoded.arrived):
                    decoded = decoded._replace(lost=decoded.lost + held.lost + 1)
                else:
                    self._held_since = None
                    yield held
            held = decoded if late else None
            if held is None:
                self._held_since = None
                yield decoded
            elif self._held_since is None:
                self._held_since = decoded.arrived
        if held is not None:
            yield held

    def _held_too_long(self, now: float) -> bool:
        return self._held_since is not None and now - self._held_since > MAX_HELD_S

    def _is_late(self, decoded: DecodedImage, queued: bool) -> bool:
        pts, arrived = decoded.pts, decoded.arrived
        if pts is None:
            return False
        self._learn_frame_interval(decoded)
        tolerance = max(LATE_AFTER_INTERVALS * self._frame_interval, MIN_LATENESS_S)
        late = self._transit.lateness(pts, arrived) > tolerance or not self._caught_up
        self._stable_count = self._stable_count + 1 if late and not queued else 0
        if self._stable_count < (STABLE_AFTER if self._caught_up else STABLE_AFTER_CONNECTING):
            return late
        self._caught_up = True
        self._transit.accept(pts, arrived)
        return False

    def _learn_frame_interval(self, decoded: DecodedImage) -> None:
        """From timestamps: the rate that cameras announce is often wrong, and changes at night."""
        if self._pts is not None and decoded.pts is not None and not decoded.lost:
            interval = decoded.pts - self._pts
            if 0 < interval < MAX_FRAME_INTERVAL_S:
                self._frame_interval += FRAME_INTERVAL_GAIN * (interval - self._frame_interval)
        self._pts = decoded.pts

    def _set_skip(self, late: bool, now: float) -> None:
        """Make the decoder skip more the longer it has been late."""
        if not late:
            self._late_since, self._reader.skip = None, "DEFAULT"
            return
        if self._late_since is None:
            self._late_since = now
        late_for = now - self._late_since
        if late_for > SKIP_NONKEY_AFTER_S:
            self._reader.skip = "NONKEY"
        elif late_for > SKIP_NONREF_AFTER_S:
            self._reader.skip = "NONREF"
