"""Appearance as a term of the similarity of a track and a detection."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidan.types import Detections, Frame

from .embedders import Appearance, Array, Embedder, Features, Rows
from .gallery import Galleries

Mask = npt.NDArray[np.bool_]

NEUTRAL_DISTANCE = 0.2
"""Cosine distance that does not change the similarity; DeepSORT's limit of a match."""

BUDGET = 100
"""Vectors that are kept for each track."""


class AppearanceTerm:
    """Lowers the similarity of pairs of different appearance, and raises it for equal appearance.

    Args:
        embedder: computes the vectors of detections that come without.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._appearance = Appearance(embedder)
        self._galleries = Galleries(BUDGET)
        self._features: Features | None = None  # of the detections of this update

    def adjusted(
        self,
        frame: Frame,
        detections: Detections,
        high: Mask,
        ids: npt.NDArray[np.int64],
        pairs: tuple[Rows, Rows, Array],
    ) -> tuple[Rows, Rows, Array]:
        """Pairs of tracks and detections with similarities that take appearance into account.

        Args:
            frame: of the detections.
            detections: N of them.
            high: (N,) which are high-scoring: others are embedded only if they touch a track.
            ids: of the tracks.
            pairs: (K,) rows of the tracks, (K,) those of the detections, (K,) similarities.

        Raises:
            ModelError: the vectors differ in length from those of earlier frames.
        """
        tracks, columns, similarities = pairs
        needed = high.copy()
        needed[columns] = True
        self._features = self._appearance.features(frame, detections, np.flatnonzero(needed))
        if self._features is None or len(columns) == 0:
            return pairs
        distances = self._galleries.distances(ids[tracks].tolist(), self._features, columns)
        known = np.isfinite(distances) & np.any(self._features[columns], axis=1)
        gain = np.where(known, NEUTRAL_DISTANCE - np.where(known, distances, 0.0), 0.0)
        return tracks, columns, similarities + gain

    def learn(
        self, ids: npt.NDArray[np.int64], detection: npt.NDArray[np.int32], high: Mask
    ) -> None:
        """Remember the appearance of the tracks, from their high-scoring detections of this update.

        Args:
            ids: of all tracks.
            detection: (M,) row of the detection of each track; -1 if there is none.
            high: (N,) which detections are high-scoring.
        """
        self._galleries.keep(ids.tolist())
        if self._features is not None:
            rows = np.flatnonzero(detection >= 0)
            rows = rows[high[detection[rows]]]
            self._galleries.add(ids[rows].tolist(), self._features[detection[rows]])
