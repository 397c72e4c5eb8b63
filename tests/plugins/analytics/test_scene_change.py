"""Lines and zones that are edited during a run."""

import json

import numpy as np
import pytest

from vidan.events import ENTERED, EXITED
from vidan.scene import SceneContext
from vidan_plugins.analytics.lines import Lines
from vidan_plugins.analytics.zones import Zones

from .paths import HEIGHT, WIDTH, events_of, path, results, straight

A = {"from": [220, 240], "to": [420, 240]}
B = {"from": [320, 100], "to": [320, 400]}
LEFT = {"polygon": [[0, 0], [320, 0], [320, 480], [0, 480]], "crowd": {"more_than": 2, "for": 0.5}}
MIDDLE = {"polygon": [[160, 120], [480, 120], [480, 360], [160, 360]]}


def crowd(seed, count=30, frames=150):
    """Objects that walk and turn at random."""
    rng = np.random.default_rng(seed)
    paths = []
    for track in range(1, count + 1):
        at = rng.uniform([40, 60], [WIDTH - 40, HEIGHT - 40])
        points = []
        for n in range(frames):
            if n % 30 == 0:
                step = rng.normal(0, 5, 2)
            at = np.clip(at + step, [10, 20], [WIDTH - 10, HEIGHT])
            points.append(None if rng.random() < 0.05 else tuple(at))
        paths.append(path(points, track=track))
    return results(*paths)


def scene(**shapes):
    lines = {name: shape for name, shape in shapes.items() if "from" in shape}
    return {"lines": lines, "zones": {n: s for n, s in shapes.items() if n not in lines}}


def edited(make, given, cut, before, after):
    """The analyzer and its events if the scene is edited after `cut` frames."""
    analyzer = make(scene(**before), required=False)
    events = [event for one in given[:cut] for event in analyzer.update(one)]
    known = SceneContext(scene(**after), size=(WIDTH, HEIGHT))
    events += analyzer.change_scene(known)
    return analyzer, events + events_of(analyzer, given[cut:])


def of(events, rule):
    return [event for event in events if event.rule == rule]


def of_rule(measures, rule):
    return {m: value for m, value in measures.items() if rule in dict(m.labels).values()}


def assert_ids_are_unique(events):
    keys = [(event.id, event.kind, event.phase) for event in events]
    assert len(keys) == len(set(keys))


CASES = [(Lines, A, B), (Zones, LEFT, MIDDLE)]


@pytest.mark.parametrize(("make", "one", "other"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_unchanged_continues(make, one, other, seed):
    given = crowd(seed)
    whole = make(scene(one=one), required=False)
    expected = events_of(whole, given)
    assert len(expected) > 2
    edits = [
        ({"one": one}, {"one": one}),
        ({"one": one}, {"new": other, "one": one}),
        ({"old": other, "one": one}, {"one": one}),
        ({"moved": other, "one": one}, {"one": one, "moved": one}),
    ]
    for cut in range(1, len(given), 17):
        for before, after in edits:
            analyzer, events = edited(make, given, cut, before, after)
            assert of(events, "one") == expected, (cut, after)
            assert of_rule(analyzer.measures(), "one") == whole.measures()
            assert_ids_are_unique(events)


@pytest.mark.parametrize(("make", "one", "other"), CASES)
def test_what_is_changed_starts_from_zero_and_ids_do_not_repeat(make, one, other):
    given = crowd(5)
    cut = 80
    analyzer, events = edited(make, given, cut, {"x": one}, {"x": other})
    assert_ids_are_unique(events)
    fresh = make(scene(x=one), required=False)
    early = [event for n in given[:cut] for event in fresh.update(n)]
    counted = sum(v for m, v in analyzer.measures().items() if m.name.endswith("s_total"))
    late = [event for event in of(events, "x") if event.time >= given[cut].frame.time]
    assert early
    assert 0 < counted <= len(late)


@pytest.mark.parametrize(("make", "one", "other"), CASES)
def test_deleted_and_drawn_again(make, one, other):
    given = crowd(7, frames=210)
    analyzer = make(scene(x=one, y=other), required=False)
    events = []
    for n, each in enumerate(given):
        if n in (60, 120):
            new = scene(**({} if n == 60 else {"x": one}))
            events += analyzer.change_scene(SceneContext(new, size=(WIDTH, HEIGHT)))
        events += analyzer.update(each)
    events += analyzer.finish()
    assert_ids_are_unique(events)
    assert not [e for e in events if given[65].frame.time < e.time < given[115].frame.time]
    assert [e for e in of(events, "x") if e.time > given[120].frame.time]
    assert set(of_rule(analyzer.measures(), "y")) == set()


@pytest.mark.parametrize(("make", "one", "other"), CASES)
def test_a_state_after_an_edit_can_be_restored(make, one, other):
    given = crowd(3)
    analyzer, again = (make(scene(x=one, z=other), required=False) for _ in range(2))
    edit = SceneContext(scene(z=other, y=one), size=(WIDTH, HEIGHT))
    for each in given[:70]:
        analyzer.update(each)
    analyzer.change_scene(edit)
    for each in given[70:90]:
        analyzer.update(each)
    again = make(scene(z=other, y=one), required=False)
    again.restore(json.loads(json.dumps(analyzer.state())))
    assert events_of(again, given[90:]) == events_of(analyzer, given[90:])
    assert again.measures() == analyzer.measures()


def test_visits_to_a_zone_that_is_deleted_end():
    given = results(path(straight((100, 200), (0, 0), 120)), path([(500, 200)] * 120, track=2))
    analyzer, events = edited(Zones, given, 60, {"till": LEFT, "shop": MIDDLE}, {"shop": MIDDLE})
    assert [(e.kind, e.time) for e in of(events, "till")] == [(EXITED, given[59].frame.time)]
    assert of(events, "till")[0].data["end_of_stream"] is False
    assert of_rule(analyzer.measures(), "till") == {}


def test_a_new_zone_has_the_objects_that_are_in_it():
    given = results(path([(100.0, 200.0)] * 120))
    analyzer, events = edited(Zones, given[:110], 60, {}, {"till": LEFT})
    assert [e.kind for e in events] == [EXITED]
    assert events[0].data["began_inside"]
    assert not [e for e in events if e.kind == ENTERED]
    assert analyzer.measures()


def test_a_crowd_in_a_zone_that_is_deleted_ends():
    given = results(*(path([(60.0 * n, 200.0)] * 120, track=n) for n in range(1, 5)))
    _, events = edited(Zones, given, 60, {"till": LEFT}, {})
    crowded = [(e.kind, e.phase) for e in events if e.kind == "zone.crowded"]
    assert crowded == [("zone.crowded", "start"), ("zone.crowded", "end")]
