"""Speeds of objects on a known plane, and what stops, speeds or goes the wrong way."""

import json
import logging

import numpy as np
import pytest

import vidan
from vidan import ConfigError, Measure
from vidan.events import MEASURED, SPEEDING, STOPPED, WRONG_WAY
from vidan.scene import SceneContext
from vidan.testing import AnalyzerSuite
from vidan_plugins.analytics.speed.analyzer import Speed

from ..paths import events_of
from ..restarts import check_restarts
from .cameras import (
    CAMERAS,
    HEIGHT,
    MARKS,
    WIDTH,
    around,
    camera,
    ground,
    project,
    seen,
    straight_on,
)

SPEED = 13.9  # m/s: 50 km/h
PATHS = {
    "toward_the_camera": (straight_on((0, 60), (0, 0), SPEED), 3.6),
    "away": (straight_on((2, 10), (2, 60), SPEED), 3.6),
    "across_the_road_near": (straight_on((-12, 20), (12, 20), SPEED), 1.7),
    "across_the_road_far": (straight_on((-25, 50), (25, 50), SPEED), 3.6),
    "diagonal": (straight_on((-8, 60), (8, 15), SPEED), 3.3),
    "in_a_bend": (around((0, 38), 20, SPEED), 6.0),
    "in_a_wide_bend": (around((-30, 30), 30, SPEED), 3.0),
}
VIEW = CAMERAS["from_a_bridge"]


def speed_of(view=VIEW, **options):
    return Speed({"ground": ground(view)}, **options)


def of_kind(events, kind):
    return [event for event in events if event.kind == kind]


class TestSpeed(AnalyzerSuite):
    def make(self, tmp_path):
        points = [[0.1, 0.9], [0.9, 0.9], [0.6, 0.1], [0.4, 0.1]]
        scene = {"points": points, "meters": MARKS.tolist()}
        return Speed({"ground": scene}, limit=0.5, alert_after=0.2)

    def check(self, events):
        assert {event.kind for event in events} >= {MEASURED, SPEEDING}


