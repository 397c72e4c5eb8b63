"""Speeds while the scene is edited during a run."""

import pytest

from vidan.events import MEASURED, WRONG_WAY
from vidan.scene import SceneContext
from vidan_plugins.analytics.speed.analyzer import Speed

from ..paths import events_of
from .cameras import CAMERAS, HEIGHT, WIDTH, ground, project, seen, straight_on

VIEW = CAMERAS["from_a_bridge"]
CUT = 75
GIVEN = seen(VIEW, straight_on((2, 10), (2, 60), 13.9), 3.6)
LANE = {
    "polygon": project(VIEW, [[-3, 18], [3, 18], [3, 55], [-3, 55]]).tolist(),
    "direction": project(VIEW, [[0, 50], [0, 20]]).tolist(),
}
FULL = {"ground": ground(VIEW), "zones": {"lane": LANE}}


def edited(before, after, cut=CUT):
    """The events if the scene is edited when the object has gone the wrong way for a while."""
    speed = Speed(before)
    events = [event for one in GIVEN[:cut] for event in speed.update(one)]
    at_edit = speed.change_scene(SceneContext(after, size=(WIDTH, HEIGHT)))
    return at_edit, events + at_edit + events_of(speed, GIVEN[cut:])


def of_kind(events, kind):
    return [event for event in events if event.kind == kind]


@pytest.mark.parametrize("changed", ["other", "no_ground", "beyond_the_horizon"])
def test_what_is_unchanged_continues(changed, caplog):
    expected = events_of(Speed(FULL), GIVEN)
    other = LANE | {"polygon": [[0, 0], [100, 0], [100, 100]]}
    after = FULL | {"zones": {"other": other, "lane": LANE}}
    if changed == "no_ground":
        del after["ground"]
    elif changed == "beyond_the_horizon":
        after["zones"]["other"] = other | {"direction": [[640, 300], [640, 1]]}
    at_edit, events = edited(FULL, after)
    assert at_edit == []
    assert events == expected
    assert bool(caplog.records) == (changed != "other")


def test_an_interval_in_a_zone_that_is_deleted_ends():
    at_edit, events = edited(FULL, {"ground": FULL["ground"]})
    assert [(e.kind, e.phase, e.rule) for e in at_edit] == [(WRONG_WAY, "end", "lane")]
    assert at_edit[0].time == pytest.approx(GIVEN[CUT - 1].frame.time)
    assert len(of_kind(events, WRONG_WAY)) == 2
    assert len(of_kind(events, MEASURED)) == 1


def test_a_direction_that_is_drawn_applies_at_once():
    cut = 45
    _, events = edited({"ground": FULL["ground"]}, FULL, cut)
    start, end = of_kind(events, WRONG_WAY)
    assert GIVEN[cut].frame.time - 1 < start.time < end.time


def test_another_ground_ends_the_tracks():
    meters = [[2 * x, 2 * y] for x, y in FULL["ground"]["meters"]]
    at_edit, events = edited(FULL, FULL | {"ground": FULL["ground"] | {"meters": meters}})
    assert {event.kind for event in at_edit} == {WRONG_WAY, MEASURED}
    first, second = of_kind(events, MEASURED)
    assert first.id != second.id
    assert second.data["median"] == pytest.approx(2 * first.data["median"], rel=0.02)
