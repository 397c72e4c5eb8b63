"""True visits to the middle third, and how reported ones are matched with them."""

import numpy as np
import pytest

from vidan.events import ENTERED, EXITED, LOITERING, Event
from vidan_plugins.tools.counting.truth import Person
from vidan_plugins.tools.counting.visit_scores import score_visits
from vidan_plugins.tools.counting.visits import Visit, reported_visits, true_visits

SIZE = (300, 300)  # the middle third is from 100 to 200


def person(xs, visibility=1.0):
    """A person 20 px wide whose bottom center is at these x at 10 frames per second."""
    xs = np.asarray(xs, float)
    boxes = np.stack([xs - 10, np.full(len(xs), 160.0), xs + 10, np.full(len(xs), 200.0)], axis=1)
    frames = np.arange(len(xs))
    return Person(1, frames, frames / 10, boxes, np.full(len(xs), visibility))


def stays(xs):
    return [
        (pytest.approx(v.start), pytest.approx(v.end))
        for v in true_visits([person(xs)], SIZE, 0.15)
    ]


def test_a_visit_lasts_from_border_to_border():
    assert stays(np.linspace(55, 255, 21)) == [(0.45, 1.45)]


def test_a_visit_begins_and_ends_with_the_person():
    assert stays([150] * 11) == [(0, 1)]
    assert stays([250] * 11) == []


def test_who_turns_back_in_the_dead_band_does_not_leave():
    assert stays([150] * 5 + [202.9] + [150] * 5) == [(0, 1)]
    assert len(stays([150] * 5 + [203.1] + [150] * 5)) == 2


def test_short_and_invisible_visits_are_not_expected():
    assert [v.expected for v in true_visits([person([150] * 11)], SIZE, 0.15, 0.25)] == [True]
    assert [v.expected for v in true_visits([person([150] * 5)], SIZE, 0.15, 0.25)] == [False]
    hidden = person([150] * 11, visibility=0.2)
    assert [v.expected for v in true_visits([hidden], SIZE, 0.15, 0.25)] == [False]


def event(kind, phase, time, track, x=150.0, number=1, **data):
    where = {"box": (x - 10, 160, x + 10, 200), "at": (x, 200.0)}
    return Event(
        f"s/zones/middle/{number}", kind, phase, "s", "middle", time, round(10 * time), track,
        "person", data=data, **where,
    )  # fmt: skip


def test_reported_visits():
    events = [
        event(ENTERED, "start", 1.0, 1),
        event(LOITERING, "update", 6.0, 1),
        event(EXITED, "end", 4.0, 3, number=2, dwell=4.0, began_inside=True),
        event(EXITED, "end", 9.0, 2, dwell=8.0, began_inside=False),
    ]
    first, second = sorted(reported_visits(events, []), key=lambda visit: visit.start)
    assert (first.start, first.end, first.loiters) == (0, 4, False)
    assert (second.start, second.end, second.loiters) == (1, 9, True)
    assert second.frames.tolist() == [10, 60, 90]
    assert second.anchors.tolist() == [[150, 200]] * 3


def visit(start, end, x=150.0, loiters=None, expected=True):
    """A visit at 10 frames per second."""
    frames = np.arange(round(10 * start), round(10 * end) + 1)
    anchors = np.column_stack([np.full(len(frames), x), np.full(len(frames), 200.0)])
    loiters = end - start >= 5 if loiters is None else loiters
    return Visit(start, end, loiters, frames, anchors, 40.0, expected)


def test_a_visit_is_right_if_it_is_of_the_same_person():
    assert score_visits([visit(0, 2)], [visit(1, 3, x=169)]).summary()["f1"] == 1
    assert score_visits([visit(0, 2)], [visit(1, 3, x=171)]).summary()["f1"] == 0
    assert score_visits([visit(0, 2)], [visit(3, 4)]).summary()["f1"] == 0


def test_a_visit_that_is_broken_in_two_is_one_too_many():
    summary = score_visits([visit(0, 4)], [visit(0, 1), visit(1.5, 4)]).summary()
    assert (summary["matched"], summary["precision"], summary["recall"]) == (1, 0.5, 1)
    assert summary["dwell_error"] == pytest.approx(1.5 / 4)
    assert summary["person_seconds_ratio"] == pytest.approx(3.5 / 4)


def test_visits_that_are_not_expected_are_ignored():
    summary = score_visits([visit(0, 4, expected=False)], [visit(0, 4)]).summary()
    assert (summary["true"], summary["counted"], summary["ignored"]) == (0, 0, 1)


def test_loitering_is_right_if_visit_and_alert_are():
    true = [visit(0, 6), visit(10, 16), visit(20, 22)]
    found = [visit(0, 6), visit(10, 14), visit(20, 26), visit(30, 36)]
    summary = score_visits(true, found).summary()
    assert (summary["loitering_true"], summary["loitering_counted"]) == (2, 3)
    assert summary["loitering_precision"] == pytest.approx(1 / 3)
    assert summary["loitering_recall"] == pytest.approx(1 / 2)
    assert summary["loitering_f1"] == pytest.approx(2 / 5)


def test_nobody_and_nothing():
    assert score_visits([], []).summary()["f1"] is None
    assert score_visits([], [visit(0, 1)]).summary()["precision"] == 0
