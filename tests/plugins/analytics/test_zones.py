"""Visits, passages, loitering and crowds in a zone of 200 x 200 px, with boxes of 20 px."""

import numpy as np
import pytest

import vidan
from vidan import ConfigError, Measure
from vidan.events import CROWDED, ENTERED, EXITED, LOITERING, PASSED
from vidan.testing import AnalyzerSuite
from vidan_plugins.analytics.visits import DWELL_BUCKETS
from vidan_plugins.analytics.zones import Zones

from .paths import LABELS, events_of, path, result, results, straight

SQUARE = [[220, 140], [420, 140], [420, 340], [220, 340]]
ZONE = {"polygon": SQUARE}
INSIDE, OUTSIDE = (320.0, 240.0), (120.0, 240.0)


def analyzer(zone=ZONE, **options):
    return Zones({"zones": {"zone": zone}}, **options)


def run(*paths, zone=ZONE, fps=30.0, tail=45, **options):
    return events_of(analyzer(zone, **options), results(*paths, fps=fps, tail=tail))


def kinds(events):
    return [event.kind for event in events]


def dwells(events):
    return [event.data["dwell"] for event in events if event.kind == EXITED]


def still(point, seconds, fps=30.0):
    return [point] * round(seconds * fps)


class TestZones(AnalyzerSuite):
    def make(self, tmp_path):
        zone = {"polygon": [[0.2, 0], [0.8, 0], [0.8, 1], [0.2, 1]], "loiter": 0.3,
                "crowd": {"more_than": 1, "for": 0.2}}  # fmt: skip
        return Zones({"zones": {"middle": zone}})


def test_walking_through_at_4_px_per_frame_is_one_visit_of_50_frames():
    events = run(path(straight((119.0, 240.0), (4.0, 0), 101)))
    entered, left = events
    assert kinds(events) == [ENTERED, EXITED]
    assert (entered.id, entered.phase, left.id, left.phase) == (
        "test/zones/zone/1", "start", "test/zones/zone/1", "end")  # fmt: skip
    assert (entered.track, entered.label, entered.rule, entered.stream) == (
        1, "car", "zone", "test")  # fmt: skip
    assert entered.time == pytest.approx(101 / 4 / 30)
    assert left.time == pytest.approx(301 / 4 / 30)
    assert (entered.frame, left.frame) == (25, 75)
    assert (entered.at, left.at) == (pytest.approx((220, 240)), pytest.approx((420, 240)))
    assert entered.box == pytest.approx((210, 220, 230, 240))
    assert set(entered.data) == {"joined", "delay"}
    assert set(left.data) == {"dwell", "began_inside", "joined", "end_of_stream", "delay"}
    assert left.data["dwell"] == pytest.approx(50 / 30)
    assert 0 < entered.data["delay"] < 0.6
    assert 0 < left.data["delay"] < 0.6


@pytest.mark.parametrize("fps", [5, 12.5, 30, 60])
def test_60_s_inside_are_60_s_at_any_frame_rate(fps):
    count = round(60 * fps)
    points = [*still(OUTSIDE, 1, fps), *[INSIDE] * (count + 1), *still(OUTSIDE, 1, fps)]
    assert dwells(run(path(points), fps=fps)) == pytest.approx([60.0], abs=1.01 / fps)


def test_a_camera_that_claims_25_fps_and_delivers_21_reports_60_s():
    """Stream time is what counts: frames with irregular intervals, 21 a second on average."""
    rng = np.random.default_rng(4)
    times = np.cumsum(rng.uniform(0.2, 1.8, 63 * 21) / 21)
    zones = analyzer()
    events = []
    for n, time in enumerate(times.tolist(), 1):
        x, y = INSIDE if 1 <= time <= 61 else OUTSIDE
        rows = [(n, 1, 0, (x - 10, y - 20, x + 10, y))]
        events += zones.update(result(n, rows, fps=n / time))
    (dwell,) = dwells(events)
    assert dwell == pytest.approx(60.0, abs=0.1)


@pytest.mark.parametrize("fps", [5, 15, 30])
def test_one_bad_box_of_50_inside_is_no_visit(fps):
    points = [INSIDE if n % 50 == 25 else OUTSIDE for n in range(200)]
    assert run(path(points), fps=fps) == []


@pytest.mark.parametrize("fps", [5, 15, 30])
def test_one_bad_box_of_50_outside_does_not_end_a_visit(fps):
    points = [OUTSIDE if n % 50 == 25 else INSIDE for n in range(200)]
    points = [*[OUTSIDE] * 10, *points, *[OUTSIDE] * 30]
    assert dwells(run(path(points), fps=fps)) == pytest.approx([200 / fps], abs=0.01)


