"""Ground truth, detections, and a detector that recognizes drawn shapes by their colors."""

from pathlib import Path

import numpy as np

from vidan import Detections
from vidan_training.data.sample import Sample

COLORS = {"square": 0, "disc": 2}
"""The bright channel of each label; the order of the labels differs from that of the data."""


class ColorDetector:
    """Finds the disc and the square of a drawn image.

    Args:
        threshold: minimum score.
        swapped: whether the two labels are swapped.
        square_score: score of the squares.
        alarm_score: score of a false alarm in the top left corner; 0 for none.
        labels: labels of the two, square first.
    """

    def __init__(
        self, threshold: float = 0.5, swapped: bool = False, square_score: float = 0.9,
        alarm_score: float = 0.0, labels: list[str] | None = None,
    ):  # fmt: skip
        self.threshold = threshold
        self.labels = tuple(labels or COLORS)
        self.swapped, self.square_score, self.alarm_score = swapped, square_score, alarm_score
        self.closed = False

    def detect(self, frames):
        return [self._detect_one(frame.rgb().astype(int)) for frame in frames]

    def _detect_one(self, image):
        rows = []
        for label, channel in enumerate(COLORS.values()):
            others = [c for c in range(3) if c != channel]
            y, x = np.nonzero(image[..., channel] - image[..., others].max(axis=2) > 60)
            if len(x):
                score = self.square_score if label == 0 else 0.8
                name = 1 - label if self.swapped else label
                rows.append((x.min(), y.min(), x.max() + 1, y.max() + 1, score, name))
        if self.alarm_score:
            rows.append((0, 0, 4, 4, self.alarm_score, 0))
        table = np.array([r for r in rows if r[4] >= self.threshold], np.float32).reshape(-1, 6)
        table = table[np.argsort(-table[:, 4], kind="stable")]
        return Detections(table[:, :4].copy(), table[:, 4].copy(), table[:, 5].astype(np.int32))

    def close(self):
        self.closed = True


class DetectorWithoutThreshold(ColorDetector):
    """Has neither the option nor the attribute `threshold`."""

    def __init__(self):
        super().__init__()
        del self.threshold

    def detect(self, frames):
        self.threshold = 0.0
        found = super().detect(frames)
        del self.threshold
        return found


class ThresholdDependentDetector(ColorDetector):
    """Returns other labels with a lower threshold."""

    def __init__(self, threshold: float = 0.5):
        super().__init__(threshold, swapped=threshold < 0.5)


def sample(*rows):
    """A sample with rows of class, x1, y1, x2, y2 as ground truth."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Sample(Path("x.jpg"), table[:, 1:], table[:, 0].astype(np.int32))


def found(*rows):
    """Detections from rows of score, class, x1, y1, x2, y2."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, 2:], table[:, 0], table[:, 1].astype(np.int32))
