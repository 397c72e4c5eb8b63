"""What tracks looked like: the last vectors of each, to compare detections with."""

from __future__ import annotations

import numpy as np

from .embedders import Array, Features, Rows


class Gallery:
    """The last vectors of one track, at most `budget` of them."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._features: Features = np.zeros((0, 0), np.float32)  # a ring, once it is full
        self._added = 0

    def __len__(self) -> int:
        return min(self._added, self._budget)

    @property
    def features(self) -> Features:
        """The vectors (len,D), in no order."""
        return self._features[: self._added]

    def add(self, feature: Features) -> None:
        """Add a vector (D,) of length 1; beyond the budget it takes the oldest one's place."""
        room = len(self._features)
        if self._added == room < self._budget:
            more = np.zeros((min(max(4, room), self._budget - room), len(feature)), np.float32)
            self._features = np.concatenate([self._features.reshape(room, len(feature)), more])
            room = len(self._features)
        self._features[self._added % room] = feature
        self._added += 1


class Galleries:
    """The galleries of all tracks of a stream, by id."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._of: dict[int, Gallery] = {}

    def __len__(self) -> int:
        return len(self._of)

    def keep(self, ids: list[int]) -> None:
        """Forget all tracks but these."""
        for track in self._of.keys() - set(ids):
            del self._of[track]

    def add(self, ids: list[int], features: Features) -> None:
        """Add a vector (D,) to each of some tracks; those of length 0 say nothing.

        Args:
            ids: K tracks.
            features: (K,D) float32, of length 1 or 0.
        """
        known = np.any(features, axis=1)
        for track, feature, says in zip(ids, features, known, strict=True):
            if says:
                gallery = self._of.get(track)
                if gallery is None:
                    gallery = self._of[track] = Gallery(self._budget)
                gallery.add(feature)

    def distances(self, ids: list[int], features: Features, rows: Rows) -> Array:
        """Cosine distances of pairs of a track and a vector, to its nearest one (paper, eq. 2).

        Args:
            ids: K tracks, in any order.
            features: (M,D) float32, of length 1 or 0.
            rows: (K,) which of the features each is compared with.

        Returns:
            (K,) in [0,2]; infinite for a track nothing is known of.
        """
        galleries = [self._of.get(track) for track in ids]
        deepest = max((len(g) for g in galleries if g is not None), default=1)
        cosines = np.full((len(ids), deepest), -np.inf, np.float32)
        for gallery, row, out in zip(galleries, rows.tolist(), cosines, strict=True):
            if gallery is not None:
                np.dot(gallery.features, features[row], out=out[: len(gallery)])
        return np.asarray(1.0 - cosines.max(axis=1), np.float64)