def test_one_bad_box_near_the_corner_is_no_passage():
    points = straight((120.0, 350.0), (4.0, 0), 100)
    points[50] = (320.0, 320.0)
    points[22] = (208 + 20.0, 330.0)
    assert run(path(points)) == []


def test_detections_in_2_of_3_frames_for_60_s_are_one_visit():
    points = [INSIDE if n % 3 else None for n in range(1801)]
    events = run(path([*[OUTSIDE] * 30, *points, *[OUTSIDE] * 30]))
    assert kinds(events) == [ENTERED, EXITED]
    assert dwells(events) == pytest.approx([60.0], abs=0.05)


def test_a_track_that_disappears_inside_ends_its_visit_at_its_last_detection():
    events = run(path([*still(OUTSIDE, 1), *straight((150.0, 240.0), (1.0, 0), 151)]), tail=600)
    left = events[-1]
    assert (left.kind, left.frame, left.data["end_of_stream"]) == (EXITED, 180, False)
    assert left.time == pytest.approx(180 / 30)
    assert left.at == pytest.approx((300, 240))
    assert left.data["delay"] == pytest.approx(5.0, abs=0.1)


def test_an_object_at_rest_that_disappears_ends_its_visit_at_its_last_detection():
    events = run(path(still(INSIDE, 10)), tail=65 * 30)
    (left,) = events
    assert left.data["dwell"] == pytest.approx(10 - 1 / 30)
    assert left.data["delay"] == pytest.approx(60, abs=0.1)


def test_beginning_inside_has_no_entered_event_but_counts():
    zones = analyzer()
    given = results(path(straight(INSIDE, (2.0, 0), 100)))
    events = [event for one in given[:20] for event in zones.update(one)]
    assert events == []
    present = Measure("zone_objects", (("zone", "zone"), ("label", "car")))
    assert zones.measures()[present] == 1
    (left,) = [event for one in given[20:] for event in zones.update(one)]
    assert left.kind == EXITED
    assert left.data["began_inside"]
    assert left.data["dwell"] == pytest.approx(50 / 30)
    assert zones.measures()[present] == 0


def test_a_visit_until_the_end_of_the_stream():
    events = run(path([*still(OUTSIDE, 1), *still(INSIDE, 4)]), tail=0)
    assert kinds(events) == [ENTERED, EXITED]
    assert events[-1].data["end_of_stream"]
    assert dwells(events) == pytest.approx([4], abs=0.05)


def test_2_s_inside_10_s_outside_2_s_inside_are_two_visits_of_2_s():
    points = [*still(OUTSIDE, 1), *still(INSIDE, 2), *still(OUTSIDE, 10), *still(INSIDE, 2)]
    events = run(path([*points, *still(OUTSIDE, 1)]))
    assert kinds(events) == [ENTERED, EXITED] * 2
    assert dwells(events) == pytest.approx([2, 2], abs=0.05)
    assert len({event.id for event in events}) == 2


@pytest.mark.parametrize("missing", [0, 5, 20, 28])
def test_the_identity_breaks_inside_and_the_dwell_continues(missing):
    points = straight((118.0, 240.0), (2.0, 0), 201)
    old = path(points[:100])
    new = path(points[100 + missing :], start=100 + missing, track=2)
    events = run(old, new)
    assert kinds(events) == [ENTERED, EXITED]
    assert dwells(events) == pytest.approx([100 / 30])
    assert [event.track for event in events] == [1, 2]
    assert events[-1].data["joined"]
    assert not events[0].data["joined"]


def test_the_identity_breaks_before_the_visit_is_one():
    points = straight((118.0, 240.0), (2.0, 0), 201)
    events = run(path(points[:55]), path(points[58:], start=58, track=2))
    assert kinds(events) == [ENTERED, EXITED]
    assert [event.data["joined"] for event in events] == [True, True]
    assert dwells(events) == pytest.approx([100 / 30])


def parked(ids, present=20.0, lost=30.0, jitter=0.0, fps=10.0):
    """A car at one place that is lost for 30 s after each time it was detected."""
    rng = np.random.default_rng(1)
    return [
        path(
            (np.array(INSIDE) + rng.normal(0, jitter, (round(present * fps), 2))).tolist(),
            start=round(k * (present + lost) * fps),
            track=number,
        )
        for k, number in enumerate(ids)
    ]


