"""People in the ground truth of a sequence: their paths, and whether they can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidan.boxes import xywh_to_xyxy
from vidan.geometry import Floats, anchor_points

from ...formats.mot import BOX, FRAME, ID, VISIBILITY, read_people
from ..tracking.sequences import MotSequence

MIN_VISIBILITY = 0.25
"""Mean visible fraction of a person from which on a counter is expected to count them."""

AROUND_S = 0.5
"""Time before and after a crossing over which visibility is averaged, s."""


@dataclass(frozen=True, eq=False)
class Person:
    """A person in the ground truth.

    Attributes:
        id: of the person.
        frames: (N,) int64, indices of the frames from 0, ascending.
        times: (N,) float64, s.
        boxes: (N,4) float64, xyxy, px.
        visibility: (N,) float64, visible fractions.
    """

    id: int
    frames: np.ndarray[tuple[int], np.dtype[np.int64]]
    times: Floats
    boxes: Floats
    visibility: Floats

    @property
    def anchors(self) -> Floats:
        """The bottom centers (N,2) of the boxes, px."""
        return anchor_points(self.boxes)

    def is_visible(self, start: float, end: float) -> bool:
        """Whether the mean visibility between two times, s, is large enough."""
        within = (self.times >= start) & (self.times <= end)
        return not within.any() or float(self.visibility[within].mean()) >= MIN_VISIBILITY


def read_truth(sequence: MotSequence) -> list[Person]:
    """The people of a sequence with ground truth, by id.

    Raises:
        SourceError: the file cannot be read.
    """
    assert sequence.truth is not None
    rows = read_people(sequence.truth)
    return [
        Person(
            int(number),
            own[:, FRAME].astype(np.int64) - 1,
            (own[:, FRAME] - 1) / sequence.rate,
            np.asarray(xywh_to_xyxy(own[:, BOX]), np.float64),
            own[:, VISIBILITY],
        )
        for number in np.unique(rows[:, ID])
        if len(own := rows[rows[:, ID] == number])
    ]
