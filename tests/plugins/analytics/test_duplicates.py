"""Two tracks of one object that overlap in time, at lines, in zones and at one place."""

import json

import numpy as np
import pytest

from vidan_plugins.analytics.lines import Lines
from vidan_plugins.analytics.stationary import Stationary
from vidan_plugins.analytics.zones import Zones

from .paths import counts, events_of, path, results, straight

VERTICAL = {"from": [320, 0], "to": [320, 480], "in": "left"}  # downward: left is to the right
DIAGONAL = {"from": [220, 140], "to": [420, 340], "in": "left"}


def overlapping(points, change, frames, **options):
    """An object whose second track begins some frames before its first one ends."""
    return [
        path(points[: change + frames], **options),
        path(points[change:], start=change, track=2, **options),
    ]


def noisy(points, size, share, seed=0):
    return np.array(points) + np.random.default_rng(seed).normal(0, share * size, (len(points), 2))


@pytest.mark.parametrize("frames", [1, 3, 9, 18, 29])
@pytest.mark.parametrize("before", [-10, -3, 0, 3])
@pytest.mark.parametrize("speed", [0.5, 2.0, 4.0])
def test_vertical_line_the_id_changes_with_both_tracks_for_up_to_a_second(speed, before, frames):
    half = round(80 / speed)
    points = noisy(straight((320 - half * speed, 240), (speed, 0), 2 * half + 1), 40, 0.02)
    given = results(*overlapping(points, half + before, frames, size=40.0))
    events = events_of(Lines({"lines": {"line": VERTICAL}}), given)
    assert counts(events) == (1, 0)


@pytest.mark.parametrize("fps", [5.0, 12.5, 30.0])
def test_diagonal_line_both_ways_with_two_tracks_at_the_crossing(fps):
    step = 40 / fps
    count = round(160 / step)
    there = straight((200 + 40, 360 - 40), (step, -step), count)
    back = straight((400 - 40, 200), (-step, step), count)
    for points, expected in ((there, (1, 0)), (back, (0, 1))):
        crossing = count // 2
        given = results(*overlapping(points, crossing, max(1, round(fps / 2)), size=30.0), fps=fps)
        events = events_of(Lines({"lines": {"line": DIAGONAL}}), given)
        assert counts(events) == expected


def test_two_objects_that_part_after_one_appears_before_the_other_are_two():
    one = path(straight((120, 240), (3, 0), 130), size=40.0)
    two = path(straight((120 + 3 * 20, 240), (3, 0.7), 110), start=20, track=2, size=40.0)
    events = events_of(Lines({"lines": {"line": VERTICAL}}), results(one, two))
    assert counts(events) == (2, 0)


def test_two_objects_of_other_classes_at_one_place_are_two():
    points = straight((240, 240), (2, 0), 80)
    given = results(path(points, label="person"), path(points[20:], start=20, track=2, label="car"))
    assert counts(events_of(Lines({"lines": {"line": VERTICAL}}), given)) == (2, 0)


def test_two_tracks_at_one_place_for_longer_than_a_second_are_two():
    points = straight((120, 240), (2, 0), 200)
    given = results(path(points), path(points[10:], start=10, track=2))
    assert counts(events_of(Lines({"lines": {"line": VERTICAL}}), given)) == (2, 0)


@pytest.mark.parametrize("frames", [1, 9, 29])
@pytest.mark.parametrize("speed", [0.0, 2.0])
def test_a_visit_continues_when_its_tracks_overlap_for_up_to_a_second(speed, frames):
    zone = {"polygon": [[220, 140], [420, 140], [420, 340], [220, 340]], "loiter": 1.5}
    points = straight((240, 240), (speed, 0), 80)
    given = results(*overlapping(points, 40, frames))
    events = events_of(Zones({"zones": {"zone": zone}}), given)
    (left,) = [event for event in events if event.kind == "zone.left"]
    assert left.data["dwell"] == pytest.approx(79 / 30)
    assert left.data["joined"]
    assert [event.kind for event in events].count("zone.loitering") == 1


def test_a_parked_car_whose_tracks_overlap_is_one_stay():
    given = results(*overlapping([(320, 240)] * 400, 200, 6), fps=10.0)
    events = events_of(Stationary({}, after=10.0), given)
    assert [event.phase for event in events] == ["start", "end"]
    assert events[1].data["duration"] == pytest.approx(39.9)


@pytest.mark.parametrize("stop", [35, 42, 45, 50])
def test_stopping_and_resuming_while_two_tracks_overlap_gives_the_same_events(stop):
    given = results(*overlapping(straight((240, 240), (2, 0), 80), 40, 8))
    scene = {"lines": {"line": VERTICAL}}
    whole = events_of(Lines(scene), given)
    first, second = Lines(scene), Lines(scene)
    events = [event for one in given[:stop] for event in first.update(one)]
    second.restore(json.loads(json.dumps(first.state())), 0.0)
    assert events + events_of(second, given[stop:]) == whole
