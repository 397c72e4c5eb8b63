"""People in the ground truth of a sequence: their paths, and whether they can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.boxes import xywh_to_xyxy
from vidan.geometry import Floats, anchor_points

from ...formats.mot import BOX, FRAME, ID, VISIBILITY, read_people
from ..tracking.sequences import MotSequence

AROUND_S = 0.5
"""Time before and after a crossing over which visibility is averaged, s."""


class Change(NamedTuple):
    """When someone passed a border: the time, s, the box (4,), px, and the side from then on."""

    time: float
    box: Floats
    positive: bool


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
    frames: npt.NDArray[np.int64]
    times: Floats
    boxes: Floats
    visibility: Floats

    @property
    def anchors(self) -> Floats:
        """The bottom centers (N,2) of the boxes, px."""
        return anchor_points(self.boxes)

    def visible(self, start: float, end: float) -> float:
        """Mean visible fraction between two times, s; 1 if there is no box."""
        within = (self.times >= start) & (self.times <= end)
        return float(self.visibility[within].mean()) if within.any() else 1.0

    def changes(self, distance: Floats, known: npt.NDArray[np.bool_]) -> list[Change]:
        """When this person went from one side of a border to the other.

        Args:
            distance: (N,) of each box from the border, at least 0 on one side.
            known: (N,) whether the side of each box is known.
        """
        side = distance >= 0
        return [
            self._change(distance, before, after)
            for before, after in pairwise(np.flatnonzero(known).tolist())
            if side[before] != side[after]
        ]

    def _change(self, distance: Floats, before: int, after: int) -> Change:
        """The change between two boxes, where the path last passed the border."""
        side = distance[before : after + 1] >= 0
        n = before + int(np.flatnonzero(side[1:] != side[:-1])[-1])
        part = distance[n] / (distance[n] - distance[n + 1])
        time, box = (v[n] + part * (v[n + 1] - v[n]) for v in (self.times, self.boxes))
        return Change(float(time), box, bool(side[-1]))


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
