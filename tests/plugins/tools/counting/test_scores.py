"""Matching of counted and true crossings, and the figures that result."""

import pytest

from vidan_plugins.tools.counting.gates import Crossing
from vidan_plugins.tools.counting.scores import score


def true(time, along=100.0, identity=1, gate="a", direction="in", visible=True):
    return Crossing(gate, direction, time, along, identity, 40.0, visible)


def counted(time, along=100.0, identity=1, gate="a", direction="in"):
    return Crossing(gate, direction, time, along, identity)


def figures(expected, found, tolerance=0.5):
    result = score(expected, found, tolerance)
    return len(result.pairs), len(result.missed), len(result.wrong)


def test_a_crossing_within_the_tolerances_is_right():
    assert figures([true(1.0)], [counted(1.5, 120.0)]) == (1, 0, 0)
    assert figures([true(1.0)], [counted(1.51)]) == (0, 1, 1)
    assert figures([true(1.0)], [counted(1.0, 120.5)]) == (0, 1, 1)
    assert figures([true(1.0)], [counted(1.0, direction="out")]) == (0, 1, 1)
    assert figures([true(1.0)], [counted(1.0, gate="b")]) == (0, 1, 1)


def test_a_crossing_counted_twice_is_wrong_once():
    assert figures([true(1.0)], [counted(1.0), counted(1.1)]) == (1, 0, 1)


def test_as_many_pairs_as_possible_are_found():
    # The nearest pair, 1.4 and 1.5, would leave 1.0 and 1.9 without a partner.
    assert figures([true(1.0), true(1.5)], [counted(1.4), counted(1.9)]) == (2, 0, 0)


def test_crossings_of_invisible_people_are_ignored():
    result = score([true(1.0, visible=False), true(5.0)], [counted(1.0), counted(5.0)], 0.5)
    assert (result.true, result.counted, result.ignored, result.invisible) == (1, 1, 1, 1)
    assert result.summary()["count_error"] == 0
    missed = score([true(1.0, visible=False), true(5.0)], [counted(5.0)], 0.5).summary()
    assert missed["recall"] == 1
    assert missed["count_error"] == 0
    assert missed["count_error_with_invisible"] == 0.5


def test_the_figures_of_two_sequences_add_up():
    one = score([true(1.0), true(3.0)], [counted(1.1)], 0.5)
    other = score([true(1.0)], [counted(1.3), counted(9.0)], 0.5)
    summary = (one + other).summary()
    assert (summary["true"], summary["counted"], summary["matched"]) == (3, 3, 2)
    assert summary["precision"] == summary["recall"] == summary["f1"] == pytest.approx(2 / 3)
    assert summary["time_error"] == pytest.approx(0.2)
    assert summary["count_error"] == pytest.approx(2 / 3)  # one too few, one too many


def test_errors_of_one_direction_do_not_cancel_those_of_the_other():
    result = score([true(1.0)], [counted(1.0, direction="out")], 0.5).summary()
    assert (result["true"], result["counted"], result["count_error"]) == (1, 1, 2)


def test_a_journey_needs_one_track_from_the_first_gate_to_the_last():
    path = [true(1.0, gate="a"), true(2.0, gate="b"), true(3.0, gate="c")]
    ends = [counted(1.0, gate="a"), counted(3.0, gate="c")]
    assert score(path, ends, 0.5).summary()["origin_destination"] == 1
    other_id = [counted(1.0, gate="a"), counted(3.0, gate="c", identity=2)]
    assert score(path, other_id, 0.5).summary()["origin_destination"] == 0
    goes_on = [*ends, counted(4.0, gate="a", direction="out")]
    assert score(path, goes_on, 0.5).summary()["origin_destination"] == 0


def test_nothing_true_and_nothing_counted():
    result = score([], [], 0.5)
    assert result.f1 == 1
    assert result.count_error == 0
    assert result.summary()["f1"] is None
