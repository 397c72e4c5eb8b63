"""How long tracks that were missed can be trusted, learned from the stream itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .kalman import Rows

LOOKS = 256
"""Misses in a row that are told apart; more count as that many."""

GUESSES, GOOD = 10.0, 3.0
"""What is taken for granted before the stream says otherwise: three good guesses in ten.

A wrong box shown costs as much as a right one gains, so credit is short: with `trust` at
0.25, two guesses that fail end it until others come true.
"""

NEAR = 0.5
"""Least overlap (IoU) of a box foretold and the detection that comes, for a good guess."""


class Coasting:
    """Counts, by the number of misses in a row, how often a track foretold was found again.

    Of a track that comes back near where it was foretold, all boxes foretold since its last
    match were good guesses; of one that never comes back, none was. Their share says whether
    boxes of tracks missed so often are worth showing in this stream: it is high where a
    detector blinks, and low where the camera swings or people walk out of the image.
    """

    def __init__(self) -> None:
        self._guesses = np.zeros(LOOKS)
        self._good = np.zeros(LOOKS)

    def predicted(self, misses: npt.NDArray[np.int64]) -> None:
        """Count the guesses of this look: tracks by their misses (K,), each 1 or more."""
        self._guesses += np.bincount(np.minimum(misses, LOOKS - 1), minlength=LOOKS)

    def found(self, misses: npt.NDArray[np.int64], overlap: npt.NDArray[np.float64]) -> None:
        """Count the tracks that came back, after misses (K,), by overlap (K,) with the guess."""
        good = np.bincount(np.minimum(misses[overlap >= NEAR], LOOKS - 1), minlength=LOOKS)
        self._good[1:] += np.cumsum(good[:0:-1])[::-1]  # all guesses since the last match

    def trust(self, misses: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The share (K,) of good guesses, in [0,1], after misses (K,)."""
        k: Rows = np.minimum(misses, LOOKS - 1)
        return np.asarray((self._good[k] + GOOD) / (self._guesses[k] + GUESSES))