@pytest.mark.parametrize("jitter", [0.0, 2.0])
@pytest.mark.parametrize("ids", [[1] * 6, [1, 2, 3, 4, 5, 6], [1, 1, 2, 2, 3, 3]], ids=str)
def test_a_parked_car_lost_for_30_s_five_times_is_one_visit_and_one_alert(ids, jitter):
    paths = parked(ids, jitter=jitter)
    events = run(*paths, zone=ZONE | {"loiter": {"car": 3, "person": 15}}, fps=10, tail=620)
    assert kinds(events) == [LOITERING, EXITED]
    assert dwells(events) == pytest.approx([270], abs=0.2)
    assert events[0].time == pytest.approx(3)
    assert events[1].data["joined"] == (ids != [1] * 6)


def test_a_lost_object_is_not_counted_as_present_until_it_is_found():
    zones, counted = analyzer(), []
    for one in results(*parked([1, 2]), fps=10):
        zones.update(one)
        counted.append(int(sum(n for m, n in zones.measures().items() if m.name == "zone_objects")))
    assert counted[:6] == [0] * 5 + [1]
    assert counted[6:205] == [1] * 199
    assert counted[215:500] == [0] * 285
    assert counted[501:695] == [1] * 194


def test_a_visit_that_continues_with_a_new_track_keeps_its_label():
    paths = parked([1, 2], present=4.0, lost=8.0)
    alert, left = run(*paths, zone=ZONE | {"loiter": {"car": 6}}, fps=10)
    assert (alert.kind, alert.label, alert.track) == (LOITERING, "car", 2)
    assert left.label == "car"


def test_a_parked_car_that_jitters_over_the_border_is_one_visit():
    rng = np.random.default_rng(2)
    border = (np.array([220.0, 240.0]) + rng.normal(0, 1.5, (600, 2))).tolist()
    points = [*straight(INSIDE, (-2.0, 0), 50), *border, *straight((220.0, 240.0), (-4, 0), 20)]
    assert kinds(run(path(points))) == [EXITED]


def test_an_object_that_jitters_outside_the_border_is_no_visit():
    rng = np.random.default_rng(3)
    border = (np.array([218.0, 240.0]) + rng.normal(0, 1.0, (600, 2))).tolist()
    points = [*straight((120.0, 240.0), (2.0, 0), 49), *border]
    assert run(path([*points, *straight((218.0, 240.0), (-2.0, 0), 49)])) == []


def test_an_object_that_stands_2_px_behind_the_border_is_inside():
    points = [*straight((122.0, 240.0), (2.0, 0), 50), *still((222.0, 240.0), 10)]
    events = run(path(points))
    assert kinds(events) == [ENTERED, EXITED]
    assert dwells(events) == pytest.approx([10], abs=0.2)


def test_a_visit_that_is_lost_and_found_elsewhere_after_30_s_is_two():
    old, new = path(still(INSIDE, 10)), path(still((380.0, 300.0), 10), start=1200, track=2)
    assert dwells(run(old, new, tail=2000)) == pytest.approx([10, 10], abs=0.1)


def test_of_two_that_begin_where_one_was_lost_one_continues_its_visit():
    # Both are far from the time at which broken tracks are joined by their motion.
    lost = path(still(INSIDE, 10))
    first = path(still(INSIDE, 10), start=600, track=2)
    second = path(still((INSIDE[0] + 2, INSIDE[1]), 5), start=600, track=3)
    assert sorted(dwells(run(lost, first, second))) == pytest.approx([5, 30], abs=0.1)


def test_after_an_outage_of_the_camera_of_20_s_a_visit_continues():
    zones, events = analyzer(), []
    for n in range(301):
        if not 100 <= n < 200:
            rows = path([(200 + 0.4 * n, 240.0)], start=n + 600 * (n >= 200))
            events += zones.update(result(rows[0][0], rows))
    events += zones.finish()
    assert kinds(events) == [ENTERED, EXITED]
    assert dwells(events) == pytest.approx([850 / 30], abs=0.05)


def test_after_an_outage_longer_than_forget_after_a_visit_has_ended():
    zones = analyzer(forget_after=10)
    events = [e for one in results(path(still(INSIDE, 5)), tail=0) for e in zones.update(one)]
    events += zones.update(result(30 * 20, []))
    (left,) = events
    assert left.data["dwell"] == pytest.approx(5, abs=0.05)


