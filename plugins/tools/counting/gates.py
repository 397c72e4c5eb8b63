"""Gates: lines across the whole image, and how people in the ground truth cross them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vidan.geometry import Floats, anchor_points, signed_distance

from .truth import AROUND_S, Change, Person

Extent = Literal["width", "across"]
"""What the dead band is proportional to: the width of the box, or its extent across the gate."""

Direction = Literal["in", "out"]
"""`in` is to the right, as seen from the first point of a gate facing the second."""


@dataclass(frozen=True, eq=False)
class Gate:
    """A line from one border of the image to the opposite one.

    Attributes:
        name: of the gate.
        points: (2,2), both ends in px.
    """

    name: str
    points: Floats

    @property
    def is_vertical(self) -> bool:
        """Whether it is vertical; horizontal otherwise."""
        return bool(self.points[0, 0] == self.points[1, 0])

    def along(self, point: Sequence[float]) -> float:
        """How far from its first end a point is along the gate, px."""
        axis = 1 if self.is_vertical else 0
        return float(point[axis] - self.points[0, axis])


@dataclass(frozen=True)
class Crossing:
    """A person or track that crossed a gate.

    Attributes:
        gate: name of the gate.
        direction: `in` or `out`.
        time: stream time, s.
        along: how far from the first end of the gate, px.
        identity: of the person or track.
        height: of the box, px.
        visible: whether a counter is expected to count it.
    """

    gate: str
    direction: Direction
    time: float
    along: float
    identity: int
    height: float = 0.0
    visible: bool = True


@dataclass(frozen=True)
class GateSet:
    """Gates by their places, as fractions of the image.

    Attributes:
        vertical: places of vertical gates, fractions of the width.
        horizontal: places of horizontal gates, fractions of the height.
        tolerance: largest difference in time of a true and a counted crossing, s.
        min_visibility: mean visible fraction of a person around a crossing from which on a counter
            is expected to count it.
        reach: largest distance along the gate of a true and a counted crossing, in heights of the
            person.
    """

    vertical: tuple[float, ...]
    horizontal: tuple[float, ...]
    tolerance: float
    min_visibility: float
    reach: float

    def gates(self, size: tuple[int, int]) -> list[Gate]:
        """The gates in an image of a width and height, px."""
        width, height = size
        return [
            *(
                Gate(f"x{part:g}", np.array([[part * width, 0.0], [part * width, height]]))
                for part in self.vertical
            ),
            *(
                Gate(f"y{part:g}", np.array([[0.0, part * height], [width, part * height]]))
                for part in self.horizontal
            ),
        ]


QUARTERS = (0.25, 0.5, 0.75)

GATE_SETS = {
    "vertical": GateSet(QUARTERS, (), 0.5, 0.25, 0.5),
    "six": GateSet(QUARTERS, QUARTERS, 1.0, 0.0, math.inf),
}
"""The sets of gates by name."""


def scene_lines(gates: Iterable[Gate], label: str) -> dict[str, Any]:
    """The gates as `lines` of a scene that counts one label."""
    return {
        gate.name: {
            "from": gate.points[0].tolist(),
            "to": gate.points[1].tolist(),
            "in": "right",
            "labels": [label],
        }
        for gate in gates
    }


def true_crossings(
    people: Iterable[Person],
    gates: Iterable[Gate],
    dead_band: float,
    extent: Extent = "width",
    min_visibility: float = 0.0,
) -> list[Crossing]:
    """The crossings of people through gates.

    The side of a person is known when the distance of the bottom center from the gate exceeds the
    dead band. A crossing is a change of known side, dated where the path last passed the gate.

    Args:
        people: with their paths.
        gates: to cross.
        dead_band: half its width, in extents of the box.
        extent: which extent of the box.
        min_visibility: mean visible fraction within 0.5 s of a visible crossing.
    """
    gates = list(gates)
    return [
        Crossing(
            gate.name,
            "in" if change.positive else "out",
            change.time,
            gate.along(anchor_points(change.box)[0].tolist()),
            person.id,
            float(change.box[3] - change.box[1]),
            person.visible(change.time - AROUND_S, change.time + AROUND_S) >= min_visibility,
        )
        for person in people
        for gate in gates
        for change in _changes(person, gate, dead_band, extent)
    ]


def _changes(person: Person, gate: Gate, dead_band: float, extent: Extent) -> list[Change]:
    distance = signed_distance(person.anchors, *gate.points)
    axis = 0 if gate.is_vertical or extent == "width" else 1
    sizes = person.boxes[:, 2 + axis] - person.boxes[:, axis]
    return person.changes(distance, np.abs(distance) > dead_band * sizes)


def by_gate(crossings: Iterable[Crossing]) -> Mapping[tuple[str, Direction], list[Crossing]]:
    """Crossings by gate and direction."""
    found: dict[tuple[str, Direction], list[Crossing]] = {}
    for crossing in crossings:
        found.setdefault((crossing.gate, crossing.direction), []).append(crossing)
    return found