@pytest.mark.parametrize("fps", [5, 15, 30])
@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.parametrize("path", PATHS)
def test_50_km_per_hour_with_noise_and_missing_frames(path, name, fps):
    view, (places, seconds) = CAMERAS[name], PATHS[path]
    for seed in range(3):
        given = seen(view, places, seconds, fps, seed=seed, missing=0.2, noise=0.02)
        (event,) = of_kind(events_of(speed_of(view), given), MEASURED)
        assert event.data["median"] == pytest.approx(SPEED, rel=0.02)
        assert event.data["median_kmh"] == pytest.approx(50, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_boxes_that_are_far_off_do_not_matter(seed):
    given = seen(VIEW, *PATHS["away"], 15, seed=seed, missing=0.2, noise=0.02)
    for one in given[5::8]:
        one.tracks.boxes[:] += [20, 40, 20, 40]
    (event,) = of_kind(events_of(speed_of(), given), MEASURED)
    assert event.data["median"] == pytest.approx(SPEED, rel=0.03)


def test_what_a_measured_speed_contains():
    (event,) = events_of(speed_of(), seen(VIEW, *PATHS["away"]))
    assert (event.id, event.phase, event.rule) == ("test/speed/measured/1", "point", "speed")
    assert (event.track, event.label) == (1, "car")
    assert event.data["max"] == pytest.approx(SPEED, rel=1e-3)
    assert event.data["max_kmh"] == pytest.approx(event.data["max"] * 3.6)
    assert 1.5 < event.data["duration"] < 3.0
    assert event.data["residual"] < 1e-6
    assert event.data["joined"] is False


def test_the_residual_of_the_fit_is_reported(caplog):
    marks = np.concatenate([MARKS, [[0, 30], [0, 40]]])
    scene = ground(VIEW, marks)
    scene["meters"][5][0] += 1.0
    with caplog.at_level(logging.INFO):
        speed = Speed(SceneContext({"ground": scene}, size=(WIDTH, HEIGHT)))
    assert "6 ground points has a residual of 0." in caplog.text
    events = events_of(speed, seen(VIEW, *PATHS["away"]))
    assert 0.1 < events[0].data["residual"] < 1.0
    measured = speed.measures()[Measure("ground_residual_meters")]
    assert measured == pytest.approx(events[0].data["residual"])


def test_a_new_track_continues_the_speed_of_a_broken_one():
    places, seconds = PATHS["away"]
    given = seen(VIEW, places, seconds, track=lambda time: 1 if time < 1.5 else 2)
    (event,) = events_of(speed_of(), given)
    assert (event.track, event.data["joined"]) == (2, True)
    assert event.data["median"] == pytest.approx(SPEED, rel=0.01)


def pausing(times):
    """10 m/s for 2 s, at rest for 6 s, 10 m/s again."""
    times = np.asarray(times)
    run = np.minimum(times, 2) + np.maximum(times - 8, 0)
    return np.column_stack([np.zeros(len(times)), 15 + 10 * run])


@pytest.mark.parametrize("fps", [5, 30])
def test_an_object_that_stops_and_moves_on(fps):
    given = seen(VIEW, pausing, 10, fps, missing=0.2, noise=0.02)
    start, end = of_kind(events_of(speed_of(), given), STOPPED)
    assert (start.phase, end.phase, start.id) == ("start", "end", end.id)
    assert start.time == pytest.approx(2, abs=0.5)
    assert end.time == pytest.approx(8, abs=1.0)
    assert start.time + start.data["delay"] == pytest.approx(6, abs=0.5)
    assert end.data["duration"] == pytest.approx(end.time - start.time)
    assert abs(start.frame / fps - start.time) <= 2 / fps


def test_an_object_that_stops_for_less_is_not_reported():
    given = seen(VIEW, pausing, 10)
    assert of_kind(events_of(speed_of(stop_after=7), given), STOPPED) == []


@pytest.mark.parametrize("seed", range(3))
def test_an_object_at_rest_has_not_stopped_and_is_not_fast(seed):
    resting = straight_on((0, 40), (0, 50), 0)
    events = events_of(speed_of(limit=1), seen(VIEW, resting, 20, seed=seed, noise=0.02))
    assert [event.kind for event in events] == [MEASURED]
    assert events[0].data["median"] < 0.1


def test_a_stop_ends_when_the_object_leaves():
    start, end = of_kind(events_of(speed_of(), seen(VIEW, pausing, 7)), STOPPED)
    assert (end.phase, end.id) == ("end", start.id)
    assert end.time == pytest.approx(7, abs=0.05)


def lane(direction, view=VIEW):
    corners = np.array([[-3.0, 18], [3, 18], [3, 55], [-3, 55]])
    zone = {
        "polygon": project(view, corners).tolist(),
        "direction": project(view, np.array(direction, float)).tolist(),
    }
    return {"ground": ground(view), "zones": {"lane": zone}}


TOWARD = [[0, 50], [0, 20]]


def test_an_object_that_goes_the_wrong_way():
    speed = Speed(lane(TOWARD))
    start, end = of_kind(events_of(speed, seen(VIEW, *PATHS["away"], noise=0.02)), WRONG_WAY)
    assert (start.rule, start.phase, end.phase, start.id) == ("lane", "start", "end", end.id)
    assert start.data["speed"] == pytest.approx(SPEED, rel=0.05)
    assert end.data["duration"] > 1


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        (straight_on((2, 55), (2, 10), SPEED), 3.0),
        (straight_on((-2.5, 20), (2.5, 20), 2.0), 2.5),
        (straight_on((-2.5, 25), (2.5, 24), 2.0), 2.5),
        (straight_on((0, 30), (0, 31), 0.0), 10.0),
        (straight_on((-8, 15), (-8, 60), SPEED), 3.0),
    ],
    ids=["the_right_way", "across", "slightly_toward", "at_rest", "beside_the_zone"],
)
def test_no_object_that_goes_the_wrong_way(path, seconds):
    given = seen(VIEW, path, seconds, noise=0.02)
    assert of_kind(events_of(Speed(lane(TOWARD)), given), WRONG_WAY) == []


def test_a_direction_is_only_for_the_labels_of_its_zone():
    scene = lane(TOWARD)
    scene["zones"]["lane"]["labels"] = ["truck"]
    assert of_kind(events_of(Speed(scene), seen(VIEW, *PATHS["away"])), WRONG_WAY) == []
    trucks = seen(VIEW, *PATHS["away"], label="truck")
    assert len(of_kind(events_of(Speed(scene), trucks), WRONG_WAY)) == 2


def test_an_object_above_the_limit_is_speeding():
    given = seen(VIEW, *PATHS["away"])
    start, end = of_kind(events_of(speed_of(limit=13), given), SPEEDING)
    assert (start.phase, end.phase) == ("start", "end")
    assert end.data["speed"] == pytest.approx(SPEED, rel=0.01)
    assert of_kind(events_of(speed_of(limit=15), given), SPEEDING) == []


def test_a_box_at_the_border_of_the_image_has_no_position():
    view = CAMERAS["from_a_pole"]
    given = seen(view, straight_on((0, 60), (0, 0), SPEED), 4.2)
    for one in given:  # as detectors see them: cut off by the image
        one.tracks.boxes[:] = np.clip(one.tracks.boxes, 0, [WIDTH, HEIGHT] * 2)
    (event,) = events_of(speed_of(view), given)
    assert event.data["median"] == pytest.approx(SPEED, rel=0.01)
    assert event.data["max"] == pytest.approx(SPEED, rel=0.01)


def test_predicted_boxes_are_no_positions():
    given = seen(VIEW, *PATHS["away"])
    for one in given:
        one.tracks.misses[:] = 1
    assert events_of(speed_of(), given) == []


