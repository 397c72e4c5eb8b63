"""Whether the camera moves, learned from how far tracks miss their detections together."""

from __future__ import annotations

import numpy as np

from .motion import Array

MOVES_FROM, MOVES_UNTIL = 5.0, 2.0
"""Mean evidence from which on a camera counts as moving, and down to which it still does. On
MOT15, MOT16 and MOT17 the mean over a video is at most 2.4 with static cameras at 25 frames per
second or more, 4.2 at 7 frames per second, and 6.3 to 21 with moving ones."""

WINDOW = 60
"""Updates that the mean covers."""

STARTS_FROM, RECENT = 13.0, 3
"""Mean evidence of about that number of updates from which on a camera has just started to move."""

MAX_EVIDENCE = 15.0
"""Most that one update counts: people may start to walk together."""

PRIOR_EVIDENCE, PRIOR_UPDATES = 1.0, 3
"""What a stream starts with: a static camera, until a few updates say otherwise."""

MIN_DEVIATION = 0.01
"""Smallest deviation of boxes that is assumed, in heights."""

TO_DEVIATION = 1.4826
"""Standard deviation of a normal distribution, in median absolute deviations."""


class MovingCamera:
    """Decides whether shifts that tracks have in common are the camera's.

    With a static camera, the median error of the tracks is noise, or people who accelerate
    together. Shifting tracks by it then keeps their velocities from being learned, so that
    everybody's walking is taken for the camera's for good. The evidence of an update is the square
    of the median error in units of its own standard error.

    Attributes:
        moves: whether the camera moves, as of the last update.
    """

    def __init__(self) -> None:
        self.moves = False
        self._evidence, self._updates = PRIOR_EVIDENCE, PRIOR_UPDATES
        self._recent = PRIOR_EVIDENCE

    def add(self, errors: Array, median: Array, height: float) -> None:
        """Take in an update.

        Args:
            errors: (K,2) of the centers of matched tracks, px.
            median: (2,) of the errors, px.
            height: of a typical box, px.
        """
        deviation = TO_DEVIATION * np.median(np.abs(errors - median), axis=0)
        variance = deviation**2 + (MIN_DEVIATION * height) ** 2
        evidence = float((median**2 / variance).max()) * (len(errors) - 2)
        self._updates = min(self._updates + 1, WINDOW)
        self._evidence += (min(evidence, MAX_EVIDENCE) - self._evidence) / self._updates
        self._recent += (min(evidence, MAX_EVIDENCE) - self._recent) / RECENT
        lasting = self._evidence > (MOVES_UNTIL if self.moves else MOVES_FROM)
        self.moves = lasting or self._recent > STARTS_FROM
