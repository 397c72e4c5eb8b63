"""One interval for each stay at a place, however much the box jitters or is lost."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vidan
from vidan import ConfigError, Measure
from vidan.events import STATIONARY
from vidan.scene import SceneContext
from vidan.testing import AnalyzerSuite
from vidan_plugins.analytics.stationary import Stationary

from .paths import events_of, path, results, straight

PLACE, STREET = (320.0, 240.0), (60.0, 240.0)
FPS = 10


def run(*paths, tail=700, **options):
    return events_of(Stationary(None, **options), results(*paths, fps=FPS, tail=tail))


def still(seconds, place=PLACE, jitter=0.0):
    rng = np.random.default_rng(5)
    return (np.array(place) + rng.normal(0, jitter, (round(seconds * FPS), 2))).tolist()


def drive(begin, end, frames=20):
    return np.linspace(begin, end, frames).tolist()


def intervals(events):
    """Start and end of each stay, and whether it was joined."""
    assert all(event.kind == STATIONARY for event in events)
    starts = {event.id: event for event in events if event.phase == "start"}
    ends = {event.id: event for event in events if event.phase == "end"}
    assert len(events) == len(starts) + len(ends)
    assert list(starts) == list(ends)
    return [(start.time, ends[key].time) for key, start in starts.items()]


class TestStationary(AnalyzerSuite):
    def make(self, tmp_path):
        return Stationary(None, after=0.3)


def test_a_car_that_parks_for_60_s_is_stationary_after_30_s():
    events = run(path([*drive(STREET, PLACE), *still(60), *drive(PLACE, STREET)]))
    start, end = events
    assert (start.phase, end.phase, start.id) == ("start", "end", end.id)
    assert (start.rule, start.track, start.label) == ("stationary", 1, "car")
    # An object has moved, and may be at rest again, after a second at another place.
    assert start.time == pytest.approx(2 + 30, abs=1.0)
    assert end.time == pytest.approx(2 + 60, abs=0.3)
    assert start.at == pytest.approx(PLACE, abs=12)
    assert set(start.data) == {"since", "joined", "delay"}
    assert end.data["duration"] == pytest.approx(60, abs=1.0)
    assert start.data["delay"] < 0.3
    assert end.data["delay"] < 1.5


def test_a_car_that_stops_for_25_s_or_drives_slowly_is_not_stationary():
    assert run(path([*drive(STREET, PLACE), *still(25), *drive(PLACE, STREET)])) == []
    assert run(path(straight(STREET, (0.8, 0), 600))) == []


@pytest.mark.parametrize("jitter", [0.0, 2.0])
@pytest.mark.parametrize("ids", [[1] * 6, [1, 2, 3, 4, 5, 6], [1, 1, 2, 2, 3, 3]], ids=str)
@pytest.mark.parametrize("present", [20, 40])
def test_five_losses_of_30_s_at_the_same_place_are_one_stay(ids, jitter, present):
    paths = [
        path(still(present, jitter=jitter), start=round(k * (present + 30) * FPS), track=number)
        for k, number in enumerate(ids)
    ]
    events = run(*paths)
    expected = 30 if present == 40 else 50  # it was lost at 30 s
    ((start, end),) = intervals(events)
    assert start == pytest.approx(30, abs=0.3)
    assert events[0].time + events[0].data["delay"] == pytest.approx(expected, abs=0.3)
    assert end == pytest.approx(6 * present + 150, abs=0.3)
    assert events[-1].data["joined"] == (ids != [1] * 6)


def test_one_bad_box_of_50_does_not_end_a_stay():
    points = [STREET if n % 50 == 25 else point for n, point in enumerate(still(60))]
    assert len(intervals(run(path(points)))) == 1


def test_two_cars_parking_one_after_the_other_are_two_stays():
    paths = [
        path([*drive(STREET, PLACE), *still(40), *drive(PLACE, STREET)], start=start, track=track)
        for start, track in ((0, 1), (500, 2))
    ]
    assert len(intervals(run(*paths))) == 2


def test_a_car_that_takes_the_place_of_a_lost_one_ends_its_stay():
    lost = path([*drive(STREET, PLACE), *still(40)])
    other = path([*drive(STREET, PLACE), *still(50)], start=450, track=2)
    first, second = intervals(run(lost, other, forget_after=200, tail=100))
    assert first == pytest.approx((32, 42), abs=1.0)
    assert second == pytest.approx((77, 97), abs=1.0)


def test_a_truck_at_the_place_of_a_lost_car_is_another_stay():
    paths = path(still(40)), path(still(40), start=600, track=2, label="truck")
    assert len(intervals(run(*paths))) == 2


def test_a_stay_ends_when_the_object_is_gone_for_forget_after():
    events = run(path(still(40)), path(still(40), start=1100, track=2))
    assert intervals(events) == [
        (pytest.approx(30), pytest.approx(39.9, abs=0.3)),
        (pytest.approx(140), pytest.approx(149.9, abs=0.3)),
    ]
    assert events[1].data["delay"] == pytest.approx(60, abs=0.5)


def test_a_stay_until_the_end_of_the_stream():
    _, end = run(path(still(40)), tail=0)
    assert end.data["end_of_stream"]


def test_only_the_labels_and_zones_that_are_asked_for():
    scene = {"zones": {"bay": {"polygon": [[0.25, 0], [1, 0], [1, 1], [0.25, 1]]}}}
    given_results = results(
        path(still(40)),
        path(still(40, STREET), track=2),
        path(still(40, (400.0, 400.0)), track=3, label="person"),
        fps=FPS,
        tail=0,
    )
    tracks = lambda **options: {  # noqa: E731
        event.track for event in events_of(Stationary(scene, **options), given_results)
    }
    assert tracks() == {1, 2, 3}
    assert tracks(zones=["bay"]) == {1, 3}
    assert tracks(labels=["car"]) == {1, 2}
    assert tracks(zones=["bay"], labels=["car"]) == {1}


def test_measures():
    analyzer, given_results = Stationary(None), results(path(still(40)), fps=FPS)
    for one in given_results[:350]:
        analyzer.update(one)
    label = (("label", "car"),)
    assert analyzer.measures() is analyzer.measures()
    assert analyzer.measures() == {
        Measure("stationary_objects", label): 1,
        Measure("stationary_total", label): 1,
    }
    analyzer.reset_counts()
    assert analyzer.measures()[Measure("stationary_objects", label)] == 1
    assert analyzer.measures()[Measure("stationary_total", label)] == 0


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 600), min_size=1, max_size=3), st.integers(0, 1000))
def test_stopping_and_resuming_at_any_frame_gives_the_same_events(stops, seed):
    rng = np.random.default_rng(seed)
    paths = []
    for n in range(3):
        place = rng.uniform(100, 400, 2)
        points = [*drive(STREET, place, 10), *still(20, place, 1.0), *drive(place, STREET, 10)]
        seen = [p if (k // 40 + n) % 3 or k < 10 else None for k, p in enumerate(points)]
        ids = [10 * (k // int(rng.integers(50, 90))) + n + 1 for k in range(len(points))]
        paths.append(path(seen, start=int(rng.integers(100)), track=ids))
    given_results = results(*paths, fps=FPS, frames=500)
    options = {"after": 4.0, "forget_after": 8.0}
    whole = Stationary(None, **options)
    expected = events_of(whole, given_results)
    analyzer, found = Stationary(None, **options), []
    for n, one in enumerate(given_results):
        if n in stops:
            state = json.dumps(analyzer.state(), allow_nan=False)
            analyzer = Stationary(None, **options)
            analyzer.restore(json.loads(state))
        found += analyzer.update(one)
    assert found + analyzer.finish() == expected
    assert len(expected) >= 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"after": 0}, r"analytics\.after"),
        ({"forget_after": -1}, r"analytics\.forget_after"),
        ({"zones": ["bya"]}, r"analytics\.zones.*'bya'.*did you mean 'bay'"),
        ({"labels": ["cra"]}, r"analytics\.labels.*'cra'.*did you mean 'car'"),
    ],
)
def test_bad_options(options, message):
    values = {"zones": {"bay": {"polygon": [[0, 0], [1, 0], [1, 1]]}}}
    scene = SceneContext(values, labels=("car", "truck"))
    with pytest.raises(ConfigError, match=message):
        vidan.create("analytics", "stationary", scene=scene, **options)


def test_a_state_of_something_else_is_refused():
    with pytest.raises(ValueError, match="not a state"):
        Stationary(None).restore({"zones": []})


def test_the_scene_is_edited_during_a_run(caplog):
    """Stays continue; new ones begin where the zones are now."""
    left = {"polygon": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}
    right = {"polygon": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}
    one, two, three = (
        path(still(100, place), start=start * FPS, track=track)
        for track, (place, start) in enumerate(
            [((100, 240), 0), ((540, 240), 40), ((100, 400), 40)], 1
        )
    )
    stationary = Stationary({"zones": {"bay": left}}, zones=["bay"])
    given = results(one, two, three, fps=FPS, tail=700)
    events = [event for each in given[: 50 * FPS] for event in stationary.update(each)]
    assert [(event.track, event.phase) for event in events] == [(1, "start")]
    assert stationary.change_scene(SceneContext({"zones": {"bay": right}}, size=(640, 480))) == []
    events += [event for each in given[50 * FPS : 90 * FPS] for event in stationary.update(each)]
    assert [event.track for event in events if event.phase == "start"] == [1, 2]
    stationary.change_scene(SceneContext({"zones": {"door": right}}, size=(640, 480)))
    assert "no zone 'bay' anymore" in caplog.text
    events += events_of(stationary, given[90 * FPS :])
    assert sorted(event.track for event in events if event.phase == "start") == [1, 2]
    assert len(events) == 4
    assert len({event.id for event in events}) == 2