def test_two_people_taking_turns_are_two_visits():
    turns = [
        path([*straight((150.0, 240.0), (4.0, 0), 42), *still((318.0, 240.0), 8),
              *straight((318.0, 240.0), (-4.0, 0), 42)], start=start, track=track, label="person")
        for start, track in ((0, 1), (330, 2))
    ]  # fmt: skip
    events = run(*turns, zone=ZONE | {"loiter": {"person": 15}})
    assert kinds(events) == [ENTERED, EXITED] * 2
    assert [event.track for event in events] == [1, 1, 2, 2]
    assert not any(event.data["joined"] for event in events)


def test_two_people_beside_each_other_are_two_visits_with_their_own_ids():
    paths = [
        path(straight((150.0, y), (4.0, 0), 100), track=n) for n, y in ((7, 200.0), (3, 260.0))
    ]
    events = run(*paths)
    assert kinds(events) == [ENTERED, ENTERED, EXITED, EXITED]
    assert sorted({event.id for event in events}) == ["test/zones/zone/1", "test/zones/zone/2"]


PASSAGES = {
    "between_two_detections": [(20.0, 240.0), (520.0, 260.0)],
    "with_one_detection_inside": [(120.0, 240.0), (320.0, 240.0), (520.0, 240.0)],
    "in_a_third_of_a_second": straight((20.0, 240.0), (24.0, 0), 25),
    "through_a_corner": straight((190.0, 240.0), (10.0, 20.0), 20),
    "at_5_frames_per_second_of_gap": [(120.0, 240.0), *[None] * 20, (520.0, 240.0)],
}


@pytest.mark.parametrize("points", PASSAGES.values(), ids=PASSAGES)
def test_a_path_through_the_zone_that_is_too_fast_for_a_visit_is_a_passage(points):
    points = [*[points[0]] * 5, *points, *[points[-1]] * 5]
    (event,) = run(path(points))
    assert (event.kind, event.phase) == (PASSED, "point")
    assert 0 < event.data["dwell"] < 0.5
    assert event.data["delay"] < 1.1


def test_a_path_around_the_zone_or_back_out_of_it_is_no_passage():
    around = straight((120.0, 130.0), (100.0, 0), 5)
    back = [(120.0, 240.0), (160.0, 240.0), (240.0, 240.0), (160.0, 240.0), (120.0, 240.0)]
    assert run(path([*around, around[-1]])) == []
    assert run(path([*back, *[back[-1]] * 30])) == []


@pytest.mark.parametrize("fps", [5, 15, 30])
@pytest.mark.parametrize(("label", "after"), [("car", 3), ("person", 15)])
def test_loitering_after_3_s_for_cars_and_15_s_for_people(fps, label, after):
    points = [*still(OUTSIDE, 1, fps), *still(INSIDE, 20, fps), *still(OUTSIDE, 2, fps)]
    zone = ZONE | {"loiter": {"car": 3, "person": 15}}
    events = run(path(points, label=label), zone=zone, fps=fps)
    assert kinds(events) == [ENTERED, LOITERING, EXITED]
    entered, alert, _ = events
    assert alert.time - entered.time == pytest.approx(after)
    assert alert.frame / fps - entered.time == pytest.approx(after, abs=1.01 / fps)
    assert (alert.phase, alert.id) == ("update", entered.id)


def test_no_loitering_below_the_threshold_nor_for_other_labels():
    zone = ZONE | {"loiter": {"car": 3}}
    assert LOITERING not in kinds(run(path(still(INSIDE, 2.9)), zone=zone))
    assert LOITERING not in kinds(run(path(still(INSIDE, 20), label="person"), zone=zone))


def test_loitering_is_judged_by_the_vote_at_that_moment():
    labels = ["person"] * 40 + ["car"] * 200
    points = still(INSIDE, 8)
    zone = ZONE | {"loiter": {"car": 3, "person": 15}}
    alert = run(path(points, label=labels), zone=zone)[0]
    assert (alert.kind, alert.label) == (LOITERING, "car")
    assert alert.time == pytest.approx(3, abs=0.05)


def test_loitering_once_per_visit():
    points = [*still(INSIDE, 5), *still(OUTSIDE, 3), *still(INSIDE, 5), *still(OUTSIDE, 3)]
    events = run(path(points), zone=ZONE | {"loiter": 2})
    assert kinds(events) == [LOITERING, EXITED, ENTERED, LOITERING, EXITED]


