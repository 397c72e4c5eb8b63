"""A tracker that gets the scores of any model on the common scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..interfaces import Detector, HasScoreScale, Tracker
from ..support.score_scale import COMMON, ScoreScale
from ..types import Detections, Frame, Tracks
from .coasting import coast
from .score_evidence import ScoreEvidence


def on_common_scale(tracker: Tracker, scale: ScoreScale | None) -> Tracker:
    """The tracker, for detections with scores of a scale; None for one that is not known."""
    return tracker if scale == COMMON else CommonScores(tracker, scale)


def scale_of(detector: Detector) -> ScoreScale | None:
    """The scale of a detector's scores; None if it does not know it."""
    return detector.score_scale if isinstance(detector, HasScoreScale) else None


class CommonScores:
    """A tracker whose detections and tracks have the scores of a model.

    Args:
        tracker: whose thresholds are meant for the common scale.
        scale: of the model; None to estimate it from the stream.
    """

    def __init__(self, tracker: Tracker, scale: ScoreScale | None) -> None:
        self._tracker = tracker
        self._evidence = ScoreEvidence() if scale is None else None
        self._scale = scale or ScoreScale()
        self._tracks = Tracks.empty()  # of the last update, with common scores

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this frame."""
        if self._evidence is not None:
            self._evidence.add(detections)
            self._scale = self._evidence.scale
        common = replace(detections, scores=self._scale.to_common(detections.scores))
        self._tracks = self._tracker.update(frame, common)
        return self._with_model_scores(self._tracks, detections)

    def coast(self, frame: Frame) -> Tracks:
        """See Coaster."""
        return self._with_model_scores(coast(self._tracker, frame, self._tracks))

    def _with_model_scores(self, tracks: Tracks, detections: Detections | None = None) -> Tracks:
        scores = self._scale.to_model(tracks.scores)
        if detections is not None:  # exactly those of the matched detections
            matched = np.flatnonzero(tracks.detection >= 0)
            scores[matched] = detections.scores[tracks.detection[matched]]
        return replace(tracks, scores=scores)
