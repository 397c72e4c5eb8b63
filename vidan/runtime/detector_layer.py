"""The base of what is put around a detector."""

from __future__ import annotations

from collections.abc import Sequence

from ..interfaces import Batching, Detector, own_labels
from ..support.score_scale import ScoreScale
from ..types import Detections, Frame
from .common_scores import scale_of


class DetectorLayer:
    """A detector that passes everything on to another one, optional parts of it included.

    Args:
        detector: the other one.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Detector`."""
        return self._detector.labels

    @property
    def own_labels(self) -> tuple[tuple[str, ...], ...]:
        """See `RenamesLabels`; its labels if the detector does not rename any."""
        return own_labels(self._detector)

    @property
    def batch(self) -> int:
        """See `Batching`; 1 if the detector is not."""
        return self._detector.batch if isinstance(self._detector, Batching) else 1

    @property
    def score_scale(self) -> ScoreScale | None:
        """See `HasScoreScale`; None if the detector is not."""
        return scale_of(self._detector)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """See `Detector`."""
        return self._detector.detect(frames)

    def close(self) -> None:
        """See `Detector`."""
        self._detector.close()
