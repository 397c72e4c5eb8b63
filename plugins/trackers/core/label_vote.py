"""The class of a track: a vote over the classes of its detections.

A detector's class may flicker on one object (masked, not masked). Each matched detection
votes with its score as the weight. Older votes decay, so about the last twenty count.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

UNCERTAIN = -1
"""Class of a track without a clear vote, and of a detection that does not vote."""
VOTE_DECAY = 0.95
"""Factor on the weight of earlier votes with each new one."""
TAKEOVER_SHARE = 2 / 3
"""Share of the votes that a class needs to become the track's class."""
HOLD_SHARE = 1 / 3
"""Share of the votes that the track's class needs to remain, unless another takes over."""
MIN_VOTE_WEIGHT = 1e-2
"""Weight of a detection with score 0: it still votes."""

Classes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.intp]


class LabelVote:
    """The votes of all tracks of a stream, in parallel arrays.

    Attributes:
        classes: (N,) int32, the class of each track; -1 is uncertain: no class has a third of
            the votes, or all detections had class -1, which does not vote.
    """

    def __init__(self) -> None:
        self.classes: Classes = np.zeros(0, np.int32)
        self._known: Classes = np.zeros(0, np.int32)  # classes seen, ascending: one column each
        self._votes = np.zeros((0, 0))

    def start(self, classes: Classes, scores: npt.NDArray[np.float32]) -> None:
        """Append tracks whose first detections have these classes (K,) and scores (K,)."""
        first = len(self.classes)
        self.classes = np.concatenate([self.classes, np.full_like(classes, UNCERTAIN)])
        added = np.zeros((len(classes), self._votes.shape[1]))
        self._votes = np.concatenate([self._votes, added])
        self.vote(np.arange(first, len(self.classes)), classes, scores)

    def keep(self, rows: npt.NDArray[np.bool_]) -> None:
        """Delete all tracks except those in the mask (N,)."""
        self.classes, self._votes = self.classes[rows], self._votes[rows]

    def vote(self, rows: Rows, classes: Classes, scores: npt.NDArray[np.float32]) -> None:
        """Count one detection for each of the tracks in `rows` (K,), each once.

        Args:
            rows: (K,) tracks.
            classes: (K,) int32, classes of their detections.
            scores: (K,) float32 in [0,1], scores of their detections.
        """
        if len(rows) == 0:
            return
        if len(self._known) == 1 and self._known[0] >= 0 and (classes == self._known[0]).all():
            votes = self._votes[:, 0]
            votes[rows] = votes[rows] * VOTE_DECAY + np.maximum(scores, MIN_VOTE_WEIGHT)
            self.classes[rows] = self._known[0]  # the only class that ever got a vote
            return
        columns = self._columns(classes)
        votes = self._votes[rows] * VOTE_DECAY
        votes[np.arange(len(rows)), columns] += np.maximum(scores, MIN_VOTE_WEIGHT)
        self._votes[rows] = votes
        self.classes[rows] = self._decide(votes, self.classes[rows])

    def _decide(self, votes: npt.NDArray[np.float64], current: Classes) -> Classes:
        """The classes (K,) that follow from votes (K,C) and the current classes (K,)."""
        votes = np.where(self._known >= 0, votes, 0.0)
        total = votes.sum(axis=1)
        best = votes.argmax(axis=1)
        own = np.where(self._known == current[:, None], votes, 0.0).sum(axis=1)
        takeover = (votes[np.arange(len(votes)), best] >= TAKEOVER_SHARE * total) & (total > 0)
        held = np.where(own >= HOLD_SHARE * total, current, UNCERTAIN)
        return np.where(takeover, self._known[best], held).astype(np.int32)

    def _columns(self, classes: Classes) -> Rows:
        """The column of each class (K,), added if it is new."""
        columns = np.searchsorted(self._known, classes)
        seen = columns < len(self._known)
        if not (seen.all() and (self._known[columns] == classes).all()):
            known = np.union1d(self._known, classes).astype(np.int32)
            votes = np.zeros((len(self._votes), len(known)))
            votes[:, np.searchsorted(known, self._known)] = self._votes
            self._known, self._votes = known, votes
            columns = np.searchsorted(known, classes)
        return columns