def visitors(*times):
    """Objects that are inside for some seconds each."""
    return [
        path([*still((120.0, y), 1 + begin), *still((320.0, y), end - begin),
              *still((120.0, y), 2)], track=n + 1)
        for n, (y, (begin, end)) in enumerate(zip((200.0, 240.0, 280.0), times, strict=True))
    ]  # fmt: skip


def test_three_objects_for_4_s_are_a_crowd_of_more_than_2_for_2_s():
    paths = visitors((0, 8), (1, 7), (2, 6))
    events = run(*paths, zone=ZONE | {"crowd": {"more_than": 2, "for": 2}})
    start, end = [event for event in events if event.kind == CROWDED]
    assert (start.phase, end.phase, start.id) == ("start", "end", end.id)
    assert (start.track, start.label, start.rule) == (None, None, "zone")
    assert (start.time, end.time) == (pytest.approx(3, abs=0.04), pytest.approx(7, abs=0.04))
    assert start.data["objects"] == 3
    assert start.data["delay"] == pytest.approx(2, abs=0.05)
    assert end.data["duration"] == pytest.approx(4, abs=0.05)


def test_a_crowd_for_a_moment_and_just_as_many_as_allowed_are_none():
    paths = visitors((0, 8), (1, 7), (2, 3.5))
    assert CROWDED not in kinds(run(*paths, zone=ZONE | {"crowd": {"more_than": 2, "for": 2}}))
    paths = visitors((0, 8), (1, 7), (2, 6))
    assert CROWDED not in kinds(run(*paths, zone=ZONE | {"crowd": {"more_than": 3, "for": 0}}))


def test_a_crowd_until_the_end_of_the_stream():
    paths = [path(still((320.0, y), 5), track=n) for n, y in enumerate((200.0, 240.0, 280.0), 1)]
    events = run(*paths, zone=ZONE | {"crowd": {"more_than": 2, "for": 2}}, tail=0)
    end = [event for event in events if event.kind == CROWDED][-1]
    assert (end.phase, end.data["end_of_stream"]) == ("end", True)


def test_only_the_given_labels_count_by_the_vote_of_the_track():
    labels = ["truck" if n % 3 == 0 else "car" for n in range(100)]
    paths = (
        path(straight((150.0, 200.0), (4.0, 0), 100), label=labels),
        path(straight((150.0, 280.0), (4.0, 0), 100), track=2, label="truck"),
    )
    assert {e.track for e in run(*paths, zone=ZONE | {"labels": ["car"]})} == {1}
    assert {e.track for e in run(*paths, zone=ZONE | {"labels": ["truck"]})} == {2}
    fast = path(straight((20.0, 240.0), (24.0, 0), 25), label="truck")
    assert run(fast, zone=ZONE | {"labels": ["car"]}) == []


@pytest.mark.parametrize(("anchor", "dwell"), [("bottom", 0), ("center", 2), ("top", 4)])
def test_the_anchor_decides_who_is_inside(anchor, dwell):
    # The lower edge is below the zone, the upper one inside, and the middle for the first 2 s.
    points = [*still((320.0, 352.0), 2), *still((320.0, 358.0), 2), *still((320.0, 700.0), 1)]
    zone = {"polygon": [[220, 140], [420, 140], [420, 345], [220, 345]], "anchor": anchor}
    found = sum(dwells(run(path(points), zone=zone)))
    assert found == pytest.approx(dwell, abs=0.1)


def test_the_notch_of_a_concave_zone_is_outside():
    notched = {"polygon": [[200, 100], [440, 100], [440, 340], [380, 340], [380, 180],
                           [260, 180], [260, 340], [200, 340]]}  # fmt: skip
    assert run(path(still((320.0, 280.0), 5)), zone=notched) == []
    events = run(path(straight((120.0, 280.0), (2.0, 0), 200)), zone=notched)
    assert kinds(events) == [ENTERED, EXITED] * 2
    assert dwells(events) == pytest.approx([1, 1])


def test_of_two_zones_that_share_a_border_a_point_on_it_is_in_one():
    left, right = ([[x, 100], [x + 220, 100], [x + 220, 400], [x, 400]] for x in (100, 320))
    scene = {"zones": {"left": {"polygon": left}, "right": {"polygon": right}}}
    events = events_of(Zones(scene), results(path(still((320.0, 240.0), 8))))
    assert len(dwells(events)) == 1
    walk = path(straight((60.0, 240.0), (4.0, 0), 130))
    events = events_of(Zones(scene), results(walk))
    assert [(e.rule, e.kind) for e in events] == [
        ("left", ENTERED), ("left", EXITED), ("right", ENTERED), ("right", EXITED)]  # fmt: skip
    assert dwells(events) == pytest.approx([220 / 120] * 2)


