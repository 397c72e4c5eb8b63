"""What must not change visits and their durations, and that a run can be stopped anywhere."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan.events import CROSSED, ENTERED, EXITED, LOITERING, PASSED
from vidan_plugins.analytics.lines import Lines
from vidan_plugins.analytics.zones import Zones

from .paths import HEIGHT, WIDTH, counts, events_of, path, results

SQUARE = np.array([[220.0, 140.0], [420.0, 140.0], [420.0, 340.0], [220.0, 340.0]])
LOITER_S = 1.5
places = st.tuples(st.integers(0, WIDTH), st.integers(0, HEIGHT))
walks = st.lists(
    st.lists(st.tuples(places, st.integers(6, 45)), min_size=1, max_size=4), min_size=1, max_size=3
)


def points_of(walk):
    """Points of a path that leads from place to place, in some frames each."""
    (begin, _), *legs = walk
    points = [np.array([begin], float)]
    for end, frames in legs:
        points.append(np.linspace(points[-1][-1], end, frames + 1)[1:])
    return np.concatenate(points)


def scene(points=SQUARE):
    rule = {"loiter": LOITER_S, "crowd": {"more_than": 1, "for": 0.3}}
    return {"zones": {"zone": {"polygon": np.asarray(points).tolist()} | rule}}


@settings(max_examples=40, deadline=None)
@given(walks, st.data())
def test_stopping_and_resuming_at_any_frame_gives_the_same_events(moves, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    paths = []
    for n, walk in enumerate(moves):
        points = points_of(walk) + rng.normal(0, 1, (len(points_of(walk)), 2))
        ids = np.cumsum(rng.random(len(points)) < 0.02) * 10 + n + 1
        seen = [p if rng.random() < 0.8 else None for p in points.tolist()]
        paths.append(path(seen, track=ids.tolist(), start=int(rng.integers(30))))
    given_results = results(*paths, fps=10, frames=260)
    whole = Zones(scene(), lost_after=2, forget_after=6)
    expected = events_of(whole, given_results)
    stops = data.draw(st.lists(st.integers(0, len(given_results)), min_size=1, max_size=3))
    zones, found = Zones(scene(), lost_after=2, forget_after=6), []
    for n, one in enumerate(given_results):
        if n in stops:
            state = json.dumps(zones.state(), allow_nan=False)
            zones = Zones(scene(), lost_after=2, forget_after=6)
            zones.restore(json.loads(state))
            assert json.dumps(zones.state(), allow_nan=False) == state
        found += zones.update(one)
    assert found + zones.finish() == expected
    assert zones.measures() == whole.measures()


def test_a_new_run_continues_a_visit_from_before_its_own_time():
    before = results(path([(320.0, 240.0)] * 120), tail=0)
    after = results(path([(320.0, 240.0)] * 90, track=101), tail=0)
    zones = Zones(scene())
    assert [e.kind for one in before for e in zones.update(one)] == [LOITERING]
    state = json.loads(json.dumps(zones.state()))
    zones = Zones(scene())
    zones.restore(state, offset=-24.0)
    (left,) = events_of(zones, after)
    assert (left.kind, left.track, left.data["joined"]) == (EXITED, 101, True)
    assert left.time == pytest.approx(89 / 30)
    assert left.data["dwell"] == pytest.approx(24 + 89 / 30)


@pytest.mark.parametrize("state", [{}, {"zones": ["other"]}, {"zones": ["zone"], "size": None}])
def test_a_state_of_something_else_is_refused(state):
    with pytest.raises(ValueError, match=r"state|zones"):
        Zones(scene()).restore(state)


coordinates = st.tuples(st.floats(20, WIDTH - 20), st.floats(20, HEIGHT - 20))
straight_walks = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=4)
FRAMES = 121


def clear(move):
    """Whether a path does not graze the border, end near it, or cross the zone too fast."""
    first, last = np.array(move)
    if np.hypot(*(last - first)) < 200:
        return False
    points = np.linspace(first, last, 1201)
    low, high = SQUARE.min(axis=0), SQUARE.max(axis=0)
    outside = np.maximum(low - points, points - high)
    distance = outside.max(
        axis=1
    )  # to the nearest side, from inside; less than to it, from outside
    inside = distance < 0
    ends = min(abs(distance[0]), abs(distance[-1])) > 30
    deep = not inside.any() or (distance.min() < -20 and inside.sum() > 300)
    return ends and deep and (inside.any() or distance.min() > 20)


def visits(moves, *, step=1, scale=1.0, mirrored=False, ids=None, reverse=False):
    """Duration of each visit in order, and the number of entries and of passages."""

    def placed(points):
        points = np.array(points, float)
        if mirrored:
            points[:, 0] = WIDTH - points[:, 0]
        return points * scale

    paths = []
    for n, move in enumerate(moves):
        points = np.linspace(*placed(move), FRAMES)[::step]
        track = n + 1 if ids is None else ids[n]
        paths.append(path(points.tolist(), track=track, size=20.0 * scale))
    given_results = results(
        *(paths[::-1] if reverse else paths),
        fps=30 / step,
        width=round(WIDTH * scale),
        height=round(HEIGHT * scale),
    )
    events = events_of(Zones(scene(placed(SQUARE)), join_within=0), given_results)
    dwells = sorted(event.data["dwell"] for event in events if event.kind == EXITED)
    return dwells, [sum(e.kind == kind for e in events) for kind in (ENTERED, PASSED)], events


@settings(max_examples=15, deadline=None)
@given(straight_walks)
def test_invariants_of_visits(moves):
    moves = [move for move in moves if clear(move)]
    if not moves:
        return
    dwells, numbers, events = visits(moves)

    def same(found, tolerance, what):
        assert found[1] == numbers, what
        assert found[0] == pytest.approx(dwells, abs=tolerance), what

    same(visits(moves, mirrored=True), 1e-3, "the mirrored image")
    same(visits(moves, scale=0.5), 1e-3, "half the resolution")
    same(visits(moves, step=2), 1 / 15, "15 frames per second")
    same(visits(moves, step=3), 1 / 10, "10 frames per second")
    ids = [900 - 7 * n for n in range(len(moves))]
    renamed = visits(moves, ids=ids)
    same(renamed, 0, "other ids")
    assert [(e.id, e.kind, e.time) for e in renamed[2]] == [(e.id, e.kind, e.time) for e in events]
    same(visits(moves, reverse=True), 0, "another order of the objects")
    assert visits(moves, reverse=True)[2] == events


@settings(max_examples=40, deadline=None)
@given(straight_walks)
def test_behind_a_closed_gate_in_minus_out_is_the_change_of_occupancy(moves):
    """A line across the whole image, and the zone behind it."""
    gate = {"lines": {"line": {"from": [320, 0], "to": [320, HEIGHT], "in": "left"}}}
    room = {"zones": {"room": {"polygon": [[320, 0], [WIDTH, 0], [WIDTH, HEIGHT], [320, HEIGHT]]}}}
    paths = [
        path(np.linspace(first, last, 61).tolist() + [last] * 20, track=n + 1)
        for n, (first, last) in enumerate(moves)
        if abs(first[0] - 320) > 40 and abs(last[0] - 320) > 40
    ]
    if not paths:
        return
    given_results = results(*paths, tail=0)
    zones, lines = Zones(room), Lines(gate)
    crossings = [e for e in events_of(lines, given_results) if e.kind == CROSSED]
    began = sum(points[0][3][0] > 320 for points in paths)
    for one in given_results:
        zones.update(one)
    went_in, went_out = counts(crossings)
    present = sum(v for m, v in zones.measures().items() if m.name == "zone_objects")
    assert present - began == went_in - went_out
