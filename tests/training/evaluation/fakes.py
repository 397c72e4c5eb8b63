"""A detector for the drawn images, which knows discs and squares by their colors."""

import numpy as np

from vidan import Detections

COLORS = {"square": 0, "disc": 2}
"""The channel that is bright: labels in another order than in the data."""


class ByColor:
    """Finds the disc and the square of a drawn image.

    Args:
        threshold: least score.
        swapped: calls each by the other's name.
        shy: score of the squares.
        alarms: a false alarm of this score in the top left corner; 0 for none.
        labels: names of the two, square first.
    """

    def __init__(
        self, threshold: float = 0.5, swapped: bool = False, shy: float = 0.9,
        alarms: float = 0.0, labels: list[str] | None = None,
    ):  # fmt: skip
        self.threshold = threshold
        self.labels = tuple(labels or COLORS)
        self.swapped, self.shy, self.alarms = swapped, shy, alarms
        self.closed = False

    def detect(self, frames):
        return [self._one(frame.rgb().astype(int)) for frame in frames]

    def _one(self, image):
        rows = []
        for label, channel in enumerate(COLORS.values()):
            others = [c for c in range(3) if c != channel]
            y, x = np.nonzero(image[..., channel] - image[..., others].max(axis=2) > 60)
            if len(x):
                score = self.shy if label == 0 else 0.8
                name = 1 - label if self.swapped else label
                rows.append((x.min(), y.min(), x.max() + 1, y.max() + 1, score, name))
        if self.alarms:
            rows.append((0, 0, 4, 4, self.alarms, 0))
        table = np.array([r for r in rows if r[4] >= self.threshold], np.float32).reshape(-1, 6)
        table = table[np.argsort(-table[:, 4], kind="stable")]
        return Detections(table[:, :4].copy(), table[:, 4].copy(), table[:, 5].astype(np.int32))

    def close(self):
        self.closed = True


class NoThreshold(ByColor):
    """Has neither the option nor the attribute."""

    def __init__(self):
        super().__init__()
        del self.threshold
        self._all = True

    def detect(self, frames):
        self.threshold = 0.0
        found = super().detect(frames)
        del self.threshold
        return found


class Fickle(ByColor):
    """Says other things with a lower threshold."""

    def __init__(self, threshold: float = 0.5):
        super().__init__(threshold, swapped=threshold < 0.5)
