"""True crossings of gates, on paths whose crossings are known."""

import numpy as np
import pytest

from vidan_plugins.tools.counting.gates import GATE_SETS, true_crossings
from vidan_plugins.tools.counting.truth import Person

SIZE = (400, 300)
GATES = GATE_SETS["six"].gates(SIZE)
VERTICAL = GATE_SETS["vertical"].gates(SIZE)


def person(xs, y=200.0, visibility=1.0, width=20.0, height=40.0):
    """A person whose bottom center is at these x at 10 frames per second."""
    xs, ys = np.broadcast_arrays(np.asarray(xs, float), np.asarray(y, float))
    boxes = np.stack([xs - width / 2, ys - height, xs + width / 2, ys], axis=1)
    frames = np.arange(len(xs))
    return Person(1, frames, frames / 10, boxes, np.broadcast_to(visibility, len(xs)).astype(float))


def crossings(path, gates=VERTICAL, dead_band=0.15, extent="width"):
    found = true_crossings([path], gates, dead_band, extent)
    return [(c.gate, c.direction, pytest.approx(c.time)) for c in found]


def test_gates_reach_from_border_to_border():
    assert [gate.name for gate in GATES] == ["x0.25", "x0.5", "x0.75", "y0.25", "y0.5", "y0.75"]
    assert GATES[0].points.tolist() == [[100, 0], [100, 300]]
    assert GATES[3].points.tolist() == [[0, 75], [400, 75]]
    assert [gate.along((30, 40)) for gate in (GATES[0], GATES[3])] == [40, 30]


def test_a_crossing_is_dated_between_two_frames():
    # from 95 to 105: at 100 half way between frames 1 and 2; facing down, the left is "out"
    assert crossings(person([85, 95, 105, 115])) == [("x0.25", "out", 0.15)]
    assert crossings(person([115, 105, 95, 85])) == [("x0.25", "in", 0.15)]


def test_a_crossing_is_dated_where_the_path_last_passed_the_gate():
    assert crossings(person([90, 102, 98, 101, 110])) == [("x0.25", "out", 0.2 + 0.1 * 2 / 3)]


def test_who_turns_back_in_the_dead_band_does_not_cross():
    # The dead band is 0.15 * 20 = 3 px wide on both sides.
    assert crossings(person([90, 102.9, 90])) == []
    assert len(crossings(person([90, 103.1, 90]))) == 2
    assert len(crossings(person([90, 102.9, 90]), dead_band=0.05)) == 2


def test_the_dead_band_of_a_horizontal_gate():
    # Width 20, height 40: the dead band is 3 px, or 6 px across the gate.
    path = person([50, 50, 50], y=[140.0, 155.0, 140.0])
    assert len(crossings(path, GATES)) == 2
    assert crossings(path, GATES, extent="across") == []


def test_a_person_below_the_image_crosses_too():
    (found,) = true_crossings([person([90, 110], y=330.0)], VERTICAL, 0.15)
    assert found.along == 330
    assert found.height == 40


def test_a_crossing_is_visible_by_the_mean_around_it():
    # 21 frames; the crossing at 1.0 s; within 0.5 s of it are 11 frames, visible or not.
    xs = np.linspace(50, 150, 21)
    for inside, outside, expected in ((0.3, 0.0, True), (0.2, 1.0, False)):
        visibility = np.full(21, outside)
        visibility[5:16] = inside
        path = person(xs, visibility=visibility)
        (found,) = true_crossings([path], VERTICAL, 0.15, min_visibility=0.25)
        assert found.visible is expected