def test_nothing_beyond_the_horizon_has_a_speed():
    above = seen(camera(7, -25, 900), *PATHS["away"])
    assert events_of(speed_of(), above) == []


def test_measures_and_shapes_have_the_current_speeds():
    speed = speed_of()
    given = seen(VIEW, *PATHS["away"])
    for one in given:
        speed.update(one)
    labels = (("label", "car"),)
    assert speed.measures()[Measure("speed_meters_per_second", labels)] == pytest.approx(
        SPEED, rel=1e-3
    )
    (shape,) = speed.shapes()
    assert (shape.caption, shape.track) == ("50 km/h", 1)
    x1, _, x2, y2 = given[-1].tracks.boxes[0]
    np.testing.assert_allclose(shape.points, [[(x1 + x2) / 2, y2]])
    speed.finish()
    empty = [seen(VIEW, *PATHS["away"])[0]]
    assert speed_of(unit=None).shapes() == []
    assert events_of(speed_of(), empty) == []


@pytest.mark.parametrize(("unit", "text"), [("m/s", "13.9 m/s"), ("mph", "31 mph")])
def test_units(unit, text):
    speed = speed_of(unit=unit)
    for one in seen(VIEW, *PATHS["away"]):
        speed.update(one)
    assert speed.shapes()[0].caption == text


def test_fractions_and_pixels_are_the_same_ground():
    scene = ground(VIEW)
    scene["points"] = (np.array(scene["points"]) / [WIDTH, HEIGHT]).tolist()
    given = seen(VIEW, *PATHS["away"])
    (one,), (other,) = events_of(Speed({"ground": scene}), given), events_of(speed_of(), given)
    assert one.data["median"] == pytest.approx(other.data["median"])


def test_memory_is_bounded():
    speed, sizes = speed_of(window=0.5), []
    places, seconds = PATHS["away"]
    for lap in range(30):
        for n, one in enumerate(seen(VIEW, places, seconds, 10, track=lap)):
            object.__setattr__(one.frame, "time", 60.0 * lap + n / 10)
            speed.update(one)
        sizes.append((len(speed._memory.ids), len(speed._tracks)))
    assert max(sizes) <= (2, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scene": {}}, r"analytics\.speed: the scene has no ground: set scene\.ground"),
        ({"window": 0}, r"analytics\.window"),
        ({"unit": "knots"}, r"analytics\.unit"),
        ({"limit": -1}, r"analytics\.limit"),
        ({"scene": lane([[0, 20], [0, 1e9]]) | {"size": [WIDTH, HEIGHT]}}, None),
    ],
)
def test_bad_options(options, message):
    scene = {"ground": ground(VIEW)}
    if message is None:
        vidan.create("analytics", "speed", **options)
        return
    with pytest.raises(ConfigError, match=message):
        vidan.create("analytics", "speed", **({"scene": scene} | options))


def test_a_direction_beyond_the_horizon():
    scene = lane(TOWARD)
    scene["zones"]["lane"]["direction"] = [[640, 300], [640, 1]]
    with pytest.raises(ConfigError, match=r"scene\.zones\.lane\.direction.*horizon"):
        Speed(SceneContext(scene, size=(WIDTH, HEIGHT)))


def test_events_are_ready_for_json():
    events = events_of(Speed(lane(TOWARD), limit=5), seen(VIEW, *PATHS["away"]))
    assert {event.kind for event in events} == {MEASURED, SPEEDING, WRONG_WAY}
    for event in events:
        json.dumps(event.record(), allow_nan=False)


def test_a_restart_at_any_frame_changes_nothing():
    given = seen(VIEW, pausing, 9, 10, missing=0.2, noise=0.02)
    events = check_restarts(lambda: Speed(lane(TOWARD), limit=5), given)
    kinds = [event.kind for event in events]
    assert sorted(kinds) == sorted([SPEEDING, WRONG_WAY, STOPPED] * 2 + [MEASURED])


def test_a_track_of_an_earlier_run_ends():
    speed, again = speed_of(), speed_of()
    for one in seen(VIEW, *PATHS["away"]):
        speed.update(one)
    again.restore(speed.state(), offset=-10.0)
    (event,) = events_of(again, seen(VIEW, *PATHS["away"], track=2)[:1])[:1]
    assert (event.kind, event.track) == (MEASURED, 1)
    assert event.time == pytest.approx(3.6 - 10, abs=0.1)


def test_counts_can_be_reset():
    speed = speed_of()
    events_of(speed, seen(VIEW, *PATHS["away"]))
    speed.reset_counts()
    speed.update(seen(VIEW, *PATHS["away"], track=2)[0])
    assert speed.measures()[Measure("speed_measured_total", (("label", "car"),))] == 0


@pytest.mark.parametrize("state", [{}, {"tracks": 1}, {"due": None}])
def test_what_is_no_state_is_an_error(state):
    with pytest.raises(ValueError, match="not a state of the analyzer speed"):
        speed_of().restore(state)