def test_a_zone_at_the_edge_of_the_image_goes_on_beyond_it():
    zone = {"polygon": [[220, 240], [420, 240], [420, 480], [220, 480]]}
    events = run(path(straight((120.0, 500.0), (4.0, 0), 100)), zone=zone)
    assert dwells(events) == pytest.approx([50 / 30])


def test_a_zone_smaller_than_the_dead_band_of_a_box_can_be_entered():
    zone = {"polygon": [[300, 220], [340, 220], [340, 260], [300, 260]]}
    events = run(path(straight((200.0, 240.0), (1.0, 0), 240), size=200), zone=zone)
    assert dwells(events) == pytest.approx([40 / 30])


def test_measures_and_shapes():
    zones = analyzer(ZONE | {"labels": ["car"]})
    assert zones.shapes() == []
    given = results(path(straight((118.0, 240.0), (4.0, 0), 101)))
    for one in given[:60]:
        zones.update(one)
    before = zones.measures()
    assert zones.update(given[60]) == []
    assert zones.measures() is before
    (shape,) = zones.shapes()
    assert (shape.kind, shape.caption, shape.rule) == ("polygon", "zone now 1 visits 1", "zone")
    np.testing.assert_allclose(shape.points, SQUARE)
    for one in given[61:]:
        zones.update(one)
    labels = (("zone", "zone"), ("label", "car"))
    assert zones.measures() == {
        Measure("zone_objects", labels): 0,
        Measure("zone_visits_total", labels): 1,
        Measure("zone_dwell_seconds_sum", labels): pytest.approx(50 / 30),
        Measure("zone_dwell_seconds_count", labels): 1,
        **{
            Measure("zone_dwell_seconds_bucket", (*labels, ("le", bound))): bound != "1.0"
            for bound in [*(f"{bound:.1f}" for bound in DWELL_BUCKETS), "+Inf"]
        },
    }
    assert before[Measure("zone_objects", labels)] == 1
    assert zones.shapes()[0].caption == "zone now 0 visits 1"
    zones.reset_counts()
    assert set(zones.measures().values()) == {0}


def test_a_change_of_the_image_size_ends_all_visits():
    zones = Zones({"zones": {"zone": {"polygon": (np.array(SQUARE) / [640, 480]).tolist()}}})
    events = events_of(zones, results(path(still(INSIDE, 2)), tail=0))
    small = path(still((160.0, 120.0), 2), track=2)
    zones = Zones({"zones": {"zone": {"polygon": (np.array(SQUARE) / [640, 480]).tolist()}}})
    events = [e for one in results(path(still(INSIDE, 2)), tail=0) for e in zones.update(one)]
    events += events_of(zones, results(small, width=320, height=240, tail=0))
    assert dwells(events) == pytest.approx([2, 2], abs=0.05)


def test_memory_is_bounded():
    zones, sizes = analyzer(ZONE | {"loiter": 1}), []
    for n in range(6000):
        rows = [
            (n, n // 20 * 3 + k, 0, (300.0, 200 + 20 * k, 320.0, 220 + 20 * k)) for k in range(3)
        ]
        zones.update(result(n, rows))
        sizes.append((len(zones._paths.memory.ids), len(zones._visitors.all)))
    assert max(sizes[750:])[0] <= max(sizes[:750])[0] + 10
    assert max(size[1] for size in sizes) < 500


def test_a_label_that_the_model_does_not_have_is_reported_with_the_first_result():
    zones = analyzer(ZONE | {"labels": ["persn"]})
    with pytest.raises(ConfigError, match=r"scene\.zones\.zone\.labels.*'persn'.*'person'"):
        zones.update(results(path([INSIDE]))[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dead_band": -0.1}, r"analytics\.dead_band"),
        ({"enter_after": -1}, r"analytics\.enter_after"),
        ({"forget_after": "long"}, r"analytics\.forget_after"),
        ({"join_within": 5}, r"analytics\.join_within"),
        ({"scene": {}}, "no zone"),
    ],
)
def test_bad_options(options, message):
    scene = {"zones": {"zone": ZONE}}
    with pytest.raises(ConfigError, match=message):
        vidan.create("analytics", "zones", **({"scene": scene} | options))


def test_the_labels_of_the_paths_are_those_of_the_model():
    assert run(path(still(INSIDE, 2), label="person"))[0].label == LABELS[2]
