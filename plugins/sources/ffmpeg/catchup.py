"""Leaving out images that come late while newer ones are there already.

Images wait in sockets, in servers and in demuxers, where nobody sees them. What is seen is
when each came and what its timestamp says: the difference of the two is its transit, and the
shortest transit of late is as fast as this network goes. An image that took longer is late. It
is held back until it is known whether the next one was there already: then only the newer one is
of use, and otherwise the network has become slower, and the late image is the newest there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

from ..timeline import Decoded
from .decode import Skip

LATE = 1.0
"""An image is late by more than this many steps between images, and LEAST_LATE."""

LEAST_LATE = 0.02
"""Less than this is nothing but the unrest of threads, s."""

AT_HAND = 0.25
"""An image that was waited for by less than this many steps was there already."""

STABLE_AFTER = 5
"""After so many late images in a row that were waited for, their transit is the new usual."""

CALM_AT_FIRST = 2
"""The same for the first images of a connection, which come as fast as a server can send."""

LONGEST_STEP = 1.0
"""Images that are further apart do not tell the usual time between them, s."""

STEP_GAIN = 0.1
"""How much of a new step the usual one takes on."""

WINDOW = 15.0
"""The shortest transit of this long, and up to twice as long, is the usual one, s."""

PATIENCE = 1.0
"""At least one image is let through in this time, however late, s."""

SKIP_AFTER = 0.25
"""Late for this long, the decoder leaves out images that no other needs, s."""

KEYS_AFTER = 2.0
"""Late for this long, the decoder leaves out all images but key frames, s."""


class TransitTime:
    """How late images are, in s, by what is usual of late."""

    def __init__(self) -> None:
        self._began = -math.inf
        self._before = self._now = math.inf  # the shortest of the window before, and of this one

    def late(self, stamp: float, arrived: float) -> float:
        """How much later than usual an image of that timestamp arrived, s."""
        if arrived - self._began > WINDOW:
            self._began, self._before, self._now = arrived, self._now, math.inf
        self._now = min(self._now, arrived - stamp)
        return arrived - stamp - min(self._before, self._now)

    def accept(self, stamp: float, arrived: float) -> None:
        """Take what this image took for the usual."""
        self._began, self._before, self._now = arrived, math.inf, arrived - stamp


class Skipping(Protocol):
    """A reader that can leave out images; see Reader."""

    skip: Skip

    def __iter__(self) -> Iterator[Decoded]:
        """The images."""
        ...


class LateFrameFilter:
    """Lets the newest images of a live stream through.

    Args:
        reader: of the images; told what to leave out when they are late for long.
        step: usual time between them, s, until their timestamps tell.
    """

    def __init__(self, reader: Skipping, step: float) -> None:
        self._reader = reader
        self._step = step
        self._stamp: float | None = None  # of the image before, s
        self._transit = TransitTime()
        self._settled = False  # until images have to be waited for, all that come are old
        self._calm = 0
        self._late_since: float | None = None
        self._held_since: float | None = None  # since when none was let through, s

    def __iter__(self) -> Iterator[Decoded]:
        """The images that are of use; what is left out counts as lost."""
        held: Decoded | None = None
        for decoded in self._reader:
            at_hand = decoded.waited < AT_HAND * self._step
            late = self._late(decoded, at_hand)
            self._relieve(late, decoded.arrived)
            if held is not None:
                if at_hand and not self._starving(decoded.arrived):
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

    def _starving(self, now: float) -> bool:
        return self._held_since is not None and now - self._held_since > PATIENCE

    def _late(self, decoded: Decoded, at_hand: bool) -> bool:
        stamp, arrived = decoded.stamp, decoded.arrived
        if stamp is None:
            return False
        self._learn_step(decoded)
        tolerance = max(LATE * self._step, LEAST_LATE)
        late = self._transit.late(stamp, arrived) > tolerance or not self._settled
        self._calm = self._calm + 1 if late and not at_hand else 0
        if self._calm < (STABLE_AFTER if self._settled else CALM_AT_FIRST):
            return late
        self._settled = True
        self._transit.accept(stamp, arrived)
        return False

    def _learn_step(self, decoded: Decoded) -> None:
        """What a camera announces is often wrong, and changes at night."""
        if self._stamp is not None and decoded.stamp is not None and not decoded.lost:
            step = decoded.stamp - self._stamp
            if 0 < step < LONGEST_STEP:
                self._step += STEP_GAIN * (step - self._step)
        self._stamp = decoded.stamp

    def _relieve(self, late: bool, now: float) -> None:
        """Ask less of the decoder the longer it is behind."""
        if not late:
            self._late_since, self._reader.skip = None, "DEFAULT"
            return
        if self._late_since is None:
            self._late_since = now
        behind = now - self._late_since
        if behind > KEYS_AFTER:
            self._reader.skip = "NONKEY"
        elif behind > SKIP_AFTER:
            self._reader.skip = "NONREF"
