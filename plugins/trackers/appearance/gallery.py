"""Galleries: the latest appearance embeddings of each track."""

from __future__ import annotations

import numpy as np

from .embedders import Array, Features, Rows


class Gallery:
    """The latest embeddings of one track, at most `budget` of them."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._features: Features = np.zeros((0, 0), np.float32)  # a ring buffer once it is full
        self._added = 0

    def __len__(self) -> int:
        return min(self._added, self._budget)

    @property
    def features(self) -> Features:
        """The embeddings (len,D), in no particular order."""
        return self._features[: self._added]

    def add(self, feature: Features) -> None:
        """Add an embedding (D,) of length 1; beyond the budget it replaces the oldest one."""
        capacity = len(self._features)
        if self._added == capacity < self._budget:
            count = min(max(4, capacity), self._budget - capacity)
            free = np.zeros((count, len(feature)), np.float32)
            self._features = np.concatenate([self._features.reshape(capacity, len(feature)), free])
            capacity = len(self._features)
        self._features[self._added % capacity] = feature
        self._added += 1


class Galleries:
    """The galleries of all tracks of a stream, by id."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._galleries: dict[int, Gallery] = {}

    def __len__(self) -> int:
        return len(self._galleries)

    def keep(self, ids: list[int]) -> None:
        """Delete the galleries of all tracks except these."""
        for track in self._galleries.keys() - set(ids):
            del self._galleries[track]

    def add(self, ids: list[int], features: Features) -> None:
        """Add one embedding to each of some tracks; embeddings of length 0 are ignored.

        Args:
            ids: K tracks.
            features: (K,D) float32, of length 1 or 0.
        """
        known = np.any(features, axis=1)
        for track, feature, is_known in zip(ids, features, known, strict=True):
            if is_known:
                gallery = self._galleries.get(track)
                if gallery is None:
                    gallery = self._galleries[track] = Gallery(self._budget)
                gallery.add(feature)

    def distances(self, ids: list[int], features: Features, rows: Rows) -> Array:
        """Cosine distances of pairs of a gallery and an embedding (paper, eq. 2).

        Args:
            ids: K tracks, in any order.
            features: (M,D) float32, of length 1 or 0.
            rows: (K,) row in `features` that each track is compared with.

        Returns:
            (K,) in [0,2], to the nearest embedding in the gallery; infinite for a track
            without a gallery.
        """
        galleries = [self._galleries.get(track) for track in ids]
        largest = max((len(g) for g in galleries if g is not None), default=1)
        cosines = np.full((len(ids), largest), -np.inf, np.float32)
        for gallery, row, out in zip(galleries, rows.tolist(), cosines, strict=True):
            if gallery is not None:
                np.dot(gallery.features, features[row], out=out[: len(gallery)])
        return np.asarray(1.0 - cosines.max(axis=1), np.float64)
